// What is held and sold, how it stands at the suppliers, and the orders that a person has to settle.
import { act, dollars, firstPage, h, pager, query, state, table, time } from "/console/dom.js";
import { stonePage } from "/console/failed-rows.js";

const LISTED = 20;
const TRADES = "/api/v2/analytics/trades";
const places = { purchase: firstPage(), hold: firstPage() };
const found = {}; // the supplier's id of an order, as typed

const told = (one) => (one.supplier_state === "ours" ? h("span", { class: "quiet" }, "ours alone") : state(one.supplier_state.replaceAll("_", " ")));
const stone = (one) => h("a", { class: "id", href: stonePage(one.feed, one.supplier_stone_id) }, one.supplier_stone_id);

const settle = (one, order, console_) => act(console_, async () => {
  await console_.ask("/api/v2/triggers/resolve-order", { method: "POST", body: { purchase_id: one.id, order_id: order } });
  return order ? `Purchase ${one.id} is ordered.` : `Purchase ${one.id} was undone; the diamond is on offer again.`;
});

function decision(one, console_) {
  const ordered = (event) => settle(one, (found[one.id] ?? "").trim(), console_)(event);
  const undone = (event) => confirm("The supplier never took this order? Its sale is undone.") && settle(one, null, console_)(event);
  return h("form", { class: "terms", onsubmit: (event) => { event.preventDefault(); ordered(event); } },
    h("label", {}, "The supplier's id of the order",
      h("input", { id: `order-${one.id}`, required: true, value: found[one.id] ?? "", oninput: (event) => { found[one.id] = event.target.value; } })),
    h("button", { id: `ordered-${one.id}` }, "It was ordered"),
    h("button", { id: `undone-${one.id}`, type: "button", onclick: undone }, "It was not"));
}

function unsettled(list, console_) {
  if (!list.length) return null;
  const columns = [
    ["Our number", (one) => h("span", { class: "id" }, `MF-${one.id}`)],
    ["Stone", stone],
    ["Sold to", (one) => one.client],
    ["At", (one) => time(one.made_at)],
    ["For", (one) => dollars(one.price), "number"],
    ["", (one) => (one.supplier_state === "unknown" ? decision(one, console_) : h("span", { class: "quiet" }, "being ordered"))],
  ];
  return h("section", { id: "unsettled", class: "held", role: "status" },
    h("h2", {}, "The suppliers' answers to these orders were lost"),
    h("p", {}, "Each may have been taken or not, and is not sent again. Look for our number at the supplier."),
    table(columns, list, { id: (one) => `unsettled-${one.id}` }));
}

function list(kind, { data, pagination }, console_) {
  const columns = [
    [kind === "hold" ? "Hold" : "Purchase", (one) => String(one.id), "number"],
    ["Stone", stone],
    ["Feed", (one) => one.feed],
    ["Client", (one) => one.client],
    ["At", (one) => time(one.made_at)],
    kind === "hold" ? ["Until", (one) => time(one.ends_at)] : ["For", (one) => dollars(one.price), "number"],
    ["At the supplier", told],
    ["Its id there", (one) => (one.supplier_id ? h("span", { class: "id" }, one.supplier_id) : "–")],
  ];
  return h("section", { id: `${kind}s` }, h("h2", {}, kind === "hold" ? "Holds" : "Purchases"),
    table(columns, data, { empty: kind === "hold" ? "Nothing was held yet." : "Nothing was sold yet.", id: (one) => `${kind}-${one.id}` }),
    pager(`${kind}s`, places[kind], pagination.next, console_.again));
}

export async function show(console_) {
  const read = (given) => console_.ask(`${TRADES}?${query(given)}`);
  const [open, purchases, holds] = await Promise.all([
    read({ kind: "purchase", unsettled: true, limit: 100 }),
    read({ kind: "purchase", limit: LISTED, cursor: places.purchase.cursor }),
    read({ kind: "hold", limit: LISTED, cursor: places.hold.cursor }),
  ]);
  return [unsettled(open.data, console_), list("purchase", purchases, console_), list("hold", holds, console_)];
}
