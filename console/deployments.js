// The deployments of one organization, and the steps and the log of the one that is open.
import { bar, count, duration, figures, h, state, table, time } from "/console/dom.js";

const LISTED = 50, LINES = 400, PAGES = 8;
const REMEMBERED = "manifold-organization";
const ended = (one) => ["completed", "failed", "cancelled"].includes(one.status);
const address = (url) => (url && /^https?:\/\//.test(url) ? h("a", { href: url, target: "_blank", rel: "noreferrer" }, url) : null);
const words = (status) => status.replaceAll("_", " ");

// The log as far as it was read: each look asks only for what is new.
const log = { id: null, after: 0, lines: [] };
async function follow(id, ask) {
  if (log.id !== id) Object.assign(log, { id, after: 0, lines: [] });
  for (let page = 0; page < PAGES; page++) {
    const found = await ask(`/deploy/${encodeURIComponent(id)}/logs?after=${log.after}`);
    if (!found.lines.length || log.id !== id) break;
    log.lines = [...log.lines, ...found.lines].slice(-LINES);
    log.after = found.next;
  }
  return log.lines;
}

// Each look draws the element anew: the end is followed, unless somebody has scrolled up to read.
function tail(id, lines) {
  const before = document.getElementById("deployment-log");
  const reads = before?.dataset.deployment === id && before.scrollTop + before.clientHeight < before.scrollHeight - 8;
  const at = before?.scrollTop;
  const shown = h("pre", { id: "deployment-log", "data-deployment": id, tabindex: 0, "aria-label": "Log" }, lines.join("\n"));
  requestAnimationFrame(() => { shown.scrollTop = reads ? at : shown.scrollHeight; });
  return shown;
}

async function order(path, { ask, again, say }, then) {
  try {
    const answer = await ask(path, { method: "POST" });
    then?.(answer);
    again();
  } catch (error) {
    say(error.message);
  }
}

function chooser(organization) {
  const open = (event) => {
    event.preventDefault();
    document.activeElement?.blur();
    location.hash = `deployments/${encodeURIComponent(document.getElementById("organization").value.trim())}`;
  };
  return h("section", {},
    h("form", { class: "terms", onsubmit: open },
      h("label", {}, "Organization", h("input", { id: "organization", value: organization, required: true, maxlength: 64 })),
      h("button", { id: "show-organization" }, "Show")));
}

function list(organization, found, open) {
  const columns = [
    ["Created", (one) => time(one.createdAt)],
    ["Project", (one) => one.projectName],
    ["Environment", (one) => one.environment],
    ["State", (one) => state(words(one.status))],
    ["Progress", (one) => bar(one.progress, 100, one.deploymentId)],
    ["Took", (one) => (one.startedAt ? duration((new Date(one.completedAt ?? Date.now()) - new Date(one.startedAt)) / 1000) : "–"), "number"],
    ["Address", (one) => address(one.customDomainUrl ?? one.containerAppUrl) ?? "–"],
    ["Error", (one) => h("span", { class: "error" }, one.error?.code ?? "")],
  ];
  const numbers = Object.entries(found.counts).map(([status, number]) => [words(status), count(number)]);
  return h("section", {},
    h("h2", {}, "Deployments of ", h("span", { class: "id" }, organization)),
    numbers.length ? figures(numbers) : null,
    table(columns, found.data, {
      empty: "Nothing was deployed for this organization yet.",
      open: (one) => { location.hash = `deployments/${encodeURIComponent(organization)}/${one.deploymentId}`; },
      selected: (one) => one.deploymentId === open,
      id: (one) => `row-${one.deploymentId}`,
    }));
}

function health(app) {
  const restarts = app.restarts ? `, restarted ${count(app.restarts)} times` : "";
  return h("p", { class: app.healthy ? "" : "error" }, `The app is ${app.healthy ? "healthy" : "not healthy"}${restarts}. ${app.reason ?? ""}`);
}

function detail(one, lines, organization, console_) {
  const path = `/deploy/${encodeURIComponent(one.deploymentId)}`;
  const steps = one.currentStep ? [...one.steps, { name: one.currentStep, running: true }] : one.steps;
  const outcome = (step) => (step.running ? "running" : step.success ? "done" : step.error === "cancelled" ? "cancelled" : "failed");
  const more = (step) => (outcome(step) === "failed" && !one.error?.message.includes(step.error) ? step.error : null);
  const columns = [
    ["Step", (step) => step.name],
    ["State", (step) => state(outcome(step))],
    ["Took", (step) => (step.running ? "…" : duration(step.duration)), "number"],
    ...(steps.some(more) ? [["Error", (step) => h("span", { class: "error" }, more(step) ?? "")]] : []),
  ];
  const where = address(one.customDomainUrl ?? one.containerAppUrl);
  const retried = (answer) => { location.hash = `deployments/${encodeURIComponent(organization)}/${answer.newDeploymentId}`; };
  const buttons = [
    ended(one) ? null : h("button", { id: "cancel-deployment", disabled: one.cancelRequested, onclick: () => order(`${path}/cancel`, console_) }, one.cancelRequested ? "Cancelling …" : "Cancel"),
    one.status === "failed" ? h("button", { id: "retry-deployment", onclick: () => order(`${path}/retry`, console_, retried) }, "Retry") : null,
  ];
  return [
    h("section", {},
      h("div", { class: "tools" }, buttons),
      h("h2", {}, "Deployment ", h("span", { class: "id" }, one.deploymentId), " ", state(words(one.status))),
      bar(one.progress, 100, "the whole deployment"),
      where ? h("p", {}, where) : null,
      one.app ? health(one.app) : null,
      one.error ? h("p", { class: "error" }, one.error.message, " ", one.error.details ?? "") : null,
      table(columns, steps, { empty: "Waiting for its turn." })),
    h("section", {}, h("h2", {}, "Log"),
      lines.length ? tail(one.deploymentId, lines) : h("p", { class: "empty" }, "Nothing yet.")),
  ];
}

export async function show(console_) {
  const [asked, open] = console_.rest.split("/");
  const organization = asked || sessionStorage.getItem(REMEMBERED) || "";
  if (!organization) return [chooser("")];
  sessionStorage.setItem(REMEMBERED, organization);
  const found = await console_.ask(`/status/deployments/${encodeURIComponent(organization)}?limit=${LISTED}`);
  const wanted = open || found.data[0]?.deploymentId;
  const shown = wanted ? detail(await console_.ask(`/deploy/${encodeURIComponent(wanted)}/status`), await follow(wanted, console_.ask), organization, console_) : [];
  return [chooser(organization), list(organization, found, wanted), ...shown];
}
