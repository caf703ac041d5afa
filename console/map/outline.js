// The line of the lasso, and the ring around the point that is looked at.
import { h } from "/console/dom.js";

export class Outline {
  constructor(page, place) {
    this.page = page;
    this.line = h("polygon", { class: "lasso", points: "" });
    this.svg = h("svg", { "aria-hidden": true }, this.line);
    this.ring = h("span", { class: "ring", hidden: true });
    this.opened = h("span", { class: "ring opened", hidden: true });
    place.append(this.svg, this.ring, this.opened);
    page.frames.listeners.push(() => this.draw());
  }

  // While it is drawn: pixels. Afterwards it follows the map.
  trace(trail) {
    this.trail = trail;
    this.draw();
  }

  draw() {
    const { camera, state } = this.page, corners = [];
    for (let i = 0; i < (state.lasso?.length ?? 0); i += 2) corners.push(camera.toScreen(state.lasso[i], state.lasso[i + 1]));
    this.line.setAttribute("points", (this.trail ?? corners).map((at) => at.map((one) => one.toFixed(1)).join()).join(" "));
    this.put(this.ring, this.page.hover.point);
    this.put(this.opened, this.page.panel.point);
  }

  put(ring, point) {
    ring.hidden = !point;
    if (!point) return;
    const [left, top] = this.page.camera.toScreen(point.x, point.y);
    ring.style.transform = `translate(${left}px, ${top}px)`;
  }
}
