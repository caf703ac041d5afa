// The pricing rules: what a change would do, the change itself, and re-pricing.
import { act, bar, count, figures, h, problem, state, table, time } from "/console/dom.js";
import { edit, edited, form, RULES, signed } from "/console/pricing-form.js";

const reprice = (feed, console_) => act(console_, async () => {
  await console_.ask("/api/v2/triggers/reprice", { method: "POST", body: { feed } });
});

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
  return h("section", { id: "rules" },
    h("div", { class: "tools" }, h("button", { id: "rule-new", onclick: act(console_, () => edit(null)) }, "New rule")),
    h("h2", {}, "Pricing rules"),
    h("p", { class: "quiet" }, "The first that fits decides, from the top. Where none fits, the ratio is 1.1500."),
    table(columns, rules, { empty: "No rule yet.", open: (one) => act(console_, () => edit(one))(), selected: edited, id: (one) => `pricing-rule-${one.id}` }));
}

function repricing(feed, last, version, console_) {
  const busy = last?.status === "running";
  const old = last?.status !== "completed" || last.rules_version !== version;
  return h("section", { id: `repricing-${feed}` },
    h("div", { class: "tools" }, h("button", { id: `reprice-${feed}`, class: old ? "primary" : "", disabled: busy, onclick: reprice(feed, console_) }, "Re-price all")),
    h("h2", {}, `Re-pricing of ${feed} `, last ? state(last.status) : null),
    last ? figures([
      ["looked at", count(last.looked_at)], ["changed", count(last.changed)], ["difference", signed(last.value_change)],
      ["begun again", count(last.restarts)], ["started", time(last.started_at)],
    ]) : null,
    last ? bar(last.status === "completed" ? last.total : last.looked_at, last.total, "re-pricing") : null,
    last?.error ? problem(last.error) : null,
    busy ? null : h("p", { class: "quiet" }, !last ? "Not re-priced yet. A run prices the diamonds that it brings." : old ? "Rules were changed since the diamonds were last re-priced." : "Every diamond has the price of these rules."));
}

export async function show(console_) {
  const [{ data, version, repricings }, { by_feed }] = await Promise.all([
    console_.ask(RULES),
    console_.may("diamonds:run") ? console_.ask("/api/v2/analytics/summary") : { by_feed: { nivoda: null } },
  ]);
  const last = Object.fromEntries(repricings.map((one) => [one.feed, one]));
  const feeds = [...new Set([...Object.keys(by_feed), ...Object.keys(last)])].sort();
  const each = feeds.map((feed) => repricing(feed, last[feed], version, console_));
  return [list(data, console_), form(console_), ...each];
}
