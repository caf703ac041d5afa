// How full the queues are, and the messages that could not be worked on.
import { count, h, table, time } from "/console/dom.js";

const letters = (queue) => `/ops/queues/${encodeURIComponent(queue)}/dead-letters`;

async function resubmit(queue, body, { ask, again, say }) {
  try {
    const { resubmitted, missing } = await ask(`${letters(queue)}/resubmit`, { method: "POST", body });
    await again();
    if (missing.length) say(`${count(resubmitted.length)} were put back; ${count(missing.length)} were not found any more.`);
  } catch (error) {
    say(error.message);
  }
}

function oneQueue(queue, { data, pagination }, console_) {
  const columns = [
    ["Number", (one) => String(one.sequence_number), "number"],
    ["Sent", (one) => time(one.enqueued_at)],
    ["Deliveries", (one) => count(one.deliveries), "number"],
    ["Reason", (one) => h("span", { class: "error" }, [one.reason, one.description].filter(Boolean).join(": "))],
    ["Message", (one) => h("code", {}, one.body)],
    ["", (one) => h("button", { id: `back-${one.sequence_number}`, onclick: () => resubmit(queue, { sequence_numbers: [one.sequence_number] }, console_) }, "Put back")],
  ];
  return h("section", {},
    h("div", { class: "tools" }, data.length ? h("button", { id: "back-all", onclick: () => resubmit(queue, { all: true }, console_) }, "Put all back") : null),
    h("h2", {}, `Dead letters of ${queue}`),
    table(columns, data, { empty: "None." }),
    pagination.next ? h("p", { class: "quiet" }, "There are more; these are the oldest.") : null);
}

export async function show(console_) {
  const { data } = await console_.ask("/ops/queues");
  const open = data.some((one) => one.queue === console_.rest) ? console_.rest : (data.find((one) => one.dead_letters) ?? data[0])?.queue;
  const more = (one, value) => `${count(value)}${one.exact ? "" : " or more"}`;
  const columns = [
    ["Queue", (one) => one.queue],
    ["Waiting", (one) => more(one, one.active), "number"],
    ["For later", (one) => more(one, one.scheduled), "number"],
    ["Dead letters", (one) => h("span", { class: one.dead_letters ? "error" : "" }, more(one, one.dead_letters)), "number"],
  ];
  const all = h("section", {}, h("h2", {}, "Queues"), table(columns, data, {
    empty: "The app has no queues.",
    open: (one) => { location.hash = `queues/${encodeURIComponent(one.queue)}`; },
    selected: (one) => one.queue === open,
    id: (one) => `queue-${one.queue}`,
  }));
  return open ? [all, oneQueue(open, await console_.ask(letters(open)), console_)] : [all];
}
