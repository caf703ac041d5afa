// The pricing rules: what a change would do, the change itself, and re-pricing.
import { bar, count, figures, h, state, table, time } from "/console/dom.js";

const RULES = "/api/v2/pricing-rules";
const money = (value) => `$${count(Math.round(value))}`;
const signed = (value) => `${value < 0 ? "−" : "+"}${money(Math.abs(value))}`;

// What stands in the form outlives the refreshes of the page. `seen` is the rule as it was when editing began.
let draft = null;
let effect = null;

const FIELDS = [
  ["priority", "Priority", { type: "number", required: true }],
  ["carat_min", "Carats from", { type: "number", step: "0.01", min: 0 }],
  ["carat_max", "Carats to", { type: "number", step: "0.01", min: 0 }],
  ["shapes", "Shapes", { placeholder: "every shape" }],
  ["lab_grown", "Origin", [["", "any"], ["false", "natural"], ["true", "lab-grown"]]],
  ["feed", "Feed", { placeholder: "every feed" }],
  ["markup_ratio", "Retail ÷ supplier's price", { type: "number", step: "0.0001", min: 0.0001, max: 9.9999, required: true }],
  ["rating", "Rating", { type: "number", min: 1, max: 10 }],
  ["active", "Active", [["true", "yes"], ["false", "no"]]],
];

const edit = (rule) => {
  const text = ([name]) => [name, name === "shapes" ? (rule?.shapes ?? []).join(", ") : String(rule?.[name] ?? "")];
  draft = { seen: rule, values: { ...Object.fromEntries(FIELDS.map(text)), ...(rule ? {} : { priority: "100", active: "true" }) } };
  effect = null;
};

function terms() {
  const given = Object.entries(draft.values).filter(([, text]) => text.trim() !== "");
  return Object.fromEntries(given.map(([name, text]) => {
    if (name === "shapes") return [name, text.split(",").map((shape) => shape.trim()).filter(Boolean)];
    if (name === "lab_grown" || name === "active") return [name, text === "true"];
    return [name, name === "feed" ? text.trim() : Number(text)];
  }));
}

const rule = () => `${RULES}/${draft.seen.id}`;
const headers = () => ({ "If-Match": `"${draft.seen.revision}"` });

// Does it, says what went wrong, and shows what is then there.
const act = ({ again, say }, what) => async (event) => {
  event?.preventDefault();
  say(null);
  try {
    await what();
    await again();
  } catch (error) {
    say(error.message);
  }
};

const preview = (console_, removed) => act(console_, async () => {
  const id = draft.seen ? { rule_id: draft.seen.id } : {};
  effect = { removed, told: await console_.ask(`${RULES}/preview`, { method: "POST", body: removed ? id : { ...id, rule: terms() } }) };
});

const save = (console_) => act(console_, async () => {
  if (draft.seen) await console_.ask(rule(), { method: "PUT", body: terms(), headers: headers() });
  else await console_.ask(RULES, { method: "POST", body: terms() });
  draft = effect = null;
});

const remove = (console_) => act(console_, async () => {
  await console_.ask(rule(), { method: "DELETE", headers: headers() });
  draft = effect = null;
});

const reprice = (feed, console_) => act(console_, () => console_.ask("/api/v2/triggers/reprice", { method: "POST", body: { feed } }));

function input([name, label, kind]) {
  const value = draft.values[name], id = `rule-${name}`;
  const changed = (event) => { draft.values[name] = event.target.value; effect = null; };
  const field = Array.isArray(kind)
    ? h("select", { id, onchange: changed }, kind.map(([key, text]) => h("option", { value: key, selected: key === value }, text)))
    : h("input", { id, value, oninput: changed, ...kind });
  return h("label", { for: id }, label, field);
}

function told() {
  if (!effect) return h("p", { class: "quiet" }, "Look at what the change would do before you make it. Diamonds keep their prices until they are re-priced or read again.");
  const { diamonds, fitting, changed, value_before, value_after, difference } = effect.told;
  return h("div", { id: "effect" },
    h("h3", {}, effect.removed ? "If the rule were deleted, and all re-priced" : "If it were so, and all re-priced"),
    figures([
      ["diamonds on offer", count(diamonds)], ["would have this rule", count(fitting)], ["would change", count(changed)],
      ["their value now", money(value_before)], ["then", money(value_after)], ["difference", signed(difference)],
    ]));
}

function form(console_) {
  const seen = draft.seen;
  return h("section", {},
    h("h2", {}, seen ? `Rule ${seen.id}` : "New rule"),
    h("form", { id: "rule-form", class: "terms", onsubmit: save(console_) },
      FIELDS.map(input),
      h("div", { class: "actions" },
        h("button", { type: "button", id: "rule-preview", onclick: preview(console_, false) }, "Preview"),
        h("button", { id: "rule-save", class: "primary" }, seen ? "Change" : "Add"),
        seen ? h("button", { type: "button", id: "rule-preview-delete", onclick: preview(console_, true) }, "Preview deletion") : null,
        seen && effect?.removed ? h("button", { type: "button", id: "rule-delete", onclick: remove(console_) }, "Delete") : null,
        h("button", { type: "button", id: "rule-close", onclick: act(console_, () => { draft = effect = null; }) }, "Close"))),
    told());
}

function carats({ carat_min: from, carat_max: to }) {
  if (from === null) return to === null ? "any" : `up to ${to}`;
  return to === null ? `from ${from}` : `${from} – ${to}`;
}

function list(rules, console_) {
  const columns = [
    ["Priority", (one) => String(one.priority), "number"],
    ["Carats", carats],
    ["Shapes", (one) => one.shapes?.join(", ") ?? "any"],
    ["Origin", (one) => (one.lab_grown === null ? "any" : one.lab_grown ? "lab-grown" : "natural")],
    ["Feed", (one) => one.feed ?? "any"],
    ["Ratio", (one) => one.markup_ratio.toFixed(4), "number"],
    ["Rating", (one) => String(one.rating ?? "–"), "number"],
    ["State", (one) => (one.active ? "active" : "inactive")],
    ["Changed", (one) => time(one.updated_at)],
  ];
  return h("section", {},
    h("div", { class: "tools" }, h("button", { id: "rule-new", onclick: act(console_, () => edit(null)) }, "New rule")),
    h("h2", {}, "Pricing rules"),
    h("p", { class: "quiet" }, "The first that fits decides, from the top. Where none fits, the ratio is 1.1500."),
    table(columns, rules, { empty: "No rule yet.", open: (one) => act(console_, () => edit(one))(), selected: (one) => one.id === draft?.seen?.id, id: (one) => `pricing-rule-${one.id}` }));
}

function repricing(feed, last, version, console_) {
  const busy = last?.status === "running";
  const old = last?.status !== "completed" || last.rules_version !== version;
  return h("section", {},
    h("div", { class: "tools" }, h("button", { id: `reprice-${feed}`, class: old ? "primary" : "", disabled: busy, onclick: reprice(feed, console_) }, "Re-price all")),
    h("h2", {}, `Re-pricing of ${feed} `, last ? state(last.status) : null),
    last ? figures([
      ["looked at", count(last.looked_at)], ["changed", count(last.changed)], ["difference", signed(last.value_change)],
      ["begun again", count(last.restarts)], ["started", time(last.started_at)],
    ]) : null,
    last ? bar(last.status === "completed" ? last.total : last.looked_at, last.total, "re-pricing") : null,
    last?.error ? h("p", { class: "error" }, last.error) : null,
    busy ? null : h("p", { class: "quiet" }, !last ? "Not re-priced yet. A run prices the diamonds that it brings." : old ? "Rules were changed since the diamonds were last re-priced." : "Every diamond has the price of these rules."));
}

export async function show(console_) {
  const [{ data, version, repricings }, { by_feed }] = await Promise.all([
    console_.ask(RULES),
    console_.ask("/api/v2/analytics/summary"),
  ]);
  const last = Object.fromEntries(repricings.map((one) => [one.feed, one]));
  const feeds = [...new Set([...Object.keys(by_feed), ...Object.keys(last)])].sort();
  const each = feeds.map((feed) => repricing(feed, last[feed], version, console_));
  return [list(data, console_), draft ? form(console_) : null, ...each].filter(Boolean);
}
