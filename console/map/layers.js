// The points that are drawn on top of the others: those that match the filter, those that were found, those that were
// chosen. Each layer is numbers of points, and a block of them for drawing.

const NAMES = ["filtered", "found", "chosen"];

export class Layers {
  filtered = null;
  found = null;
  chosen = null;
  numbers = { filtered: null, found: null, chosen: null };

  constructor(page) {
    this.page = page;
  }

  set(name, numbers) {
    this.numbers[name] = numbers;
    this.gather(name);
    if (name === "filtered") this.page.frames.move();
    else this.page.frames.ask();
  }

  // More points have come: some of a layer may be among them.
  refresh() {
    for (const name of NAMES) if (this.numbers[name] && this[name].count < this.numbers[name].length) this.gather(name);
  }

  gather(name) {
    if (this[name]) this.page.renderer.forget(this[name]);
    const numbers = this.numbers[name];
    this[name] = numbers && this.page.points.gather(numbers);
    if (name === "filtered") this.mask = numbers && marked(numbers);
  }

  // Whether a point of a block is shown: it matches the filter, and is of the years.
  shown = (block, index) => {
    const { years } = this.page.state, number = block.first + index;
    if (years && (block.year[index] < years[0] || block.year[index] > years[1])) return false;
    return !this.mask || Boolean(this.mask[number]);
  };
}

function marked(numbers) {
  const mask = new Uint8Array(numbers.length ? numbers.at(-1) + 1 : 0);
  for (const number of numbers) mask[number] = 1;
  return mask;
}
