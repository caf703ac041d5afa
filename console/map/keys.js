// The map by keyboard, while it has the focus; those for fields work from anywhere but within a field.

const PAN = 0.12;

export const HELP = [
  ["← ↑ → ↓", "move the map"], ["+ −", "zoom in and out"], ["0", "the whole map"],
  ["Enter", "open the paper in the middle"], ["c", "colour by the next kind"], ["l", "draw a lasso with the mouse"],
  ["v", "choose all that is seen"], ["/", "search"], ["f", "filter"], ["Esc", "close, or give up the choice"], ["?", "these keys"],
];

export class Keys {
  constructor(page) {
    this.page = page;
    addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    const { page } = this, typing = event.target.matches?.("input, select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") page.escape();
    if (typing) return;
    const act = this.anywhere(event.key) ?? (event.target === page.canvas ? this.onMap(event.key) : null);
    if (!act) return;
    event.preventDefault();
    act();
  }

  anywhere(key) {
    const { controls, gestures, camera } = this.page;
    return {
      "/": () => controls.focus("written"),
      f: () => controls.focus("filters"),
      c: () => controls.nextColour(),
      l: () => gestures.lasso(!gestures.lassoing),
      v: () => this.page.choose([[0, 0], [camera.width, 0], [camera.width, camera.height], [0, camera.height]].flatMap((at) => camera.toGrid(...at).map(Math.round))),
      "?": () => controls.help(),
    }[key];
  }

  onMap(key) {
    const { camera, hover } = this.page, [left, top] = [camera.width / 2, camera.height / 2];
    const pan = (x, y) => () => this.seen(() => camera.pan(x * PAN * camera.width, y * PAN * camera.height));
    const zoom = (factor) => () => this.seen(() => camera.zoomAt(left, top, factor));
    return {
      ArrowLeft: pan(1, 0), ArrowRight: pan(-1, 0), ArrowUp: pan(0, 1), ArrowDown: pan(0, -1),
      "+": zoom(1.5), "=": zoom(1.5), "-": zoom(1 / 1.5),
      0: () => this.seen(() => camera.whole()), Home: () => this.seen(() => camera.whole()),
      Enter: () => hover.open(left, top, 40),
    }[key];
  }

  seen(change) {
    const { camera, canvas, hover } = this.page;
    change();
    this.page.moved();
    canvas.classList.add("by-keys");
    hover.over(camera.width / 2, camera.height / 2, 40);
    if (hover.point) hover.say(hover.point); // it moved with the map
  }
}
