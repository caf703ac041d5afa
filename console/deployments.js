// The projects, the deployments of one organization, and beside them the one that is open with its log.
import { act, bar, count, duration, figures, firstPage, h, pager, query, state, table, time } from "/console/dom.js";
import { deployForm } from "/console/deploy-form.js";
import { detail, ended, readable } from "/console/deployment.js";
import { drawn, logs } from "/console/logs.js";
import { projectVariables } from "/console/variables.js";

const LISTED = 25;
const REMEMBERED = "manifold-organization";
const NAMES_SECONDS = 60;
const chosen = { organization: "", project: "" };
let place = firstPage(), projects = firstPage(), typed = null;
let everywhere = null; // whether an operator sees the projects of all organizations
let names = { read: 0, data: [] };

export { drawn };

const hash = (organization, deployment) => `deployments/${[organization, deployment].filter(Boolean).map(encodeURIComponent).join("/")}`;

// Another list begins at its first page.
function choose(organization, project) {
  if (organization === chosen.organization && project === chosen.project) return;
  if (organization !== chosen.organization && !everywhere) projects = firstPage();
  Object.assign(chosen, { organization, project });
  place = firstPage();
}

// The organizations that can be chosen, which an operator alone does.
async function organizations({ ask, caller }) {
  if (caller.organization || Date.now() - names.read < NAMES_SECONDS * 1000) return;
  const data = [];
  for (let cursor = null; cursor !== undefined && data.length < 1000;) {
    const page = await ask(`/deploy/organizations?${query({ limit: 100, cursor })}`);
    data.push(...page.data);
    cursor = page.pagination.next ?? undefined;
  }
  names = { read: Date.now(), data };
}

function chooser(found, console_) {
  const { caller, again } = console_;
  const all = () => { everywhere = true; projects = firstPage(); again(); };
  const open = (event) => {
    event.preventDefault();
    everywhere = false;
    projects = firstPage();
    choose((typed ?? chosen.organization).trim(), "");
    typed = null;
    location.hash = hash(chosen.organization);
    again();
  };
  const columns = [
    ["Organization", (one) => one.organizationId],
    ["Project", (one) => one.projectId],
    ["Changed", (one) => (one.removing.length ? state("being deleted") : time(one.updatedAt))],
  ];
  const show = (one) => {
    choose(one.organizationId, one.projectId);
    typed = null;
    location.hash = hash(one.organizationId);
    again();
  };
  return h("section", { id: "projects" },
    caller.organization ? null : h("form", { class: "terms", onsubmit: open },
      h("label", {}, "Organization", h("input", { id: "organization", list: "organizations", value: typed ?? chosen.organization, required: true, maxlength: 64, oninput: (event) => { typed = event.target.value; } })),
      h("datalist", { id: "organizations" }, names.data.map((one) => h("option", { value: one }))),
      h("button", { id: "show-organization" }, "Show"),
      everywhere ? null : h("button", { id: "all-organizations", type: "button", onclick: all }, "All organizations")),
    h("h2", {}, "Projects", caller.organization || everywhere ? null : [" of ", h("span", { class: "id" }, chosen.organization)]),
    h("div", { id: "project-list", class: "short" }, table(columns, found.data, {
      empty: "Nothing was deployed yet.",
      open: show,
      selected: (one) => one.organizationId === chosen.organization && one.projectId === chosen.project,
      id: (one) => `project-${one.organizationId}-${one.projectId}`,
    })),
    pager("projects", projects, found.pagination.next, again, ["Back", "More"]));
}

// Which source, in short.
function origin(one) {
  if (one.gitUrl) return [one.gitUrl.replace(/^https:\/\//, ""), one.commitSha?.slice(0, 8)].filter(Boolean).join("@");
  return one.sourceHash ? `source ${one.sourceHash.slice(0, 8)}` : "";
}

// Deletes the chosen project with all that is its, once its name has been typed.
function deletion(console_) {
  const { ask, may } = console_;
  if (!chosen.project || !may("deploys:write")) return null;
  const { organization, project } = chosen;
  const remove = act(console_, async () => {
    const path = `/deploy/project/${encodeURIComponent(project)}?${query({ organizationId: organization })}`;
    if (prompt(`All apps, deployments, logs, variables and sources of ${project} are deleted. Type its name to go on.`) !== project) return null;
    const { message } = await ask(path, { method: "DELETE" });
    choose(organization, "");
    return message;
  });
  return h("button", { id: "delete-project", onclick: remove }, "Delete project");
}

function list(found, open, console_) {
  const { again } = console_;
  const took = (one) => (one.startedAt ? duration((new Date(one.completedAt ?? Date.now()) - new Date(one.startedAt)) / 1000) : "–");
  const columns = [
    ["Project", (one) => h("span", {}, one.projectName, h("span", { class: "quiet under" }, [one.environment, origin(one), `by ${one.userId}`].filter(Boolean).join(", ")))],
    ["State", (one) => h("span", {}, state(readable(one.status)), ended(one) ? null : bar(one.progress, 100, one.deploymentId),
      h("span", { class: "quiet under" }, time(one.createdAt)))],
    ["Took", took, "number"],
  ];
  const numbers = Object.entries(found.counts ?? {}).map(([status, number]) => [readable(status), count(number)]);
  const all = () => { choose(chosen.organization, ""); again(); };
  return h("section", { id: "deployments" },
    h("div", { class: "tools" }, chosen.project ? h("button", { id: "all-projects", onclick: all }, "All projects") : null, deletion(console_)),
    h("h2", {}, "Deployments of ", h("span", { class: "id" }, chosen.project || chosen.organization)),
    numbers.length ? figures(numbers) : null,
    table(columns, found.data, {
      empty: "Nothing was deployed here yet.",
      open: (one) => { location.hash = hash(chosen.organization, one.deploymentId); },
      selected: (one) => one.deploymentId === open,
      id: (one) => `row-${one.deploymentId}`,
      below: (one) => (one.error ? h("span", { class: "error" }, one.error.message) : null),
    }),
    pager("deployments", place, found.pagination.next, again));
}

function listed({ ask }) {
  const given = { limit: LISTED, cursor: place.cursor };
  const organization = encodeURIComponent(chosen.organization);
  if (!chosen.project) return ask(`/status/deployments/${organization}?${query(given)}`);
  return ask(`/deploy/project/${encodeURIComponent(chosen.project)}?${query({ ...given, organizationId: chosen.organization })}`);
}

export async function show(console_) {
  const { ask, caller, may, rest } = console_;
  const [named, open] = rest.split("/");
  const before = caller.organization ?? (named || chosen.organization || sessionStorage.getItem(REMEMBERED) || "");
  everywhere ??= !before;
  if (before !== chosen.organization) choose(before, "");
  const own = caller.organization || everywhere ? null : before;
  const known = await ask(`/deploy/projects?${query({ limit: 50, cursor: projects.cursor, organizationId: own })}`);
  await organizations(console_);
  const organization = before || known.data[0]?.organizationId || "";
  if (organization !== chosen.organization) choose(organization, "");
  if (!organization) return [chooser(known, console_)];
  sessionStorage.setItem(REMEMBERED, organization);
  const found = await listed(console_);
  const wanted = open || found.data[0]?.deploymentId;
  const opened = wanted ? [detail(await ask(`/deploy/${encodeURIComponent(wanted)}/status`), organization, console_), await logs(wanted, console_)] : [];
  return [
    chooser(known, console_),
    may("deploys:write") ? deployForm(organization, console_) : null,
    chosen.project ? await projectVariables(organization, chosen.project, console_) : null,
    h("div", { id: "beside", class: "beside" }, h("div", { id: "left" }, list(found, wanted, console_)), h("div", { id: "right" }, opened)),
  ];
}
