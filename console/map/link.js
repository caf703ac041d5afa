// The link to exactly this view: what is seen is kept behind the # of the address, and read from there.

const COLOURS = ["source", "year", "cluster"];
const numbers = (text) => (text ?? "").split(",").filter(Boolean).map(Number);

export const nothing = () => ({ colour: "cluster", years: null, filters: "", written: "", paper: "", similar: "", lasso: null });

export function written({ map, camera, state }) {
  const parts = { map: map.version, at: [camera.x, camera.y, camera.zoom].join(","), colour: state.colour };
  if (state.years) parts.years = state.years.join(",");
  for (const name of ["filters", "written", "paper", "similar"]) if (state[name]) parts[name] = state[name];
  if (state.lasso) parts.lasso = state.lasso.join(",");
  return `#${new URLSearchParams(parts)}`;
}

// What the address says: `version` of the map it was made on, `at` of the view, and the state. What is wrong in it is
// left out.
export function read(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, "")), state = nothing();
  const at = numbers(given.get("at")), years = numbers(given.get("years")), lasso = numbers(given.get("lasso"));
  if (COLOURS.includes(given.get("colour"))) state.colour = given.get("colour");
  if (years.length === 2 && years.every((one) => one >= 0 && one <= 255)) state.years = years;
  if (lasso.length >= 6 && lasso.length % 2 === 0 && lasso.every(Number.isInteger)) state.lasso = lasso;
  for (const name of ["filters", "written"]) state[name] = (given.get(name) ?? "").slice(0, 2000);
  for (const name of ["paper", "similar"]) if (/^[0-9a-f-]{36}$/.test(given.get(name) ?? "")) state[name] = given.get(name);
  return { version: Number(given.get("map")) || null, at: at.length === 3 && at.every(Number.isFinite) ? at : null, state };
}

// Keeps the address up to date; browsers allow few changes a second.
export class Link {
  constructor(page) {
    this.page = page;
    this.timer = 0;
  }

  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => history.replaceState(null, "", written(this.page)), 250);
  }

  get url() {
    return `${location.origin}${location.pathname}${written(this.page)}`;
  }
}
