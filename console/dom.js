// Builds elements and words for them. Text is only ever set as text, so nothing that a supplier sent can become markup.

export function h(tag, attributes = {}, ...children) {
  const svg = ["svg", "rect", "line", "polygon", "text", "title"].includes(tag) && attributes.svg !== false;
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "svg" || value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element[name] = value; // a property, which patch.js moves to the element that stays
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const numbers = new Intl.NumberFormat("en");
export const count = (value) => (value === null || value === undefined ? "–" : numbers.format(value));

const amounts = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });
export const dollars = (value) => (value === null || value === undefined ? "–" : amounts.format(value));

export function time(text) {
  return text ? h("time", { datetime: text, title: text }, new Date(text).toLocaleString("en-GB")) : "–";
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const between = (from, to) => ((to ? new Date(to) : new Date()) - new Date(from)) / 1000;

const TONES = {
  completed: "good", current: "good", rejected: "quiet", previous: "quiet", discarded: "quiet", done: "good", available: "good", healthy: "good", active: "good", stale: "warn", unavailable: "bad", disabled: "bad", empty: "quiet", failed: "bad", terminated: "bad", cancelled: "quiet", canceled: "quiet", stopped: "quiet",
  held: "warn", "on hold": "warn", unknown: "bad", ordered: "good", ended: "quiet", refused: "quiet", "not ordered": "quiet", sold: "quiet", "no longer offered": "quiet", superseded: "quiet", partial: "warn", suspended: "warn", pending: "quiet",
  skipped: "quiet", own: "good", "everybody's": "quiet", sent: "good", delivered: "good", opened: "good", clicked: "good", bounced: "bad", planned: "quiet", green: "good", red: "bad",
};
export const state = (name) => h("span", { class: `state ${TONES[name.toLowerCase()] ?? "busy"}` }, name.toLowerCase());

// An error is shown whole, with its lines.
export const problem = (...texts) => h("p", { class: "error" }, texts.filter(Boolean).join("\n"));

// On a narrow screen each row is a card, and each cell says what it is. `id` lets a row stay when it is drawn anew.
// What `below` gives stands under its row, over the whole width.
export function table(columns, rows, { empty = "Nothing yet.", open, selected, id, below } = {}) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const more = (row) => {
    const shown = below?.(row);
    if (!shown) return [];
    const cell = h("td", { colspan: columns.length }, shown);
    return [h("tr", { class: "below", "aria-selected": String(Boolean(selected?.(row))), onclick: open ? () => open(row) : null }, cell)];
  };
  const body = rows.flatMap((row) => [shownRow(row), ...more(row)]);
  function shownRow(row) {
    const cells = columns.map(([title, cell, kind]) => h("td", { class: kind, "data-title": title || null }, cell(row)));
    if (!open) return h("tr", { id: id?.(row) }, cells);
    const act = () => open(row);
    const key = (event) => { if (event.key === "Enter" && event.target === event.currentTarget) act(); };
    return h("tr", { id: id?.(row), "data-open": true, tabindex: 0, "aria-selected": String(Boolean(selected?.(row))), onclick: act, onkeydown: key }, cells);
  }
  const head = h("tr", {}, columns.map(([title, , kind]) => h("th", { scope: "col", class: kind }, title)));
  return h("table", {}, h("thead", {}, head), h("tbody", {}, body));
}

// Where a list is: the cursor of its page, and those of the pages before it.
export const firstPage = () => ({ cursor: null, before: [] });
export function pager(name, place, next, again, [back, forth] = ["Newer", "Older"]) {
  if (!next && !place.before.length) return null;
  const earlier = () => { place.cursor = place.before.pop(); again(); };
  const later = () => { place.before.push(place.cursor); place.cursor = next; again(); };
  return h("p", { class: "pager" },
    h("button", { id: `${name}-back`, disabled: !place.before.length, onclick: earlier }, back),
    h("span", { class: "quiet" }, `page ${place.before.length + 1}`),
    h("button", { id: `${name}-forth`, disabled: !next, onclick: later }, forth));
}

// The query of a request, without what is not given.
export function query(given) {
  const kept = Object.entries(given).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return new URLSearchParams(kept.map(([name, value]) => [name, String(value)]));
}

// Does something, says what came of it or went wrong, and shows what is then there.
export const act = ({ again, say }, what) => async (event) => {
  event?.preventDefault();
  say(null);
  try {
    const said = await what();
    await again();
    if (typeof said === "string") say(said);
  } catch (error) {
    say(error.message);
  }
};

export function bar(done, total, label) {
  const percent = total ? Math.min(100, Math.round((100 * done) / total)) : 0;
  return h("span", { class: "bar" }, h("progress", { max: 100, value: percent, "aria-label": label }), `${percent} %`);
}

export function figures(pairs) {
  return h("dl", { class: "figures" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

const narrow = matchMedia("(max-width: 45rem)");

// Vertical bars with a name and a value each, and behind them what was expected, where that is known; the first and the
// last name stand below the axis.
export function bars(rows, label, { say = count, width = narrow.matches ? 430 : 900 } = {}) {
  const height = 150, floor = height - 18, most = Math.max(1, ...rows.map((row) => Math.max(row.value, row.expected ?? 0)));
  const step = width / Math.max(rows.length, 1);
  const shapes = rows.map((row, index) => {
    const title = () => h("title", {}, `${row.name}: ${row.text ?? count(row.value)}`);
    const shape = (kind, value) => {
      const tall = Math.max((value / most) * (floor - 24), 0.5);
      return h("rect", { class: `${kind} ${row.tone ?? ""}`, x: index * step + step * 0.1, y: floor - tall, width: step * 0.8, height: tall }, title());
    };
    return [row.expected === undefined ? null : shape("expected", row.expected), shape("bar", row.value)].filter(Boolean);
  }).flat();
  const ends = rows.length ? [[0, "start", rows[0].name], [width, "end", rows.at(-1).name]] : [];
  return h("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    h("line", { class: "rule", x1: 0, x2: width, y1: floor, y2: floor }), shapes,
    h("text", { x: width, y: 10, "text-anchor": "end" }, `highest: ${say(most)}`),
    ends.map(([x, anchor, text]) => h("text", { x, y: height - 4, "text-anchor": anchor }, text)));
}
