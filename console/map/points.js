// All points of the map that have come, by number. A point's number is its place in the file; additions follow.
import { block } from "/console/map/tiles.js";

const SIDE = 64, SHIFT = 10; // cells of the grid that finds the nearest point: 1,024 steps of 65,536 each

export class Points {
  blocks = [];
  count = 0;

  add(one) {
    one.grid = grid(one);
    this.blocks.push(one);
    this.count = Math.max(this.count, one.first + one.count);
  }

  // The block of the point, and its place there.
  find(number) {
    let low = 0, high = this.blocks.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1, one = this.blocks[middle];
      if (number < one.first) high = middle - 1;
      else if (number >= one.first + one.count) low = middle + 1;
      else return [one, number - one.first];
    }
    return null;
  }

  read(number) {
    const found = this.find(number);
    if (!found) return null;
    const [one, i] = found;
    return { number, x: one.x[i], y: one.y[i], source: one.source[i], year: one.year[i], cluster: one.cluster[i] };
  }

  // A block of these points alone, in their order; those that have not come yet are left out.
  gather(numbers) {
    const kept = [...numbers].map((number) => this.find(number)).filter(Boolean);
    const found = block(new ArrayBuffer(7 * kept.length), 0, 0, kept.length);
    kept.forEach(([one, i], at) => {
      for (const name of ["x", "y", "source", "year", "cluster"]) found[name][at] = one[name][i];
    });
    return found;
  }

  // The number of the nearest point within `reach` pixels for which `shown(block, index)` holds; null if there is none.
  // `across` and `up` are pixels a step of the grid.
  nearest(x, y, { reach, across, up, shown }) {
    let best = reach * reach, found = null;
    const cell = (value) => Math.min(SIDE - 1, Math.max(0, value >> SHIFT));
    const [left, right] = [cell(x - reach / across), cell(x + reach / across)];
    const [low, high] = [cell(y - reach / up), cell(y + reach / up)];
    for (const one of this.blocks) {
      for (let row = low; row <= high; row++) {
        for (let at = one.grid.starts[row * SIDE + left]; at < one.grid.starts[row * SIDE + right + 1]; at++) {
          const i = one.grid.order[at], dx = (one.x[i] - x) * across, dy = (one.y[i] - y) * up, far = dx * dx + dy * dy;
          if (far < best && shown(one, i)) [best, found] = [far, one.first + i];
        }
      }
    }
    return found;
  }

  // The numbers of the points inside the polygon [x, y, x, y, ...] of whole steps, ascending: those that have an odd number
  // of its sides to their right. Sums of whole numbers are exact, so that a link selects the same again.
  inside(polygon, shown) {
    const xs = polygon.filter((_, i) => i % 2 === 0), ys = polygon.filter((_, i) => i % 2);
    const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const found = [];
    for (const one of this.blocks) {
      for (let i = 0; i < one.count; i++) {
        const x = one.x[i], y = one.y[i];
        if (x < left || x > right || y < low || y > high || !crossed(xs, ys, x, y) || !shown(one, i)) continue;
        found.push(one.first + i);
      }
    }
    return Uint32Array.from(found);
  }
}

function crossed(xs, ys, x, y) {
  let odd = false;
  for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
    if (ys[i] > y === ys[j] > y) continue;
    const side = (x - xs[i]) * (ys[j] - ys[i]) - (xs[j] - xs[i]) * (y - ys[i]);
    if (ys[j] > ys[i] ? side < 0 : side > 0) odd = !odd;
  }
  return odd;
}

function grid({ x, y, count }) {
  const starts = new Uint32Array(SIDE * SIDE + 1), order = new Uint16Array(count), cells = new Uint16Array(count);
  for (let i = 0; i < count; i++) starts[(cells[i] = (y[i] >> SHIFT) * SIDE + (x[i] >> SHIFT)) + 1]++;
  for (let cell = 0; cell < SIDE * SIDE; cell++) starts[cell + 1] += starts[cell];
  const next = starts.slice();
  for (let i = 0; i < count; i++) order[next[cells[i]]++] = i;
  return { starts, order };
}
