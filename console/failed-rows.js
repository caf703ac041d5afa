// Diamonds that were read and could not be priced, feed by feed: why, what the supplier sent, and another try.
import { act, count, figures, firstPage, h, pager, query, table, time } from "/console/dom.js";

const LISTED = 10;
const places = {};
const CAME_OF_IT = {
  started: "they are being consolidated.", "in-the-run-at-work": "the run at work takes them.",
  "in-the-next-run": "the next run takes them.", "nothing-waits": "nothing had failed.",
};

export const again = (feed, stone, console_) => act(console_, async () => {
  const body = stone === undefined ? { feed } : { feed, supplier_stone_id: stone };
  const { requeued, consolidation } = await console_.ask("/api/v2/triggers/requeue-failed", { method: "POST", body });
  return `${count(requeued)} wait again; ${CAME_OF_IT[consolidation]}`;
});

export const stonePage = (feed, stone) => `#stones/${encodeURIComponent(feed)}/${encodeURIComponent(stone)}`;

export async function failedRows(feed, console_) {
  const place = (places[feed] ??= firstPage());
  const { data, by_field: fields, pagination } = await console_.ask(`/api/v2/analytics/failed-rows?${query({ limit: LISTED, feed, cursor: place.cursor })}`);
  const total = Object.values(fields).reduce((sum, one) => sum + one, 0);
  if (!total) {
    places[feed] = firstPage();
    return null;
  }
  const columns = [
    ["Stone", (row) => h("a", { class: "id", href: stonePage(feed, row.supplier_stone_id) }, row.supplier_stone_id)],
    ["Reason", (row) => h("span", { class: "error" }, row.reason)],
    ["Since", (row) => time(row.failed_at)],
    ["", (row) => h("button", { id: `again-${feed}-${row.supplier_stone_id}`, onclick: again(feed, row.supplier_stone_id, console_) }, "Try again")],
  ];
  return h("section", { id: `failed-${feed}` },
    h("div", { class: "tools" }, h("button", { id: `requeue-${feed}`, onclick: again(feed, undefined, console_) }, "Try all again")),
    h("h2", {}, `Could not be priced: ${count(total)} of ${feed}`),
    figures(Object.entries(fields).map(([field, rows]) => [field, count(rows)])),
    table(columns, data, { empty: "None is left on this page.", id: (row) => `failed-${feed}-${row.supplier_stone_id}` }),
    pager(`failed-${feed}`, place, pagination.next, console_.again, ["Back", "More"]));
}
