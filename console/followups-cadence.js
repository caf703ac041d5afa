// The steps that new clients get: an agent's own, or everybody's, and a form to change them.
import { act, h, state } from "/console/dom.js";

const PRIORITIES = ["high", "medium", "low"];
let draft = null; // what was typed; null: nothing yet

const copied = (steps) => steps.map(({ followup_type, days, priority }) => ({ followup_type, days: String(days), priority }));

function row(step, index, change, console_) {
  const typed = (name) => (event) => { change()[index][name] = event.target.value; };
  const drop = () => { change().splice(index, 1); console_.again(); };
  const of = (what) => `${what} of step ${index + 1}`;
  return h("tr", { id: `step-${index}` },
    h("td", { "data-title": "Step" }, h("input", { id: `step-name-${index}`, "aria-label": of("Name"), required: true, maxlength: 100, value: step.followup_type, oninput: typed("followup_type") })),
    h("td", { "data-title": "Days after the client is entered" }, h("input", { id: `step-days-${index}`, "aria-label": of("Days"), type: "number", min: 0, max: 3650, required: true, value: step.days, oninput: typed("days") })),
    h("td", { "data-title": "Priority" }, h("select", { id: `step-priority-${index}`, "aria-label": of("Priority"), onchange: typed("priority") },
      PRIORITIES.map((one) => h("option", { value: one, selected: one === step.priority }, one)))),
    h("td", {}, h("button", { type: "button", id: `step-drop-${index}`, "aria-label": `Remove step ${index + 1}`, onclick: drop }, "Remove")));
}

// `save` is given all steps; `giveUp` gives everybody's back, where there is something to give up.
export function cadenceSection({ own, steps }, { title, save, giveUp }, console_) {
  const shown = draft ?? copied(steps);
  const change = () => (draft ??= shown);
  const saved = act(console_, async () => {
    await save({ steps: shown.map((step) => ({ ...step, days: Number(step.days) })) });
    draft = null;
    return "It is saved. New clients get these steps; what is planned stays.";
  });
  const add = () => { change().push({ followup_type: "", days: String(Number(shown.at(-1)?.days ?? 0) + 30), priority: "low" }); console_.again(); };
  const back = act(console_, async () => { await giveUp(); draft = null; });
  return h("section", { id: "cadence" },
    h("div", { class: "tools" }, own && giveUp ? h("button", { id: "cadence-give-up", onclick: back }, "Use everybody's again") : null),
    h("h2", {}, `${title} `, state(own ? "own" : "everybody's")),
    h("form", { id: "cadence-form", onsubmit: saved },
      h("table", {}, h("thead", {}, h("tr", {}, ["Step", "Days", "Priority", ""].map((one) => h("th", { scope: "col" }, one)))),
        h("tbody", {}, shown.map((step, index) => row(step, index, change, console_)))),
      h("p", { class: "actions" },
        h("button", { type: "button", id: "step-add", onclick: add }, "Add a step"),
        h("button", { id: "cadence-save", class: "primary" }, "Save"),
        draft ? h("button", { type: "button", id: "cadence-forget", onclick: () => { draft = null; console_.again(); } }, "Forget the changes") : null)));
}
