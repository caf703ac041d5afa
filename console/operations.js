// Every orchestration of the app, the newest first, and the steps of the one that is open.
import { act, bar, count, duration, firstPage, h, pager, problem, query, state, table, time } from "/console/dom.js";

const LISTED = 50;
const STATES = ["Running", "Pending", "Completed", "Failed", "Terminated", "Suspended"];
const wanted = { name: "", prefix: "", status: "" };
let place = firstPage();

const isOpen = (run) => ["Running", "Pending", "Suspended"].includes(run.status);
const progress = (run) => {
  const said = run.progress;
  if (!said) return "";
  return h("span", {}, `${said.phase ?? ""} `, said.total && isOpen(run) ? bar(said.done, said.total, said.phase) : null);
};

const terminate = (id, console_) => () => confirm(`Terminate ${id}? Steps that already run go on to their end.`)
  && act(console_, () => console_.ask(`/ops/runs/${encodeURIComponent(id)}/terminate`, { method: "POST", body: { reason: "Terminated from the console." } }))();

function detail(run, console_) {
  const columns = [
    ["Step", (step) => step.name],
    ["Completed", (step) => count(step.completed), "number"],
    ["Failed attempts", (step) => count(step.failed), "number"],
    ["Open", (step) => count(step.open), "number"],
    ["Longest", (step) => duration(step.longest_seconds), "number"],
  ];
  return h("section", { id: "run-detail" },
    h("div", { class: "tools" },
      isOpen(run) ? h("button", { id: "terminate", onclick: terminate(run.id, console_) }, "Terminate") : null,
      h("button", { id: "close-run", onclick: () => { location.hash = "operations"; } }, "Close")),
    h("h2", {}, `${run.name} `, h("span", { class: "id" }, run.id), " ", state(run.status)),
    run.error ? problem(run.error.message, run.error.remedy) : null,
    h("p", { class: "quiet" }, `${count(run.events)} events in its history. `, progress(run)),
    table(columns, run.steps, { empty: "No step yet." }));
}

function search({ again }) {
  const typed = (name) => (event) => {
    wanted[name] = event.target.value.trim();
    place = firstPage();
  };
  const field = (name, label) => h("label", {}, label,
    h("input", { id: `find-${name}`, type: "search", maxlength: 100, value: wanted[name], oninput: typed(name), onchange: again }));
  const options = ["", ...STATES].map((one) => h("option", { value: one, selected: one === wanted.status }, one.toLowerCase() || "any"));
  return h("form", { id: "run-search", class: "terms", role: "search", onsubmit: (event) => event.preventDefault() },
    field("name", "Orchestration begins with"), field("prefix", "Instance begins with"),
    h("label", {}, "State", h("select", { id: "find-status", onchange: (event) => { typed("status")(event); again(); } }, options)));
}

export async function show(console_) {
  const { data, pagination } = await console_.ask(`/ops/runs?${query({ ...wanted, order: "newest", limit: LISTED, cursor: place.cursor })}`);
  const open = console_.rest;
  const columns = [
    ["Orchestration", (run) => run.name],
    ["Instance", (run) => h("span", { class: "id" }, run.id)],
    ["State", (run) => h("span", {}, state(run.status), run.error ? h("span", { class: "error" }, run.error.message) : null)],
    ["Progress", progress],
    ["Started", (run) => time(run.created_at)],
    ["Took", (run) => duration(run.seconds), "number"],
  ];
  const all = h("section", { id: "runs" }, h("h2", {}, "Orchestrations, newest first"), search(console_),
    table(columns, data, {
      empty: Object.values(wanted).some(Boolean) ? "None fits." : "None yet.",
      open: (run) => { location.hash = `operations/${encodeURIComponent(run.id)}`; },
      selected: (run) => run.id === open,
      id: (run) => `instance-${run.id}`,
    }),
    pager("runs", place, pagination.next, console_.again));
  return [open ? detail(await console_.ask(`/ops/runs/${encodeURIComponent(open)}`), console_) : null, all];
}
