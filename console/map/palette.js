// Colours that those who do not see red and green apart tell from each other: those of Okabe and Ito, and viridis for
// years. Each way to colour is 256 colours, one for each value that a point can have.

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7a00", "#3b3b3b"];
const DARK = ["#4aa8e8", "#f0803c", "#2fc79a", "#e39ac4", "#f2b632", "#8fd3ff", "#f0e442", "#d8d8d8"];
const VIRIDIS = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725"].map(parts);
const NONE = 255;

export const OTHER = (dark) => (dark ? "#7d838c" : "#9a9fa6");

function parts(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
const mixed = (one, other, share) => one.map((value, i) => Math.round(value + (other[i] - value) * share));

// 0 to 1 along viridis, without the end that the ground swallows.
function along(share, dark) {
  share = Math.min(1, Math.max(0, share));
  const at = (dark ? 0.16 + 0.84 * share : 0.9 * share) * (VIRIDIS.length - 1), step = Math.min(VIRIDIS.length - 2, Math.floor(at));
  return mixed(VIRIDIS[step], VIRIDIS[step + 1], at - step);
}

const css = (colour) => `rgb(${colour.join(" ")})`;

export function colours(map, dark) {
  const named = dark ? DARK : LIGHT, other = parts(OTHER(dark));
  const nth = (at) => parts(named[at % named.length]);
  const table = (colour) => {
    const found = new Uint8Array(256 * 4);
    for (let value = 0; value < 256; value++) found.set([...(colour(value) ?? other), 255], value * 4);
    return found;
  };
  const { first, last } = map.years, known = new Set(map.classes.map((one) => one.class));
  const [tops, numbered] = regions(map.clusters), taken = apart(tops, named.length);
  const ofYear = (year) => (first === null ? other : along((year - first) / Math.max(1, last - first), dark));
  const ofCluster = (number) => {
    if (!numbered.has(number)) return null;
    return mixed(nth(taken.get(numbered.get(number))), dark ? [255, 255, 255] : [0, 0, 0], (number % 3) * 0.14);
  };
  return {
    source: table((value) => (known.has(value) && value < named.length ? nth(value) : null)),
    year: table((value) => (value ? ofYear(1899 + value) : null)),
    cluster: table((value) => (value === NONE ? null : ofCluster(value))),
    dim: table(() => (dark ? [74, 79, 87] : [196, 199, 203])),
    mark: table(() => (dark ? [255, 255, 255] : [20, 20, 20])),
    chosen: table(() => (dark ? [255, 92, 200] : [214, 0, 130])),
    legend: {
      source: map.classes.slice(0, named.length).map((one) => ({ name: one.name, papers: one.papers, colour: css(nth(one.class)) })),
      year: first === null ? [] : [0, 0.25, 0.5, 0.75, 1].map((share) => {
        const year = Math.round(first + share * (last - first));
        return { name: String(year), colour: css(ofYear(year)) };
      }),
      cluster: tops.map((one) => ({ name: one.name, papers: one.papers, colour: css(nth(taken.get(one))), cluster: one })),
    },
  };
}

// The coarsest clusters, the largest first, and the one of them that each number belongs to.
function regions(clusters) {
  const byId = new Map(clusters.map((one) => [one.cluster, one]));
  const tops = clusters.filter((one) => one.parent === null).sort((one, other) => other.papers - one.papers);
  const top = (one) => (one.parent === null || !byId.has(one.parent) ? one : top(byId.get(one.parent)));
  return [tops, new Map(clusters.filter((one) => one.number !== null).map((one) => [one.number, top(one)]))];
}

// The place of each one's colour: where there are more of them than colours, two of the same lie as far apart as they can.
function apart(tops, many) {
  const taken = new Map();
  tops.forEach((one, at) => {
    const far = (colour) => Math.min(...[...taken].filter(([, its]) => its === colour).map(([other]) => Math.hypot(one.x - other.x, one.y - other.y)));
    const free = Array.from({ length: many }, (_, colour) => colour);
    taken.set(one, at < many ? at : free.reduce((best, colour) => (far(colour) > far(best) ? colour : best)));
  });
  return taken;
}
