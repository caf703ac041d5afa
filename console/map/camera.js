// Where the view is: the middle in steps of the map's grid (0 to 65,535, y upwards), and how far it is zoomed in; at 1
// the whole map is seen. All three are rounded, so that a link holds them exactly.

export const STEPS = 65535;
const LEAST = 0.5, MOST = 400, SHARE = 0.92; // the part of the page that the whole map takes

const rounded = (value, digits) => Number(value.toFixed(digits));

export class Camera {
  x = STEPS / 2;
  y = STEPS / 2;
  zoom = 1;
  width = 1;
  height = 1;

  constructor(extent) {
    const [wide, high] = [extent.x_max - extent.x_min, extent.y_max - extent.y_min], longer = Math.max(wide, high) || 1;
    this.shape = [wide / longer || 1, high / longer || 1];
    this.extent = extent;
  }

  resize(width, height) {
    [this.width, this.height] = [Math.max(1, width), Math.max(1, height)];
  }

  set(x, y, zoom) {
    const within = (value) => Math.min(STEPS, Math.max(0, value));
    [this.x, this.y] = [rounded(within(x), 3), rounded(within(y), 3)];
    this.zoom = rounded(Math.min(MOST, Math.max(LEAST, zoom)), 4);
  }

  whole() {
    this.set(STEPS / 2, STEPS / 2, 1);
  }

  // CSS pixels that one step is wide, and high.
  get step() {
    const [wide, high] = this.shape, side = SHARE * this.zoom * Math.min(this.width / wide, this.height / high);
    return [(side * wide) / STEPS, (side * high) / STEPS];
  }

  toScreen(x, y) {
    const [across, up] = this.step;
    return [this.width / 2 + (x - this.x) * across, this.height / 2 - (y - this.y) * up];
  }

  toGrid(left, top) {
    const [across, up] = this.step;
    return [this.x + (left - this.width / 2) / across, this.y - (top - this.height / 2) / up];
  }

  // From the map's own coordinates, as the server gives them.
  fromMap(x, y) {
    const { x_min, x_max, y_min, y_max } = this.extent;
    return [((x - x_min) / (x_max - x_min || 1)) * STEPS, ((y - y_min) / (y_max - y_min || 1)) * STEPS];
  }

  pan(dx, dy) {
    const [across, up] = this.step;
    this.set(this.x - dx / across, this.y + dy / up, this.zoom);
  }

  // Zooms so that what lies at this pixel stays there.
  zoomAt(left, top, factor) {
    const [x, y] = this.toGrid(left, top);
    this.set(this.x, this.y, this.zoom * factor);
    const [nowX, nowY] = this.toGrid(left, top);
    this.set(this.x + x - nowX, this.y + y - nowY, this.zoom);
  }
}
