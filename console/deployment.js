// One deployment: its state, its steps, what went wrong, and what can be done about it.
import { act, bar, count, duration, h, problem, state, table } from "/console/dom.js";

const ENDED = ["completed", "failed", "cancelled", "superseded"];
export const readable = (status) => status.replaceAll("_", " ");
export const ended = (one) => ENDED.includes(one.status);
export const address = (url) => (url && /^https?:\/\//.test(url) ? h("a", { href: url, target: "_blank", rel: "noreferrer" }, url) : null);

const post = (path, console_, then = () => null) => act(console_, async () => then(await console_.ask(path, { method: "POST" })));

function buttons(one, organization, console_) {
  if (!console_.may("deploys:write")) return null;
  const path = `/deploy/${encodeURIComponent(one.deploymentId)}`;
  const open = (answer) => { location.hash = `deployments/${encodeURIComponent(organization)}/${answer.newDeploymentId}`; };
  const back = () => confirm("Deploy what this one was made from again, in place of what serves now?") && post(`${path}/rollback`, console_, open)();
  return h("div", { class: "tools" },
    one.status === "completed" ? h("button", { id: "rollback-deployment", onclick: back }, "Roll back to this") : null,
    ended(one) ? null : h("button", { id: "cancel-deployment", disabled: one.cancelRequested, onclick: post(`${path}/cancel`, console_) }, one.cancelRequested ? "Cancelling …" : "Cancel"),
    one.status === "failed" ? h("button", { id: "retry-deployment", onclick: post(`${path}/retry`, console_, open) }, "Retry") : null);
}

function health(app) {
  const restarts = app.restarts ? `, restarted ${count(app.restarts)} times` : "";
  return h("p", { id: "app-health", class: app.healthy ? "" : "error" }, `The app is ${app.healthy ? "healthy" : "not healthy"}${restarts}. ${app.reason ?? ""}`);
}

export function detail(one, organization, console_) {
  const steps = one.currentStep ? [...one.steps, { name: one.currentStep, running: true }] : one.steps;
  const outcome = (step) => (step.running ? "running" : step.success ? "done" : step.error === "cancelled" ? "cancelled" : "failed");
  const more = (step) => (outcome(step) === "failed" && !one.error?.message.includes(step.error) ? step.error : null);
  const columns = [
    ["Step", (step) => step.name],
    ["State", (step) => h("span", {}, state(outcome(step)), more(step) ? h("span", { class: "error" }, more(step)) : null)],
    ["Took", (step) => (step.running ? "…" : duration(step.duration)), "number"],
  ];
  const where = [one.customDomainUrl, one.containerAppUrl].map(address).filter(Boolean);
  return h("section", { id: "deployment" },
    buttons(one, organization, console_),
    h("h2", {}, "Deployment ", h("span", { class: "id" }, one.deploymentId), " ", state(readable(one.status))),
    bar(one.progress, 100, "the whole deployment"),
    where.length ? h("p", {}, where.flatMap((link) => [link, " "])) : null,
    one.runtime ? h("p", { id: "deployment-runtime", class: "quiet" }, ["Run by " + one.runtime, ...one.notes].join(". ")) : null,
    one.app ? health(one.app) : null,
    one.error ? problem(one.error.message, one.error.details, one.error.remedy) : null,
    table(columns, steps, { empty: "Waiting for its turn.", id: (step) => `step-${step.name}` }));
}
