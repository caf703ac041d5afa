// The feeds and their runs, what the open one did, what is on offer, and what could not be priced.
import { bars, count, figures, firstPage, h, pager, query, table, time } from "/console/dom.js";
import { failedRows } from "/console/failed-rows.js";
import { history, held, oneRun, partitionsOf, runs } from "/console/runs.js";

const LISTED = 20;
const RUNS = "/api/v2/analytics/runs";
const place = firstPage();

function ago(hours) {
  if (hours === null) return "";
  return hours < 48 ? `${hours.toFixed(1)} h old` : `${(hours / 24).toFixed(1)} days old`;
}

// Up to when each feed was read and consolidated, and when it is read next by itself.
function watermarks(feeds) {
  const columns = [
    ["Feed", (one) => one.feed],
    ["Watermark", (one) => (one.watermark ? time(one.watermark) : "none yet")],
    ["Age", (one) => ago(one.watermark_age_hours)],
    ["Next run", (one) => (one.next_run_at ? h("span", {}, time(one.next_run_at), `, ${one.next_run_type}`) : "by hand only")],
    ["On offer", (one) => count(one.active), "number"],
    ["No longer offered", (one) => count(one.deleted), "number"],
  ];
  return h("section", { id: "feeds" }, h("h2", {}, "Feeds"), table(columns, feeds, { empty: "No feed is read: FEEDS is none.", id: (one) => `feed-${one.feed}` }));
}

function onOffer(summary) {
  const range = ({ minimum, maximum }) => (maximum === null ? `$${count(minimum)} and more` : `$${count(minimum)} – ${count(maximum)}`);
  const spread = summary.prices.map((one) => ({ name: range(one), value: one.diamonds, text: `${count(one.diamonds)} diamonds, $${count(Math.round(one.value))}` }));
  return h("section", { id: "on-offer" },
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

// A run that waits for a person is not forgotten when a later one is looked at.
function othersHeld(list, open) {
  const held = list.filter((run) => run.status === "held" && run.run_id !== open);
  if (!held.length) return null;
  return h("section", { id: "also-held", class: "held", role: "status" },
    h("h2", {}, held.length === 1 ? "A run waits to be released or discarded" : `${count(held.length)} runs wait to be released or discarded`),
    h("ul", {}, held.map((run) => h("li", {}, h("a", { href: `#diamonds/${run.run_id}` }, `${run.feed}, ${run.run_type}, of `, time(run.started_at))))));
}

export async function show(console_) {
  const [{ data: list, pagination }, summary, { data: known }] = await Promise.all([
    console_.ask(`${RUNS}?${query({ limit: LISTED, cursor: place.cursor })}`),
    console_.ask("/api/v2/analytics/summary"),
    console_.ask("/api/v2/analytics/feeds"),
  ]);
  const feeds = [...new Set(["nivoda", ...known.map((one) => one.feed), ...list.map((run) => run.feed)])].sort();
  const failed = await Promise.all(feeds.map((feed) => failedRows(feed, console_)));
  const open = console_.rest || list[0]?.run_id;
  // A run that was just started has no row until its first step has claimed the feed.
  const planned = !console_.rest || list.some((run) => run.run_id === open) || place.before.length > 0 || list.length === LISTED;
  const found = open && planned ? await console_.ask(`${RUNS}/${encodeURIComponent(open)}`) : null;
  const waiting = open && !planned ? h("section", { id: "planning" }, h("p", { class: "empty" }, "The run is being planned.")) : null;
  return [
    watermarks(known),
    runs(list, feeds, open, console_, pager("runs", place, pagination.next, console_.again)),
    waiting, othersHeld(list, open), ...(found ? [held(found, console_), ...oneRun(found, console_)] : []),
    history(list), onOffer(summary), ...failed, found ? partitionsOf(found) : null,
  ];
}
