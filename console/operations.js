// Every orchestration of the app, and the steps of the one that is open.
import { bar, count, duration, h, state, table, time } from "/console/dom.js";

const progress = (run) => {
  const said = run.progress;
  if (!said) return "";
  return h("span", {}, `${said.phase} `, said.total ? bar(said.done, said.total, said.phase) : null);
};

async function stop(id, { ask, again, say }) {
  if (!confirm(`Stop ${id}? Steps that already run go on to their end.`)) return;
  try {
    await ask(`/ops/runs/${encodeURIComponent(id)}/terminate`, { method: "POST", body: { reason: "Stopped from the console." } });
    again();
  } catch (error) {
    say(error.message);
  }
}

function detail(run, console_) {
  const columns = [
    ["Step", (step) => step.name],
    ["Completed", (step) => count(step.completed), "number"],
    ["Failed attempts", (step) => count(step.failed), "number"],
    ["Open", (step) => count(step.open), "number"],
    ["Longest", (step) => duration(step.longest_seconds), "number"],
  ];
  const running = ["Running", "Pending", "Suspended"].includes(run.status);
  return h("section", {},
    h("div", { class: "tools" }, running ? h("button", { id: "stop", onclick: () => stop(run.id, console_) }, "Stop") : null),
    h("h2", {}, `${run.name} `, h("span", { class: "id" }, run.id), " ", state(run.status)),
    run.error ? h("p", { class: "error" }, run.error.message, " ", run.error.remedy ?? "") : null,
    h("p", { class: "quiet" }, `${count(run.events)} events in its history. `, progress(run)),
    table(columns, run.steps, { empty: "No step yet." }));
}

export async function show(console_) {
  const list = (await console_.ask("/ops/runs?limit=100")).data;
  list.sort((a, b) => b.created_at.localeCompare(a.created_at));
  const open = console_.rest;
  const columns = [
    ["Orchestration", (run) => run.name],
    ["Instance", (run) => h("span", { class: "id" }, run.id)],
    ["State", (run) => state(run.status)],
    ["Progress", progress],
    ["Started", (run) => time(run.created_at)],
    ["Took", (run) => duration(run.seconds), "number"],
    ["Error", (run) => h("span", { class: "error" }, run.error?.message ?? "")],
  ];
  const all = h("section", {}, h("h2", {}, "Orchestrations"), table(columns, list, {
    empty: "None yet.",
    open: (run) => { location.hash = `operations/${encodeURIComponent(run.id)}`; },
    selected: (run) => run.id === open,
  }));
  return open ? [detail(await console_.ask(`/ops/runs/${encodeURIComponent(open)}`), console_), all] : [all];
}
