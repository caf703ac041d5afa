// The point under the mouse, or in the middle for who uses the keys: what it is, and a click that opens it.
import { h } from "/console/dom.js";
import { papersOf } from "/console/map/data.js";

const REACH = 9, WAIT_MS = 70, MOST_KEPT = 2000;

export class Hover {
  point = null;
  titles = new Map();

  constructor(page, place) {
    this.page = page;
    this.box = h("div", { class: "tip", id: "tip", role: "status", hidden: true });
    place.append(this.box);
  }

  nearest(left, top, reach) {
    const { points, camera, layers } = this.page, [across, up] = camera.step;
    const number = points.nearest(...camera.toGrid(left, top), { reach, across, up, shown: layers.shown });
    return number === null ? null : points.read(number);
  }

  over(left, top, reach = REACH) {
    const found = this.nearest(left, top, reach);
    if (found?.number === this.point?.number) return;
    this.point = found;
    this.page.canvas.classList.toggle("over", Boolean(found));
    this.page.outline.draw();
    this.box.hidden = !found;
    if (found) this.say(found);
  }

  hide() {
    if (!this.point) return;
    this.point = null;
    this.box.hidden = true;
    this.page.outline.draw();
  }

  async open(left, top, reach = REACH) {
    const found = this.nearest(left, top, reach);
    if (found) await this.page.panel.openPoint(found);
  }

  say(point) {
    const { map, camera } = this.page, source = map.classes.find((one) => one.class === point.source)?.name ?? "other source";
    const region = map.clusters.find((one) => one.number === point.cluster && one.number !== null)?.name;
    const title = h("strong", {}, this.titles.get(point.number) ?? "…");
    this.box.replaceChildren(title, h("span", {}, [source, point.year ? 1899 + point.year : "no date", region].filter(Boolean).join(" · ")));
    const [left, top] = camera.toScreen(point.x, point.y), right = left > camera.width - 330;
    this.box.style.transform = `translate(${Math.round(left + (right ? -14 : 14))}px, ${Math.round(top + 14)}px)${right ? " translateX(-100%)" : ""}${top > camera.height - 110 ? " translateY(calc(-100% - 28px))" : ""}`;
    if (!this.titles.has(point.number)) this.fetch(point, title);
  }

  fetch(point, title) {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      try {
        const [paper] = await papersOf(this.page.map.version, [point.number]);
        if (this.titles.size > MOST_KEPT) this.titles.clear();
        this.titles.set(point.number, paper?.doctrove_title ?? "This paper is not in the table any more.");
      } catch (error) {
        title.textContent = error.message;
        return;
      }
      title.textContent = this.titles.get(point.number);
    }, WAIT_MS);
  }
}
