// What is drawn when. While the view moves: the density, as many points as the machine draws in a frame (they stand in
// a random order, so the first ones are a fair sample), and what is marked. At rest: all points, part by part beside
// the page, and shown when they are whole.
import { STEPS } from "/console/map/camera.js";
import { cellColours, levelFor } from "/console/map/density.js";

const LEAST = 20_000, SLOW_MS = 45, QUICK_MS = 24, REST_PARTS = 3, SEEN = 0.4; // the share of the extent that has points
const ALL_YEARS = [0, 255];

export class Frames {
  sample = 60_000; // points while moving; follows what the machine can do
  drawn = 0; // points of the picture at rest
  moved = true;
  shownAtRest = false;
  waiting = false;
  listeners = [];

  constructor(page) {
    this.page = page;
  }

  // The view or what is shown has changed.
  move() {
    this.moved = true;
    this.ask();
  }

  // Something came that belongs on the picture as it is, such as another block of points, or marks.
  ask() {
    this.shownAtRest = false;
    this.page.canvas.dataset.drawn = ""; // how many points are drawn, once they all are
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame((now) => {
      this.waiting = false;
      this.frame(now);
    });
  }

  frame(now) {
    const { page } = this, { renderer, points } = page;
    if (renderer.lost) return;
    const ratio = Math.min(devicePixelRatio || 1, 2), { clientWidth, clientHeight } = page.canvas;
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (page.canvas.width !== width || page.canvas.height !== height) {
      renderer.resize(width, height);
      this.moved = true;
    }
    page.camera.resize(clientWidth, clientHeight);
    this.ratio = ratio;
    if (this.moved) this.drawMoving(now);
    else if (!this.shownAtRest) this.drawResting();
    if (this.shownAtRest) page.canvas.dataset.drawn = this.drawn;
    for (const listener of this.listeners) listener(this.moved);
    this.moved = false;
    if (!this.shownAtRest || this.drawn < points.count) {
      this.shownAtRest = false;
      this.ask();
    }
  }

  drawMoving(now) {
    const took = now - (this.lastMove ?? -Infinity);
    this.lastMove = now;
    if (took < 250) this.sample = Math.max(LEAST, this.sample * (took > SLOW_MS ? 0.8 : took < QUICK_MS ? 1.25 : 1));
    this.sample = Math.min(this.sample, Math.max(60_000, this.expected));
    this.page.renderer.aim(false, this.page.ground);
    this.drawGround();
    this.drawBase(0, this.sample, this.sample);
    this.drawMarks(this.sample);
    this.drawn = 0;
  }

  drawResting() {
    const { renderer, points } = this.page;
    renderer.aim(true, this.drawn ? null : this.page.ground);
    if (!this.drawn) this.drawGround();
    const upTo = Math.min(points.count, this.drawn + Math.max(150_000, this.sample * REST_PARTS));
    this.drawBase(this.drawn, upTo, this.expected);
    this.drawn = upTo;
    if (upTo < points.count) return;
    renderer.show();
    this.drawMarks(Infinity);
    this.shownAtRest = true;
  }

  get expected() {
    return Math.max(this.page.points.count, this.page.map.papers + this.page.map.additions);
  }

  get view() {
    const { camera } = this.page, [across, up] = camera.step;
    return { middle: [camera.x, camera.y], scale: [(2 * across) / camera.width, (2 * up) / camera.height] };
  }

  // How wide and how strong points are: the further apart they lie, the more.
  look(count) {
    const [across, up] = this.page.camera.step;
    const apart = Math.sqrt((across * up * STEPS * STEPS * SEEN) / Math.max(1, count));
    return { size: Math.min(8, Math.max(1.5, apart * 1.7)) * this.ratio, opacity: Math.min(0.85, 0.22 + apart * 0.22) };
  }

  drawGround() {
    const { page } = this, { state } = page;
    if (!page.density || state.years) return; // it knows no years
    const { level, strength } = levelFor(page.density, page.camera.step[0] * STEPS);
    if (strength <= 0) return;
    const palette = page.layers.filtered ? "dim" : state.colour, wanted = `${level.side} ${palette} ${page.dark}`;
    if (this.cells !== wanted) page.renderer.setCells(level.side, cellColours(level, level[state.colour], page.palettes[palette]));
    this.cells = wanted;
    page.renderer.drawDensity(this.view, strength);
  }

  drawBase(from, to, count) {
    const { page } = this, { colour } = page.state, filtered = page.layers.filtered;
    const look = { ...this.look(count), colour, palette: filtered ? "dim" : colour, years: page.state.years ?? ALL_YEARS };
    if (filtered) look.opacity *= 0.6;
    for (const block of page.points.blocks) this.part(block, from - block.first, to - block.first, look);
  }

  // What matches the filter, what was found, and what was chosen, each of them always on top; all of it, but of what
  // matches by the hundred thousand a sample while the view moves.
  drawMarks(most) {
    const { page } = this, { filtered, found, chosen } = page.layers, { colour, years } = page.state;
    const shown = { colour, years: years ?? ALL_YEARS };
    if (filtered) {
      const { size } = this.look(filtered.count);
      this.part(filtered, 0, Math.max(most, 100_000), { ...shown, size: Math.max(2, Math.min(size, 7 * this.ratio)), opacity: 0.95 });
    }
    if (chosen) this.part(chosen, 0, Infinity, { ...shown, years: ALL_YEARS, palette: "chosen", size: Math.max(3, this.look(this.expected).size), opacity: chosen.count > 20_000 ? 0.5 : 0.9 });
    if (found) {
      this.part(found, 0, Infinity, { ...shown, years: ALL_YEARS, palette: "mark", size: 11 * this.ratio, hole: 8 * this.ratio, opacity: 0.9 });
      this.part(found, 0, Infinity, { ...shown, years: ALL_YEARS, size: 6 * this.ratio, opacity: 1 });
    }
  }

  part(block, from, to, look) {
    const [first, last] = [Math.max(0, Math.floor(from)), Math.min(block.count, Math.ceil(to))];
    if (first < last) this.page.renderer.drawPoints(this.view, block, first, last, look);
  }
}
