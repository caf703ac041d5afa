// The diamond runs, and the partitions of the one that is open.
import { bar, bars, between, count, duration, figures, h, state, table, time } from "/console/dom.js";

const LISTED = 20;
const FAILED_LISTED = 5;
const HALF = 430;
const OPEN_ENDED = 2 ** 31 - 1;
const prices = ({ minimum, maximum }) => (maximum >= OPEN_ENDED ? `${count(minimum)} and more` : `${count(minimum)} – ${count(maximum - 1)}`);
const done = (run) => run.consolidated + run.failed;

const RUNS = "/api/v2/analytics/runs";

// The feed that the buttons start, as long as the page is open.
let chosen = "nivoda";

// Asks for it, says what came of it or went wrong, and shows what is then there.
const act = ({ ask, again, say }, path, body, told = () => null) => async () => {
  say(null);
  try {
    const answer = await ask(`/api/v2/triggers/${path}`, { method: "POST", body });
    await again();
    say(told(answer));
  } catch (error) {
    say(error.message);
  }
};

const start = (type, console_) => () => act(console_, "scheduler", { run_type: type, feed: chosen }, (started) => {
  location.hash = `diamonds/${started.run_id}`;
  return null;
})();

function runs(list, feeds, open, console_) {
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
      feeds.length > 1 ? h("select", { id: "run-feed", "aria-label": "Feed to run", onchange: (event) => { chosen = event.target.value; event.target.blur(); } },
        feeds.map((feed) => h("option", { value: feed, selected: feed === chosen }, feed))) : null,
      h("button", { id: "run-incremental", onclick: start("incremental", console_) }, "Run what changed"),
      h("button", { id: "run-full", onclick: start("full", console_) }, "Run everything")),
    h("h2", {}, "Runs"),
    table(columns, list, {
      empty: "No run yet. The timer starts one at 02:00.",
      open: (run) => { location.hash = `diamonds/${run.run_id}`; },
      selected: (run) => run.run_id === open,
      id: (run) => `run-${run.run_id}`,
    }));
}

// Two charts on one scale of time, the oldest run to the left: how many diamonds each brought, and how long it took.
function history(list) {
  const ended = list.filter((run) => run.completed_at).reverse();
  if (ended.length < 2) return null;
  const tone = (run) => (run.status === "completed" ? "" : "bad");
  const name = (run) => new Date(run.started_at).toLocaleString("en-GB");
  const seconds = (run) => between(run.started_at, run.completed_at);
  const brought = ended.map((run) => ({ name: name(run), value: run.ingested, tone: tone(run), text: `${count(run.ingested)} diamonds, ${run.run_type}, ${run.feed}, ${run.status}` }));
  const took = ended.map((run) => ({ name: name(run), value: seconds(run), tone: tone(run), text: duration(seconds(run)) }));
  return h("section", { class: "pair" },
    h("div", {}, h("h2", {}, "Diamonds of each run"), bars(brought, "Diamonds of each run", { width: HALF })),
    h("div", {}, h("h2", {}, "How long each run took"), bars(took, "Seconds of each run", { say: duration, width: HALF })));
}

function onOffer(summary) {
  const range = ({ minimum, maximum }) => (maximum === null ? `$${count(minimum)} and more` : `$${count(minimum)} – ${count(maximum)}`);
  const spread = summary.prices.map((one) => ({ name: range(one), value: one.diamonds, text: `${count(one.diamonds)} diamonds, $${count(Math.round(one.value))}` }));
  return h("section", {},
    h("h2", {}, "On offer"),
    figures([
      ["diamonds", count(summary.diamonds)], ["retail value", `$${count(Math.round(summary.value))}`],
      ["mean retail price", summary.mean_price === null ? "–" : `$${count(Math.round(summary.mean_price))}`],
      ["available", count(summary.by_availability.available?.diamonds ?? 0)], ["no longer offered", count(summary.deleted)],
    ]),
    summary.diamonds ? h("h3", {}, "Retail prices") : null,
    summary.diamonds ? bars(spread, "Diamonds by retail price") : h("p", { class: "empty" }, "Nothing yet: a run brings diamonds."),
    h("p", { class: "quiet" }, `As of ${new Date(summary.as_of).toLocaleTimeString("en-GB")}.`));
}

// What can be done about this run, by what it came to.
function tools(run, console_) {
  const body = { run_id: run.run_id };
  const cancel = act(console_, "cancel", body);
  const retry = act(console_, "retry-workers", body, () => "Its failed partitions are read again.");
  const force = act(console_, "consolidate", { ...body, force: true }, () => "What it has read is being consolidated.");
  const ended = ["held", "partial", "failed"].includes(run.status);
  return h("div", { class: "tools" },
    run.partitions_failed && run.status !== "cancelled" ? h("button", { id: "run-retry", onclick: retry }, "Read failed partitions again") : null,
    ended ? h("button", { id: "run-consolidate", onclick: () => confirm("Consolidate what was read, also if some is missing?") && force() }, "Consolidate what was read") : null,
    ["running", "held"].includes(run.status) ? h("button", { id: "run-cancel", onclick: () => confirm("Cancel this run? What it has read stays, and is not priced by it.") && cancel() }, "Cancel") : null);
}

// Diamonds that were read and could not be priced, feed by feed.
function failedRows(feed, { data, by_field: fields, pagination }, console_) {
  const columns = [
    ["Stone", (row) => h("span", { class: "id" }, row.supplier_stone_id)],
    ["Reason", (row) => h("span", { class: "error" }, row.reason)],
    ["Since", (row) => time(row.failed_at)],
  ];
  const total = Object.values(fields).reduce((sum, one) => sum + one, 0);
  const told = ({ requeued, consolidation }) => `${count(requeued)} wait again; ${{
    started: "they are being consolidated.", "in-the-run-at-work": "the run at work takes them.",
    "in-the-next-run": "the next run takes them.", "nothing-waits": "nothing had failed.",
  }[consolidation]}`;
  return h("section", { id: `failed-${feed}` },
    h("div", { class: "tools" }, h("button", { id: `requeue-${feed}`, onclick: act(console_, "requeue-failed", { feed }, told) }, "Try all again")),
    h("h2", {}, `Could not be priced: ${count(total)} of ${feed}`),
    figures(Object.entries(fields).map(([field, rows]) => [field, count(rows)])),
    table(columns, data),
    pagination.next ? h("p", { class: "quiet" }, "There are more; these are the first by id.") : null);
}

// Why a run has no partitions to show.
const nothingRead = (run) => (run.status === "running" ? "The supplier is being counted." : run.ingested ? "Its details are kept no longer." : "It ended before it was planned.");

function oneRun({ run, partitions }, console_) {
  const seconds = between(run.started_at, run.completed_at);
  const columns = [
    ["Partition", (part) => part.partition_id],
    ["Prices, USD", (part) => prices(part.prices), "number"],
    ["State", (part) => state(part.status)],
    ["Progress", (part) => bar(part.records, part.expected, part.partition_id)],
    ["Diamonds", (part) => `${count(part.records)} of ${count(part.expected)}`, "number"],
    ["Error", (part) => h("span", { class: "error" }, part.error ?? "")],
  ];
  const balance = partitions.map((part) => ({ name: part.partition_id, value: part.records, expected: part.expected, tone: part.error ? "bad" : "", text: `${count(part.records)} of ${count(part.expected)}` }));
  return [
    h("section", {},
      tools(run, console_),
      h("h2", {}, "Run ", h("span", { class: "id" }, run.run_id), " ", state(run.status)),
      figures([
        ["counted at the supplier", count(run.expected)], ["ingested", count(run.ingested)],
        ["consolidated", count(run.consolidated)], ["failed", count(run.failed)], ["pending", count(run.pending)],
        ["diamonds/s", count(Math.round(run.ingested / Math.max(seconds, 1)))], ["took", duration(seconds)],
      ]),
      run.error ? h("p", { class: "error" }, run.error) : null,
      run.expected ? bar(run.status === "running" ? (run.ingested + done(run)) / 2 : done(run), run.expected, "the whole run") : null),
    h("section", {},
      h("h2", {}, "Balance of the partitions"),
      partitions.length ? bars(balance, "Diamonds of each partition") : h("p", { class: "empty" }, nothingRead(run)),
      partitions.length ? h("p", { class: "quiet" }, "Solid: diamonds read. Pale: counted at the supplier and not read.") : null),
    h("section", {}, h("h2", {}, "Partitions"), table(columns, partitions, { empty: nothingRead(run) })),
  ];
}

export async function show(console_) {
  const [{ data: list }, summary] = await Promise.all([
    console_.ask(`${RUNS}?limit=${LISTED}`),
    console_.ask("/api/v2/analytics/summary"),
  ]);
  const feeds = [...new Set(["nivoda", ...list.map((run) => run.feed), ...Object.keys(summary.by_feed)])].sort();
  const failures = await Promise.all(feeds.map((feed) => console_.ask(`/api/v2/analytics/failed-rows?limit=${FAILED_LISTED}&feed=${encodeURIComponent(feed)}`)));
  const failed = feeds.map((feed, index) => (failures[index].data.length ? failedRows(feed, failures[index], console_) : null));
  const open = console_.rest || list[0]?.run_id;
  // A run that was just started has no row until its first step has claimed the feed.
  const planned = !console_.rest || list.some((run) => run.run_id === open) || list.length === LISTED;
  const waiting = [h("section", {}, h("p", { class: "empty" }, "The run is being planned."))];
  const detail = open && planned ? oneRun(await console_.ask(`${RUNS}/${encodeURIComponent(open)}`), console_) : open ? waiting : [];
  const [head, balance, partitions] = detail;
  return [runs(list, feeds, open, console_), head, balance, history(list), onOffer(summary), ...failed, partitions].filter(Boolean);
}
