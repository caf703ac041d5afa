// The diamond runs, and the partitions of the one that is open.
import { bar, bars, between, count, duration, figures, h, state, table, time } from "/console/dom.js";

const LISTED = 20;
const OPEN_ENDED = 2 ** 31 - 1;
const prices = ({ minimum, maximum }) => (maximum >= OPEN_ENDED ? `${count(minimum)} and more` : `${count(minimum)} – ${count(maximum - 1)}`);
const done = (run) => run.consolidated + run.failed;

async function start(type, { ask, again, say }) {
  try {
    const started = await ask("/api/v2/triggers/scheduler", { method: "POST", body: { run_type: type } });
    location.hash = `diamonds/${started.run_id}`;
    again();
  } catch (error) {
    say(error.message);
  }
}

function runs(list, open, console_) {
  const columns = [
    ["Started", (run) => time(run.started_at)],
    ["Feed", (run) => run.feed],
    ["Type", (run) => run.run_type],
    ["State", (run) => state(run.status)],
    ["Ingested", (run) => bar(run.ingested, run.expected, "ingested")],
    ["Diamonds", (run) => count(run.ingested), "number"],
    ["Consolidated", (run) => count(run.consolidated), "number"],
    ["Failed", (run) => count(run.failed), "number"],
    ["Took", (run) => duration(between(run.started_at, run.completed_at)), "number"],
  ];
  return h("section", {},
    h("div", { class: "tools" },
      h("button", { id: "run-incremental", onclick: () => start("incremental", console_) }, "Run what changed"),
      h("button", { id: "run-full", onclick: () => start("full", console_) }, "Run everything")),
    h("h2", {}, "Runs"),
    table(columns, list, {
      empty: "No run yet. The timer starts one at 02:00.",
      open: (run) => { location.hash = `diamonds/${run.run_id}`; },
      selected: (run) => run.run_id === open,
    }));
}

function oneRun({ run, partitions }) {
  const seconds = between(run.started_at, run.completed_at);
  const columns = [
    ["Partition", (part) => part.partition_id],
    ["Prices, USD", (part) => prices(part.prices), "number"],
    ["State", (part) => state(part.status)],
    ["Progress", (part) => bar(part.records, part.expected, part.partition_id)],
    ["Diamonds", (part) => `${count(part.records)} of ${count(part.expected)}`, "number"],
    ["Error", (part) => h("span", { class: "error" }, part.error ?? "")],
  ];
  const balance = partitions.map((part) => ({ name: part.partition_id, value: part.records, tone: part.error ? "bad" : "", text: `${count(part.records)} of ${count(part.expected)}` }));
  return [
    h("section", {},
      h("h2", {}, "Run ", h("span", { class: "id" }, run.run_id), " ", state(run.status)),
      figures([
        ["counted at the supplier", count(run.expected)], ["ingested", count(run.ingested)],
        ["consolidated", count(run.consolidated)], ["failed", count(run.failed)], ["pending", count(run.pending)],
        ["diamonds/s", count(Math.round(run.ingested / Math.max(seconds, 1)))], ["took", duration(seconds)],
      ]),
      run.error ? h("p", { class: "error" }, run.error) : null,
      run.expected ? bar(run.status === "running" ? (run.ingested + done(run)) / 2 : done(run), run.expected, "the whole run") : null),
    h("section", {}, h("h2", {}, "Balance of the partitions"), partitions.length ? bars(balance, "Diamonds of each partition") : h("p", { class: "empty" }, "The supplier is being counted.")),
    h("section", {}, h("h2", {}, "Partitions"), table(columns, partitions, { empty: "Not planned yet." })),
  ];
}

export async function show(console_) {
  const list = (await console_.ask(`/api/v2/analytics/runs?limit=${LISTED}`)).data;
  const open = console_.rest || list[0]?.run_id;
  // A run that was just started has no row until its first step has claimed the feed.
  const planned = !console_.rest || list.some((run) => run.run_id === open) || list.length === LISTED;
  const waiting = [h("section", {}, h("p", { class: "empty" }, "The run is being planned."))];
  const detail = open && planned ? oneRun(await console_.ask(`/api/v2/analytics/runs/${encodeURIComponent(open)}`)) : open ? waiting : [];
  return [runs(list, open, console_), ...detail];
}
