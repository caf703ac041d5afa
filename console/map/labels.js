// The names of the clusters over the map: those of the level that fits how far it is zoomed in, the largest first, none
// over another.
import { h } from "/console/dom.js";

const MOST = 40, GAP = 4, LONGEST = 34;

export class Labels {
  constructor(page, place) {
    [this.page, this.place] = [page, place];
    this.known = page.map.clusters.map((cluster) => {
      const [x, y] = page.camera.fromMap(cluster.x, cluster.y);
      const name = cluster.name.length > LONGEST ? `${cluster.name.slice(0, LONGEST - 1)}…` : cluster.name;
      const go = () => page.flyTo(x, y, Math.max(page.camera.zoom, 1.6 * 3 ** cluster.level) * 1.8);
      const element = h("button", { class: `label level-${Math.min(cluster.level, 2)}`, tabindex: -1, title: `${cluster.words.join(", ")}: ${cluster.papers} papers`, onclick: go }, name);
      return { cluster, x, y, element };
    }).sort((one, other) => other.cluster.papers - one.cluster.papers);
    page.frames.listeners.push(() => this.draw());
  }

  get level() {
    return Math.max(0, Math.min(this.page.map.levels - 1, Math.floor(Math.log(this.page.camera.zoom / 1.6) / Math.log(2.6)) + 1));
  }

  draw() {
    const { camera } = this.page, { level } = this, placed = [];
    const view = [camera.x, camera.y, camera.zoom, camera.width, camera.height].join();
    if (view === this.view) return;
    this.view = view;
    for (const one of this.known) {
      if (one.cluster.level !== level || placed.length >= MOST) continue;
      const [left, top] = camera.toScreen(one.x, one.y);
      if (left < 0 || top < 0 || left > camera.width || top > camera.height) continue;
      if (!one.element.isConnected) this.place.append(one.element);
      one.size ??= [one.element.offsetWidth, one.element.offsetHeight];
      const box = { left: left - one.size[0] / 2, top: top - one.size[1] / 2, right: left + one.size[0] / 2, bottom: top + one.size[1] / 2 };
      const free = placed.every(({ box: other }) => box.left > other.right + GAP || box.right < other.left - GAP || box.top > other.bottom + GAP || box.bottom < other.top - GAP);
      if (free) placed.push({ one, box });
    }
    const kept = new Set(placed.map(({ one }) => one.element));
    for (const element of [...this.place.children]) if (!kept.has(element)) element.remove();
    for (const { one, box } of placed) one.element.style.transform = `translate(${Math.round(box.left)}px, ${Math.round(box.top)}px)`;
  }
}
