// The mouse and the fingers: drag to move, wheel or pinch to zoom, a lasso with Shift or after its button.

const CLICK_PX = 5, LASSO_PX = 4, MOST_CORNERS = 400;

export class Gestures {
  pointers = new Map(); // by id: where each finger or the mouse is
  lassoing = false; // the next drag draws one
  trail = null;

  constructor(page, canvas) {
    [this.page, this.canvas] = [page, canvas];
    for (const part of [canvas, page.labels.place]) { // a finger that comes down on a label is one on the map
      part.addEventListener("pointerdown", (event) => this.down(event));
      part.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    }
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => page.hover.hide());
    canvas.addEventListener("dblclick", (event) => this.zoom(...this.at(event), event.shiftKey ? 1 / 3 : 3));
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.button > 0) return;
    try {
      this.canvas.setPointerCapture(event.pointerId);
    } catch {
      // a pointer that is up already cannot be held
    }
    this.canvas.focus({ preventScroll: true });
    this.label = event.target.closest(".label");
    const at = this.at(event);
    this.pointers.set(event.pointerId, at);
    this.start = this.pointers.size === 1 ? at : null;
    this.trail = this.pointers.size === 1 && (this.lassoing || event.shiftKey) ? [at] : null;
    this.page.hover.hide();
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId), at = this.at(event);
    if (!before) return event.pointerType === "touch" ? undefined : this.page.hover.over(...at);
    if (this.trail) return this.lengthen(at);
    if (this.start && Math.hypot(at[0] - this.start[0], at[1] - this.start[1]) < CLICK_PX) return undefined;
    this.start = null;
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    this.pointers.set(event.pointerId, at);
    if (others.length) return this.pinch(before, at, others[0]);
    this.page.camera.pan(at[0] - before[0], at[1] - before[1]);
    return this.page.moved();
  }

  pinch(before, at, other) {
    const apart = (one) => Math.max(10, Math.hypot(one[0] - other[0], one[1] - other[1]));
    this.page.camera.pan((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
    this.zoom((at[0] + other[0]) / 2, (at[1] + other[1]) / 2, apart(at) / apart(before));
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.trail) this.close(event.type === "pointerup");
    else if (this.start && event.type === "pointerup" && this.label) this.label.click();
    else if (this.start && event.type === "pointerup") this.page.hover.open(...this.start, event.pointerType === "touch" ? 18 : 9);
    this.start = null;
  }

  wheel(event) {
    event.preventDefault();
    const unit = [1, 16, 400][event.deltaMode], strength = event.ctrlKey ? 0.01 : 0.0016; // ctrlKey: a pinch of a touchpad
    this.page.hover.hide();
    this.zoom(...this.at(event), Math.exp(-Math.max(-300, Math.min(300, event.deltaY * unit)) * strength));
  }

  zoom(left, top, factor) {
    this.page.camera.zoomAt(left, top, factor);
    this.page.moved();
  }

  lasso(on) {
    this.lassoing = on;
    this.canvas.classList.toggle("lassoing", on);
    this.page.controls.lassoIs(on);
  }

  lengthen(at) {
    const last = this.trail.at(-1);
    if (Math.hypot(at[0] - last[0], at[1] - last[1]) < LASSO_PX || this.trail.length >= MOST_CORNERS) return;
    this.trail.push(at);
    this.page.outline.trace(this.trail);
  }

  close(whole) {
    const trail = this.trail;
    this.trail = null;
    this.lasso(false);
    this.page.outline.trace(null);
    if (whole && trail.length >= 3) this.page.choose(trail.flatMap(([left, top]) => this.page.camera.toGrid(left, top).map(Math.round)));
  }
}
