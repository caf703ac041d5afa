// Finds stones among those on offer, or by the supplier's id, and shows one whole.
import { file } from "/console/api.js";
import { act, count, dollars, figures, firstPage, h, pager, problem, query, state, table, time } from "/console/dom.js";
import { again, stonePage } from "/console/failed-rows.js";

const LISTED = 20, EXPORTED = 10_000;
const OF_THE_LIST = ["limit", "page", "cursor", "format"];
const wanted = {};
const byId = { feed: "nivoda", stone: "" };
let place = firstPage();
let fields = null; // what can be searched by, as the API's own document says

async function searchFields(ask) {
  const api = await ask("/openapi.json");
  const given = api.paths["/api/v2/diamonds"].get.parameters.filter((one) => one.in === "query" && !OF_THE_LIST.includes(one.name));
  const resolve = (schema) => (schema.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema);
  return given.map(({ name, schema }) => {
    const kinds = [schema, ...(schema.anyOf ?? schema.allOf ?? [])].map(resolve);
    const boolean = kinds.some((kind) => kind.type === "boolean");
    const options = boolean ? ["true", "false"] : kinds.flatMap((kind) => kind.enum ?? kind.items?.enum ?? []);
    return { name, options, label: name.replaceAll("_", " ") };
  });
}

function searchForm({ again: look }) {
  const typed = (name) => (event) => {
    wanted[name] = event.target.value.trim();
    place = firstPage();
  };
  const field = ({ name, options, label }) => {
    const id = `stone-${name}`, value = wanted[name] ?? "";
    const chosen = (event) => { typed(name)(event); look(); };
    return h("label", { for: id }, label, options.length
      ? h("select", { id, onchange: chosen }, ["", ...options].map((one) => h("option", { value: one, selected: one === value }, one || "any")))
      : h("input", { id, value, oninput: typed(name), onchange: look }));
  };
  return h("form", { id: "stone-search", class: "terms", role: "search", onsubmit: (event) => event.preventDefault() }, fields.map(field));
}

function idForm() {
  const find = (event) => {
    event.preventDefault();
    location.hash = stonePage(byId.feed.trim(), byId.stone.trim());
  };
  const input = (name, label) => h("label", {}, label, h("input", { id: `by-${name}`, required: true, value: byId[name], oninput: (event) => { byId[name] = event.target.value; } }));
  return h("section", { id: "by-id" }, h("h2", {}, "By the supplier's id"),
    h("form", { class: "terms", onsubmit: find }, input("feed", "Feed"), input("stone", "Stone"), h("button", { id: "find-stone" }, "Find")));
}

// What is searched for, as a file.
const write = (console_) => act(console_, async () => {
  const content = URL.createObjectURL(await file(`/api/v2/diamonds.csv?${query({ ...wanted, limit: EXPORTED })}`));
  h("a", { href: content, download: "diamonds.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(content), 60_000);
});

const link = (url, text) => (/^https?:\/\//.test(url ?? "") ? h("a", { href: url, target: "_blank", rel: "noreferrer" }, text) : null);

function list({ data, pagination }, open, console_) {
  const columns = [
    ["Stone", (one) => h("span", { class: "id" }, one.supplier_stone_id)],
    ["Feed", (one) => one.feed],
    ["Shape", (one) => one.shape.toLowerCase()],
    ["Carats", (one) => one.carats.toFixed(2), "number"],
    ["Colour", (one) => one.color ?? "–"],
    ["Clarity", (one) => one.clarity ?? "–"],
    ["Certificate", (one) => [one.certificate_lab, one.certificate_number].filter(Boolean).join(" ") || "–"],
    ["Supplier's price", (one) => dollars(one.price_model_price), "number"],
    ["Retail", (one) => dollars(one.retail_price), "number"],
    ["Availability", (one) => one.availability.replaceAll("_", " ")],
  ];
  const total = `${pagination.totalIs === "estimated" ? "about " : ""}${count(pagination.total)}`;
  return h("section", { id: "stones" },
    h("div", { class: "tools" }, h("button", { id: "export", onclick: write(console_) }, "Export as CSV")),
    h("h2", {}, `On offer: ${total}`), searchForm(console_),
    table(columns, data, {
      empty: "None fits.",
      open: (one) => { location.hash = stonePage(one.feed, one.supplier_stone_id); },
      selected: (one) => `${one.feed}/${one.supplier_stone_id}` === open,
      id: (one) => `diamond-${one.id}`,
    }),
    pager("stones", place, pagination.next, console_.again, ["Back", "More"]));
}

const SHOWN_APART = ["feed", "supplier_stone_id", "image_url", "video_url", "certificate_url", "status"];
function offer(one) {
  const said = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  const facts = Object.entries(one).filter(([name, value]) => value !== null && !SHOWN_APART.includes(name));
  return h("section", { id: `offer-${one.id}` },
    h("h2", {}, `Diamond ${one.id} `, state(one.status === "deleted" ? "no longer offered" : one.availability.replaceAll("_", " "))),
    figures([["retail price", dollars(one.retail_price)], ["supplier's price", dollars(one.price_model_price)], ["carats", one.carats.toFixed(2)]]),
    h("p", {}, link(one.image_url, "Picture"), " ", link(one.video_url, "Video"), " ", link(one.certificate_url, "Report")),
    h("dl", { class: "facts" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, said(value))))));
}

function sent(stone, console_) {
  const { raw } = stone;
  const failed = raw?.status === "failed";
  return h("section", { id: "stone" },
    h("div", { class: "tools" },
      failed ? h("button", { id: "stone-again", onclick: again(stone.feed, stone.supplier_stone_id, console_) }, "Try again") : null,
      h("button", { id: "close-stone", onclick: () => { location.hash = "stones"; } }, "Close")),
    h("h2", {}, "Stone ", h("span", { class: "id" }, stone.supplier_stone_id), ` of ${stone.feed} `, raw ? state(failed ? "failed" : raw.status) : null),
    failed ? problem(raw.reason) : null,
    raw ? h("p", { class: "quiet" }, "Read ", time(raw.read_at), ", changed ", time(raw.changed_at), ", by run ", h("a", { class: "id", href: `#diamonds/${raw.run_id}` }, raw.run_id)) : null,
    raw ? h("h3", {}, "What the supplier sent") : h("p", { class: "empty" }, "What the supplier sent is past its retention."),
    raw ? h("pre", { id: "payload", tabindex: 0, "aria-label": "What the supplier sent" }, JSON.stringify(raw.payload, null, 2)) : null);
}

export async function show(console_) {
  const { ask, rest, may } = console_;
  fields ??= await searchFields(ask);
  const found = await ask(`/api/v2/diamonds?${query({ ...wanted, limit: LISTED, cursor: place.cursor })}`);
  const slash = rest.indexOf("/");
  const [feed, id] = [rest.slice(0, slash), rest.slice(slash + 1)];
  let opened = [];
  if (slash > 0 && may("diamonds:run")) {
    const stone = await ask(`/api/v2/analytics/stone?${query({ feed, supplier_stone_id: id })}`);
    opened = [sent(stone, console_), ...stone.offers.map(offer)];
  } else if (slash > 0) {
    opened = found.data.filter((one) => one.feed === feed && one.supplier_stone_id === id).map(offer);
  }
  return [...opened, may("diamonds:run") ? idForm() : null, list(found, rest, console_)];
}
