// The auth cache: how new each instance is, the last fold, and a user with shares in both directions.
import { act, count, duration, figures, h, problem, state, table, time } from "/console/dom.js";

const ASKED = 4; // the front end spreads requests over instances; whoever answers is remembered
const FORGOTTEN_MS = 10 * 60_000;
const FOLD = "authcache-fold";
const seen = new Map();
let wanted = "", user = null, missing = "";

async function look() {
  const answers = await Promise.all(Array.from({ length: ASKED }, () => fetch("/api/v1/health/cache").then((one) => one.json()).catch(() => null)));
  for (const one of answers) if (one?.cache) seen.set(one.cache.instance, { ...one.cache, status: one.status, at: Date.now() });
  for (const [name, one] of seen) if (Date.now() - one.at > FORGOTTEN_MS) seen.delete(name);
  return [...seen.values()].sort((one, other) => other.lsn - one.lsn);
}

function instances(list) {
  const columns = [
    ["Instance", (one) => h("span", { class: "id" }, one.instance)],
    ["State", (one) => state(one.status)],
    ["LSN", (one) => count(one.lsn), "number"],
    ["Base", (one) => count(one.base_lsn), "number"],
    ["Age", (one) => (one.age_seconds === null ? "–" : duration(one.age_seconds)), "number"],
    ["Rows since the base", (one) => count(one.tail_rows), "number"],
    ["Answers from", (one) => (one.local ? "its disk" : "blobs")],
    ["At once", (one) => count(one.hits), "number"],
    ["Looked first", (one) => count(one.waits), "number"],
    ["Refused", (one) => count(one.refusals), "number"],
    ["Bases brought", (one) => count(one.loads), "number"],
    ["Rebuilds", (one) => count(one.rebuilds), "number"],
    ["Seen", (one) => time(new Date(one.at).toISOString())],
  ];
  return h("section", { id: "instances" }, h("h2", {}, "Instances"),
    table(columns, list, { empty: "No instance has answered yet.", id: (one) => `instance-${one.instance}` }));
}

function lastFold(run, console_) {
  const done = run?.output;
  const again = act(console_, async () => {
    await console_.ask("/api/v1/health/cache/sync", { method: "POST" });
    return "Iceberg is looked at.";
  });
  const files = Object.entries(done?.files ?? {});
  return h("section", { id: "fold" },
    h("div", { class: "tools" }, h("button", { id: "sync", onclick: again }, "Look at Iceberg now")),
    h("h2", {}, "The last fold ", run ? state(run.status) : null),
    run?.error ? problem(run.error.message, run.error.remedy) : null,
    run ? figures([
      ["LSN", count(done?.lsn)],
      ["Records", count(done?.records)],
      ["Groups of the log removed", count(done?.cleaned)],
      ["Tables behind", done?.behind?.join(", ") || "none"],
      ["At", time(run.updated_at)],
    ]) : h("p", { class: "quiet" }, "Nothing was folded yet."),
    files.length ? table([["Iceberg table", ([name]) => name], ["Data files", ([, number]) => count(number), "number"]], files, { id: ([name]) => `table-${name}` }) : null);
}

function shares(title, list, id) {
  const columns = [
    ["With", (one) => one.shared_email],
    ["Level", (one) => one.level],
    ["Since", (one) => time(one.created_at)],
    ["Until", (one) => (one.expires_at ? time(one.expires_at) : "it is revoked")],
  ];
  return h("div", {}, h("h3", {}, title), table(columns, list, { empty: "None.", id: (one) => `${id}-${one.id}` }));
}

function folds(list) {
  const columns = [
    ["LSN", (one) => count(one.lsn), "number"],
    ["Records", (one) => (one.records ? count(one.records) : "from Iceberg"), "number"],
    ["Wrote", (one) => (one.made_anew ? "everything" : "what had changed")],
    ["At", (one) => time(one.at)],
  ];
  return h("section", { id: "folds" }, h("h2", {}, "Folds"),
    table(columns, list, { empty: "Nothing was folded yet.", id: (one) => `fold-${one.lsn}-${one.at}` }));
}

async function find(console_) {
  try {
    user = await console_.ask(`/api/v1/admin/users?email=${encodeURIComponent(wanted.trim())}`);
    missing = "";
  } catch (error) {
    [user, missing] = [null, error.message];
  }
  console_.again();
}

function people(console_) {
  const access = (word) => act(console_, async () => {
    await console_.ask(`/api/v1/admin/users/${user.user.id}/${word}`, { method: "POST" });
    await find(console_);
    return word === "disable" ? "The user is disabled, and all their sessions have ended." : "The user is enabled.";
  });
  const search = h("form", { class: "terms", onsubmit: (event) => { event.preventDefault(); find(console_); } },
    h("label", {}, "E-mail address", h("input", { id: "wanted", type: "email", required: true, value: wanted, oninput: (event) => { wanted = event.target.value; } })),
    h("button", { id: "find" }, "Find"));
  const found = user && h("div", { id: "found" },
    h("p", {}, `${user.user.first_name} ${user.user.last_name} `, h("span", { class: "id" }, user.user.id), " ",
      state(user.user.is_active ? "active" : "disabled"), user.user.verified ? "" : " The address is not shown to be theirs yet."),
    user.user.is_active
      ? h("button", { id: "disable", onclick: access("disable") }, "Disable, and end all sessions")
      : h("button", { id: "enable", onclick: access("enable") }, "Enable"),
    shares("Shares", user.shares, "share"), shares("Is shared with", user.shared_with, "seen"));
  return h("section", { id: "people" }, h("h2", {}, "Users"), search, missing ? problem(missing) : null, found);
}

async function newestFold(console_) {
  const { data } = await console_.ask(`/ops/runs?prefix=${FOLD}&limit=1`);
  return data.length ? console_.ask(`/ops/runs/${FOLD}`) : null;
}

export async function show(console_) {
  const [list, run] = await Promise.all([look(), newestFold(console_)]);
  const newest = list[0];
  return [
    newest ? figures([
      ["Users", count(newest.users_count)],
      ["Shares", count(newest.shares_count)],
      ["Users who share", count(newest.users_with_shares)],
      ["LSN", count(newest.lsn)],
    ]) : null,
    instances(list), people(console_), lastFold(run, console_), folds(newest?.folds ?? [])];
}
