// The runs of the feeds, and the one that is open.
import { changes } from "/console/changes.js";
import { act, bar, bars, between, count, duration, figures, h, problem, state, table, time } from "/console/dom.js";

const HALF = 430;
const OPEN_ENDED = 2 ** 31 - 1;
const prices = ({ minimum, maximum }) => (maximum >= OPEN_ENDED ? `${count(minimum)} and more` : `${count(minimum)} – ${count(maximum - 1)}`);
const done = (run) => run.consolidated + run.failed;
const post = ({ ask }, path, body) => ask(`/api/v2/triggers/${path}`, { method: "POST", body });

// The feed that the buttons start, as long as the page is open.
let chosen = "nivoda";

const begin = (type, console_) => act(console_, async () => {
  const started = await post(console_, "scheduler", { run_type: type, feed: chosen });
  location.hash = `diamonds/${started.run_id}`;
});

export function runs(list, feeds, open, console_, pages) {
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
  return h("section", { id: "runs" },
    h("div", { class: "tools" },
      feeds.length > 1 ? h("select", { id: "run-feed", "aria-label": "Feed to run", onchange: (event) => { chosen = event.target.value; } },
        feeds.map((feed) => h("option", { value: feed, selected: feed === chosen }, feed))) : null,
      h("button", { id: "run-incremental", onclick: begin("incremental", console_) }, "Run what changed"),
      h("button", { id: "run-full", onclick: begin("full", console_) }, "Run everything")),
    h("h2", {}, "Runs"),
    table(columns, list, {
      empty: "No run yet. The timer starts one at 02:00.",
      open: (run) => { location.hash = `diamonds/${run.run_id}`; },
      selected: (run) => run.run_id === open,
      id: (run) => `run-${run.run_id}`,
    }),
    pages);
}

// Two charts on one scale of time, the oldest run to the left: how many diamonds each brought, and how long it took.
export function history(list) {
  const ended = list.filter((run) => run.completed_at).reverse();
  if (ended.length < 2) return null;
  const tone = (run) => (run.status === "completed" ? "" : "bad");
  const name = (run) => new Date(run.started_at).toLocaleString("en-GB");
  const seconds = (run) => between(run.started_at, run.completed_at);
  const brought = ended.map((run) => ({ name: name(run), value: run.ingested, tone: tone(run), text: `${count(run.ingested)} diamonds, ${run.run_type}, ${run.feed}, ${run.status}` }));
  const took = ended.map((run) => ({ name: name(run), value: seconds(run), tone: tone(run), text: duration(seconds(run)) }));
  return h("section", { id: "history", class: "pair" },
    h("div", {}, h("h2", {}, "Diamonds of each run"), bars(brought, "Diamonds of each run", { width: HALF })),
    h("div", {}, h("h2", {}, "How long each run took"), bars(took, "Seconds of each run", { say: duration, width: HALF })));
}

// What can be done about this run, by what it came to.
function actions(run, console_) {
  const body = { run_id: run.run_id };
  const isHeld = run.status === "held";
  const ended = isHeld || ["partial", "failed"].includes(run.status);
  const ask = (text, what) => () => confirm(text) && what();
  const retry = act(console_, async () => { await post(console_, "retry-workers", body); return "Its failed partitions are read again."; });
  const force = act(console_, async () => { await post(console_, "consolidate", { ...body, force: true }); return "What was read is consolidated."; });
  const cancel = act(console_, async () => { await post(console_, "cancel", body); });
  return [
    run.partitions_failed && run.status !== "cancelled" ? h("button", { id: "run-retry", onclick: retry }, "Read failed partitions again") : null,
    ended ? h("button", { id: "run-consolidate", onclick: ask("Consolidate what was read, as it is?", force) }, isHeld ? "Release: consolidate what was read" : "Consolidate what was read") : null,
    isHeld || run.status === "running" ? h("button", { id: "run-cancel", onclick: ask("What was read stays, and is not priced by this run. Go on?", cancel) }, isHeld ? "Discard" : "Cancel") : null,
  ];
}

// A run that waits for a person says why, with what can be done about it.
export function held({ run, partitions, difference }, console_) {
  if (run.status !== "held") return null;
  const failed = partitions.filter((part) => part.status === "failed").length;
  return h("section", { id: "held", class: "held", role: "status" },
    h("h2", {}, "This run is held: nothing of it is for sale yet"),
    problem(run.error ?? `${count(failed)} of ${count(partitions.length)} partitions failed.`),
    difference ? changes(difference, run.feed) : null,
    h("div", { class: "actions" }, actions(run, console_)));
}

// Why a run has no partitions to show.
const nothingRead = (run) => (run.status === "running" ? "The supplier is being counted." : run.ingested ? "Its details are kept no longer." : "It ended before it was planned.");

export function oneRun({ run, partitions, difference }, console_) {
  const seconds = between(run.started_at, run.completed_at);
  const balance = partitions.map((part) => ({ name: part.partition_id, value: part.records, expected: part.expected, tone: part.error ? "bad" : "", text: `${count(part.records)} of ${count(part.expected)}` }));
  return [
    h("section", { id: "run" },
      run.status === "held" ? null : h("div", { class: "tools" }, actions(run, console_)),
      h("h2", {}, "Run ", h("span", { class: "id" }, run.run_id), " ", state(run.status)),
      figures([
        ["counted at the supplier", count(run.expected)], ["ingested", count(run.ingested)],
        ["consolidated", count(run.consolidated)], ["failed", count(run.failed)], ["pending", count(run.pending)],
        ["diamonds/s", count(Math.round(run.ingested / Math.max(seconds, 1)))], ["took", duration(seconds)],
      ]),
      run.error && run.status !== "held" ? problem(run.error) : null,
      run.expected ? bar(run.status === "running" ? (run.ingested + done(run)) / 2 : done(run), run.expected, "the whole run") : null),
    difference && run.status !== "held" ? h("section", { id: "changes" }, h("h2", {}, "What it changes"), changes(difference, run.feed)) : null,
    h("section", { id: "balance" },
      h("h2", {}, "Balance of the partitions"),
      partitions.length ? bars(balance, "Diamonds of each partition") : h("p", { class: "empty" }, nothingRead(run)),
      partitions.length ? h("p", { class: "quiet" }, "Solid: diamonds read. Pale: counted at the supplier and not read.") : null),
  ];
}

export function partitionsOf({ run, partitions }) {
  const columns = [
    ["Partition", (part) => part.partition_id],
    ["Prices, USD", (part) => prices(part.prices), "number"],
    ["State", (part) => state(part.status)],
    ["Progress", (part) => bar(part.records, part.expected, part.partition_id)],
    ["Diamonds", (part) => `${count(part.records)} of ${count(part.expected)}`, "number"],
    ["Error", (part) => (part.error ? h("span", { class: "error" }, part.error) : "")],
  ];
  return h("section", { id: "partitions" }, h("h2", {}, "Partitions"),
    table(columns, partitions, { empty: nothingRead(run), id: (part) => `partition-${part.partition_id}` }));
}
