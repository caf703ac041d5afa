// The diamond runs, and the partitions of the one that is open.
import { bar, bars, between, count, duration, figures, h, state, table, time } from "/console/dom.js";

const LISTED = 20;
const HALF = 430;
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

// Two charts on one scale of time, the oldest run to the left: how many diamonds each brought, and how long it took.
function history(list) {
  const ended = list.filter((run) => run.completed_at).reverse();
  if (ended.length < 2) return null;
  const tone = (run) => (run.status === "completed" ? "" : "bad");
  const name = (run) => new Date(run.started_at).toLocaleString("en-GB");
  const seconds = (run) => between(run.started_at, run.completed_at);
  const brought = ended.map((run) => ({ name: name(run), value: run.ingested, tone: tone(run), text: `${count(run.ingested)} diamonds, ${run.run_type}, ${run.status}` }));
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
  const [{ data: list }, summary] = await Promise.all([
    console_.ask(`/api/v2/analytics/runs?limit=${LISTED}`),
    console_.ask("/api/v2/analytics/summary"),
  ]);
  const open = console_.rest || list[0]?.run_id;
  // A run that was just started has no row until its first step has claimed the feed.
  const planned = !console_.rest || list.some((run) => run.run_id === open) || list.length === LISTED;
  const waiting = [h("section", {}, h("p", { class: "empty" }, "The run is being planned."))];
  const detail = open && planned ? oneRun(await console_.ask(`/api/v2/analytics/runs/${encodeURIComponent(open)}`)) : open ? waiting : [];
  const [head, balance, partitions] = detail;
  return [runs(list, open, console_), head, balance, history(list), onOffer(summary), partitions].filter(Boolean);
}
