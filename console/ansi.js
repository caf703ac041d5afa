// Lines as a terminal would colour them: each piece of text becomes a span with classes, never markup.
import { h } from "/console/dom.js";

// SGR sequences are read; all others, and control characters, are left out.
const SEQUENCE = /\x1b\[([0-9;:]*)([ -/]*[@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?|[\x00-\x08\x0b-\x1f\x7f]/g;
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse" };
const ENDS = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"] };

export const plain = () => ({ fg: null, bg: null, styles: new Set() });

// The nearest of the terminal's sixteen colours, which fit light and dark.
function nearest(red, green, blue) {
  const most = Math.max(red, green, blue), least = Math.min(red, green, blue);
  if (most - least < 32) return most < 64 ? 0 : most < 128 ? 8 : most < 208 ? 7 : 15;
  const bit = (value, weight) => (value > (most + least) / 2 ? weight : 0);
  return bit(red, 1) + bit(green, 2) + bit(blue, 4) + (most > 200 ? 8 : 0);
}

function indexed(number) {
  if (number < 16) return number;
  if (number > 231) return nearest(...Array(3).fill((number - 232) * 10 + 8));
  const part = (weight) => Math.floor((number - 16) / weight) % 6 * 51;
  return nearest(part(36), part(6), part(1));
}

function apply(style, codes) {
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at];
    if (code === 0) Object.assign(style, plain());
    else if (STYLES[code]) style.styles.add(STYLES[code]);
    else if (ENDS[code]) ENDS[code].forEach((name) => style.styles.delete(name));
    else if (code === 39) style.fg = null;
    else if (code === 49) style.bg = null;
    else if (code === 38 || code === 48) {
      const colour = codes[at + 1] === 5 ? indexed(codes[at + 2] ?? 0) : nearest(...[2, 3, 4].map((one) => codes[at + one] ?? 0));
      style[code === 38 ? "fg" : "bg"] = colour;
      at += codes[at + 1] === 5 ? 2 : 4;
    } else if (code >= 30 && code <= 37) style.fg = code - 30;
    else if (code >= 40 && code <= 47) style.bg = code - 40;
    else if (code >= 90 && code <= 97) style.fg = code - 82;
    else if (code >= 100 && code <= 107) style.bg = code - 92;
  }
}

function piece(text, { fg, bg, styles }) {
  const classes = [fg === null ? "" : `fg-${fg}`, bg === null ? "" : `bg-${bg}`, ...styles].filter(Boolean);
  return classes.length ? h("span", { class: classes.join(" ") }, text) : text;
}

// The line's pieces; `style` is how the line before ended, and is changed to how this one does.
export function coloured(line, style) {
  const pieces = [];
  let from = 0;
  for (const found of line.matchAll(SEQUENCE)) {
    if (found.index > from) pieces.push(piece(line.slice(from, found.index), style));
    from = found.index + found[0].length;
    if (found[2] === "m") apply(style, found[1].split(/[;:]/).map(Number));
  }
  if (from < line.length) pieces.push(piece(line.slice(from), style));
  return pieces;
}
