// What a run would change, or has changed, in the prices and the number of diamonds on offer.
import { count, dollars, figures, h, table } from "/console/dom.js";
import { stonePage } from "/console/failed-rows.js";

export function changes(difference, feed) {
  const columns = [
    ["Stone", (one) => h("a", { class: "id", href: stonePage(feed, one.supplier_stone_id) }, one.supplier_stone_id)],
    ["Before", (one) => dollars(one.before), "number"],
    ["After", (one) => dollars(one.after), "number"],
    ["Times", (one) => `${one.after < one.before ? "÷" : "×"} ${one.factor.toFixed(2)}`, "number"],
  ];
  const gone = difference.gone === null ? "–" : count(difference.gone);
  return h("div", {},
    figures([
      ["new", count(difference.new)], ["gone", gone], ["dearer", count(difference.dearer)], ["dearer by", `+${dollars(difference.up)}`],
      ["cheaper", count(difference.cheaper)], ["cheaper by", `−${dollars(Math.abs(difference.down))}`],
      ["more than doubled or halved", count(difference.jumped)], ["price stays", count(difference.unchanged)],
      ["cannot be priced", count(difference.failed)], ["say less than before", count(difference.lost)],
      ["back on sale", count(difference.back_on_sale)], ["wait or were discarded", count(difference.waiting)], ["outside their range", count(difference.contradicting)], ["on offer before", count(difference.offered)],
    ]),
    difference.worst.length ? h("h3", {}, "The prices that change most") : null,
    difference.worst.length ? table(columns, difference.worst) : null);
}
