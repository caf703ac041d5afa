// The fields above the map, the years below it, and the legend.
import { count, h } from "/console/dom.js";
import { OTHER } from "/console/map/palette.js";
import { HELP } from "/console/map/keys.js";

const BASE = 1899, COLOURS = ["cluster", "source", "year"];
const at = (id) => document.getElementById(id);

export class Controls {
  constructor(page) {
    this.page = page;
    const submitted = (name, act) => at(`${name}-form`).addEventListener("submit", (event) => {
      event.preventDefault();
      act(at(name).value.trim());
    });
    submitted("written", (text) => page.finding.search(text));
    submitted("filters", (text) => page.finding.filter(text));
    for (const name of ["written", "filters"]) at(name).addEventListener("search", () => at(name).value || at(`${name}-form`).requestSubmit());
    at("colour").addEventListener("change", () => this.colour(at("colour").value));
    at("lasso").addEventListener("click", () => page.gestures.lasso(!page.gestures.lassoing));
    at("copy").addEventListener("click", () => this.copy());
    at("help").addEventListener("click", () => this.help());
    at("in").addEventListener("click", () => this.zoom(1.6));
    at("out").addEventListener("click", () => this.zoom(1 / 1.6));
    at("home").addEventListener("click", () => { page.camera.whole(); page.moved(); });
    for (const name of ["from", "to"]) at(name).addEventListener("input", () => this.years(name));
    at("years-all").addEventListener("click", () => { page.state.years = null; this.yearsChanged(); });
    this.fill();
  }

  // Shows what the state says.
  fill() {
    const { state, map } = this.page, { first, last } = map.years;
    for (const name of ["written", "filters", "colour"]) at(name).value = state[name];
    at("years").hidden = first === null || first === last;
    for (const [name, index, whole] of [["from", 0, first], ["to", 1, last]]) {
      Object.assign(at(name), { min: first, max: last });
      at(name).value = state.years ? BASE + state.years[index] : whole;
    }
    at("years-shown").textContent = `${at("from").value} to ${at("to").value}`;
    at("years-all").hidden = !state.years;
    this.legend();
    this.count();
  }

  legend() {
    const { page } = this, { colour } = page.state, rows = page.palettes.legend[colour];
    const other = colour !== "year" && page.map.classes.length <= rows.length ? null : { name: colour === "year" ? "no date" : "others", colour: OTHER(page.dark) };
    at("legend").replaceChildren(...[...rows, ...(colour === "cluster" || !other ? [] : [other])].map((one) => {
      const dot = h("i", { class: "dot" });
      dot.style.background = one.colour;
      const content = [dot, h("span", {}, one.name), one.papers ? h("span", { class: "quiet" }, count(one.papers)) : null];
      if (!one.cluster) return h("li", {}, content);
      const go = () => page.flyTo(...page.camera.fromMap(one.cluster.x, one.cluster.y), 2.6);
      return h("li", {}, h("button", { onclick: go }, content));
    }));
  }

  count() {
    const { page } = this, numbers = page.layers.numbers.filtered;
    at("told").textContent = numbers ? `${count(numbers.length)} of ${count(page.points.count)} papers match` : `${count(page.points.count)} papers`;
  }

  colour(name) {
    this.page.state.colour = name;
    this.fill();
    this.page.frames.move();
    this.page.changed();
  }

  nextColour() {
    this.colour(COLOURS[(COLOURS.indexOf(this.page.state.colour) + 1) % COLOURS.length]);
  }

  // The slider that is moved pushes the other one along.
  years(name) {
    const { state, map } = this.page;
    const [from, to] = [Number(at("from").value), Number(at("to").value)];
    const chosen = name === "from" ? [from, Math.max(from, to)] : [Math.min(from, to), to];
    state.years = chosen[0] === map.years.first && chosen[1] === map.years.last ? null : chosen.map((year) => year - BASE);
    this.yearsChanged();
  }

  yearsChanged() {
    const { page } = this;
    this.fill();
    page.frames.move();
    page.changed();
    clearTimeout(this.settling);
    if (page.state.lasso) this.settling = setTimeout(() => page.finding.choose(page.state.lasso), 300);
  }

  zoom(factor) {
    const { camera } = this.page;
    camera.zoomAt(camera.width / 2, camera.height / 2, factor);
    this.page.moved();
  }

  lassoIs(on) {
    at("lasso").setAttribute("aria-pressed", String(on));
  }

  focus(name) {
    at("more").open = true;
    at(name).focus();
    at(name).select();
  }

  async copy() {
    const { url } = this.page.link;
    try {
      await navigator.clipboard.writeText(url);
      this.page.say("The link to this view is in the clipboard.");
    } catch {
      this.page.say(`Copy this link: ${url}`); // browsers give the clipboard to pages with HTTPS alone
    }
  }

  help() {
    const box = at("keys");
    box.replaceChildren(h("h2", {}, "Keys"), h("dl", {}, HELP.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)))),
      h("p", { class: "quiet" }, "Shift and drag draws a lasso, too. Two fingers zoom."), h("button", { onclick: () => box.close() }, "Close"));
    if (box.open) box.close();
    else box.showModal();
  }
}
