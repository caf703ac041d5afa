// How full the queues are, and the messages that could not be worked on.
import { act, count, firstPage, h, pager, query, table, time } from "/console/dom.js";

const LISTED = 50;
const letters = (queue) => `/ops/queues/${encodeURIComponent(queue)}/dead-letters`;
let place = firstPage(), shown = "";

const resubmit = (queue, body, console_) => act(console_, async () => {
  const { resubmitted, missing } = await console_.ask(`${letters(queue)}/resubmit`, { method: "POST", body });
  return missing.length ? `${count(resubmitted.length)} were put back; ${count(missing.length)} were not found any more.` : null;
});

function oneQueue(queue, { data, pagination }, console_) {
  const columns = [
    ["Number", (one) => String(one.sequence_number), "number"],
    ["Sent", (one) => time(one.enqueued_at)],
    ["Deliveries", (one) => count(one.deliveries), "number"],
    ["Reason", (one) => h("span", { class: "error" }, [one.reason, one.description].filter(Boolean).join(": "))],
    ["Message", (one) => h("code", {}, one.body)],
    ["", (one) => h("button", { id: `back-${one.sequence_number}`, onclick: resubmit(queue, { sequence_numbers: [one.sequence_number] }, console_) }, "Put back")],
  ];
  return h("section", { id: "dead-letters" },
    h("div", { class: "tools" }, data.length ? h("button", { id: "back-all", onclick: resubmit(queue, { all: true }, console_) }, "Put all back") : null),
    h("h2", {}, `Dead letters of ${queue}`),
    table(columns, data, { empty: "None.", id: (one) => `letter-${one.sequence_number}` }),
    pager("letters", place, pagination.next, console_.again, ["Older", "Newer"]));
}

export async function show(console_) {
  const { data } = await console_.ask("/ops/queues");
  const open = data.some((one) => one.queue === console_.rest) ? console_.rest : (data.find((one) => one.dead_letters) ?? data[0])?.queue;
  if (open !== shown) [shown, place] = [open, firstPage()];
  const more = (one, value) => `${count(value)}${one.exact ? "" : " or more"}`;
  const columns = [
    ["Queue", (one) => one.queue],
    ["Waiting", (one) => more(one, one.active), "number"],
    ["For later", (one) => more(one, one.scheduled), "number"],
    ["Dead letters", (one) => h("span", { class: one.dead_letters ? "error" : "" }, more(one, one.dead_letters)), "number"],
  ];
  const all = h("section", { id: "queues" }, h("h2", {}, "Queues"), table(columns, data, {
    empty: "The app has no queues.",
    open: (one) => { location.hash = `queues/${encodeURIComponent(one.queue)}`; },
    selected: (one) => one.queue === open,
    id: (one) => `queue-${one.queue}`,
  }));
  return [all, open ? oneQueue(open, await console_.ask(`${letters(open)}?${query({ limit: LISTED, cursor: place.cursor })}`), console_) : null];
}
