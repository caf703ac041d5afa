// The map page as a whole: what is known, what is shown, and what its parts ask of each other.
import { Refused } from "/console/api.js";
import { Camera } from "/console/map/camera.js";
import { Controls } from "/console/map/controls.js";
import { Finding } from "/console/map/finding.js";
import { Frames } from "/console/map/frames.js";
import { Gestures } from "/console/map/gestures.js";
import { Hover } from "/console/map/hover.js";
import { Keys } from "/console/map/keys.js";
import { Labels } from "/console/map/labels.js";
import { Layers } from "/console/map/layers.js";
import { Link, read } from "/console/map/link.js";
import { Outline } from "/console/map/outline.js";
import { colours } from "/console/map/palette.js";
import { Panel } from "/console/map/panel.js";
import { Points } from "/console/map/points.js";

const at = (id) => document.getElementById(id);
const darkness = matchMedia("(prefers-color-scheme: dark)"), still = matchMedia("(prefers-reduced-motion: reduce)");
const FLIGHT_MS = 350;

export class Page {
  points = new Points();
  density = null;
  whole = false; // all points of the version have come

  constructor(map, renderer, { say, unsay, refused }) {
    Object.assign(this, { map, renderer, say, unsay, refused, canvas: at("map") });
    const given = read(location.hash);
    this.state = given.state;
    this.camera = new Camera(map.extent);
    if (given.at) this.camera.set(...given.at);
    if (given.version && given.version !== map.version) say(`This link was made on version ${given.version} of the map, and this is version ${map.version}: most papers lie where they lay, but not exactly.`);
    this.theme();
    this.frames = new Frames(this);
    this.layers = new Layers(this);
    this.link = new Link(this);
    this.finding = new Finding(this);
    this.hover = new Hover(this, at("over"));
    this.panel = new Panel(this, at("panel"));
    this.outline = new Outline(this, at("over"));
    this.labels = new Labels(this, at("labels"));
    this.controls = new Controls(this);
    this.gestures = new Gestures(this, this.canvas);
    this.keys = new Keys(this);
    this.listen();
  }

  listen() {
    darkness.addEventListener("change", () => { this.theme(); this.controls.legend(); this.frames.move(); });
    new ResizeObserver(() => this.frames.move()).observe(this.canvas);
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault(); // without this it is never given back
      this.say("The graphics card took the picture away; it is drawn again as soon as it can be.");
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.renderer.restore();
      this.theme();
      this.frames.cells = "";
      this.say(null);
      this.frames.move();
    });
    addEventListener("hashchange", () => this.goTo(read(location.hash)));
  }

  theme() {
    this.dark = darkness.matches;
    this.ground = (this.dark ? [0x12, 0x14, 0x17] : [0xfc, 0xfc, 0xfb]).map((part) => part / 255);
    this.palettes = colours(this.map, this.dark);
    this.renderer.setPalettes(this.palettes);
  }

  // Points have come: more of the picture can be drawn.
  pointsCame() {
    this.layers.refresh();
    this.controls.count();
    this.frames.ask();
  }

  moved() {
    this.frames.move();
    this.changed();
  }

  changed() {
    this.link.changed();
  }

  // Does what the state asks the server for: after loading, or when another link is pasted.
  async restore() {
    const { filters, written, similar, paper, lasso } = this.state;
    if (filters) await this.finding.filter(filters);
    else if (lasso) await this.finding.choose(lasso);
    if (!filters && written) await this.finding.search(written);
    if (similar) await this.finding.similarTo(similar);
    if (paper) await this.panel.open(paper, this.panel.point ?? undefined);
  }

  async goTo({ at: place, state }) {
    for (const name of ["filtered", "found", "chosen"]) this.layers.set(name, null);
    this.panel.list = null;
    this.panel.close();
    this.state = state;
    if (place) this.camera.set(...place);
    this.controls.fill();
    this.frames.move();
    await this.restore();
  }

  choose(polygon) {
    return this.finding.choose(polygon);
  }

  escape() {
    if (this.gestures.lassoing) return this.gestures.lasso(false);
    if (this.panel.shown && this.panel.list) {
      this.panel.leave();
      this.panel.redraw();
    } else if (this.state.lasso) this.finding.unchoose();
    else if (this.state.written || this.state.similar) this.finding.forget();
    else this.panel.close();
    return this.changed();
  }

  // The map moves only if the point is not to be seen well where it is.
  comeTo({ x, y }) {
    const [left, top] = this.camera.toScreen(x, y), { width, height } = this.camera;
    if (left > width * 0.05 && left < width * (width < 720 ? 0.95 : 0.6) && top > height * 0.08 && top < height * (width < 720 ? 0.42 : 0.92)) return;
    this.flyTo(x, y, Math.max(this.camera.zoom, 4));
  }

  flyTo(x, y, zoom) {
    const from = [this.camera.x, this.camera.y, Math.log(this.camera.zoom)], to = [x, y, Math.log(zoom)], start = performance.now();
    const flight = (this.flight = {});
    const step = (now) => {
      if (this.flight !== flight) return;
      const part = still.matches ? 1 : Math.min(1, (now - start) / FLIGHT_MS), eased = part * part * (3 - 2 * part);
      const [atX, atY, atZoom] = from.map((value, i) => value + (to[i] - value) * eased);
      this.camera.set(atX, atY, Math.exp(atZoom));
      this.moved();
      if (part < 1) requestAnimationFrame(step);
    };
    step(still.matches ? start + FLIGHT_MS : start);
  }

  // What fails is said where it is seen, with its remedy, until something else is asked for; who is refused is asked for
  // a key.
  async trying(what, about = "asked") {
    this.unsay(about);
    try {
      await what();
    } catch (error) {
      if (error instanceof Refused) this.refused(error);
      else this.say(error.message, null, about);
    }
  }

  progress = (come, all) => {
    at("progress").hidden = come >= all;
    at("progress").value = come / all;
    at("loading").textContent = come >= all ? "" : `${(come / 1e6).toFixed(1)} of ${(all / 1e6).toFixed(1)} MB`;
  };
}
