// The two files of a map version, as docs/papers-map.md describes their bytes: points by blocks, and the density of the
// view from far off. Both are little-endian, as every machine with a browser is.

const HEADER = 64, POINT = 7;

function header(bytes, magic) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER);
  const found = String.fromCharCode(...bytes.subarray(0, 4)), format = view.getUint16(4, true);
  if (found !== magic || format !== 1) throw new Error(`This page reads ${magic} files of format 1, not ${found} of format ${format}. Reload the page to get the one that fits.`);
  return { first: view.getUint32(12, true), count: view.getUint32(16, true), span: view.getUint32(20, true), base: view.getUint16(56, true) };
}

// `count` points from the byte `at` on: five arrays, which share the file's memory.
export function block(buffer, at, first, count) {
  const bytes = (offset) => new Uint8Array(buffer, at + offset * count, count);
  return {
    first, count,
    raw: new Uint8Array(buffer, at, POINT * count),
    x: new Uint16Array(buffer, at, count), y: new Uint16Array(buffer, at + 2 * count, count),
    source: bytes(4), year: bytes(5), cluster: bytes(6),
  };
}

// Gives each block to `take` as soon as it is there; `progress` gets the bytes that have come, of how many.
// The answer is the header.
export async function readPoints(answer, take, progress = () => {}) {
  const reader = answer.body.getReader();
  let kept = new Uint8Array(HEADER), come = 0, head = null, given = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!head) {
      kept.set(value.subarray(0, HEADER - come), come); // the first part may be shorter than the header
      come += value.length;
      if (come < HEADER) continue;
      head = header(kept, "PMAP");
      const whole = new Uint8Array(HEADER + POINT * head.count);
      whole.set(kept);
      kept = whole;
      place(value, come - value.length);
    } else {
      place(value, come);
      come += value.length;
    }
    while (given < head.count) {
      const count = Math.min(head.span, head.count - given), at = HEADER + POINT * given;
      if (come < at + POINT * count) break;
      take(block(kept.buffer, at, head.first + given, count));
      given += count;
    }
    progress(come, kept.length);
  }
  if (!head || given < head.count) throw new Error(`The points broke off after ${come} bytes. Try again.`);
  return head;

  function place(value, offset) {
    if (offset + value.length > kept.length) throw new Error("The file of points is longer than it says. Try again.");
    kept.set(value, offset);
  }
}

// The levels, the coarsest first: cells a side, row by row from below, with count and the commonest values of each.
export function readDensity(buffer) {
  header(new Uint8Array(buffer, 0, HEADER), "PDEN");
  const view = new DataView(buffer), levels = [];
  let at = HEADER, side = view.getUint32(20, true);
  for (let left = view.getUint16(6, true); left; left--, side *= 2) {
    const cells = side * side, bytes = (offset) => new Uint8Array(buffer, at + offset * cells, cells);
    levels.push({ side, counts: new Uint32Array(buffer, at, cells), source: bytes(4), year: bytes(5), cluster: bytes(6) });
    at += 7 * cells;
  }
  return levels;
}
