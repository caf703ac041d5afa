// Deploys what is given: an archive, the address of a repository, or the project's newest source.
import { h } from "/console/dom.js";

const VARIABLE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

// A text of NAME=value lines, as .env files have; comments and empty lines are left out.
function variables(text) {
  const found = {};
  for (const line of text.split("\n").filter((one) => one.trim() && !one.trim().startsWith("#"))) {
    const named = VARIABLE.exec(line);
    if (!named) throw new Error(`A variable is written NAME=value. Line ${text.split("\n").indexOf(line) + 1} is not.`);
    found[named[1]] = named[2].trim().replace(/^(["'])(.*)\1$/, "$2");
  }
  return found;
}

async function deploy(form, organization, { ask, caller, say }) {
  const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => typeof value === "string" && value.trim() !== ""));
  const file = form.elements.archive.files[0];
  if (file && given.gitUrl) throw new Error("Give an archive or an address, not both.");
  const { envVariables, plainVariables, ...rest } = given;
  const body = { organizationId: organization, userId: caller.name, ...rest, projectName: given.projectName ?? given.projectId };
  if (given.healthSeconds) body.healthSeconds = Number(given.healthSeconds);
  if (envVariables) body.envVariables = variables(envVariables);
  if (plainVariables) body.plainVariables = plainVariables.split(/[\s,]+/).filter(Boolean);
  if (file) {
    say(`${file.name} is being sent …`);
    const path = `/deploy/project/${encodeURIComponent(given.projectId)}/source?organizationId=${encodeURIComponent(organization)}`;
    body.sourceHash = (await ask(path, { method: "PUT", bytes: file })).sourceHash;
  }
  return (await ask("/deploy", { method: "POST", body })).deploymentId;
}

export function deployForm(organization, console_) {
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const button = document.getElementById("deploy-start");
    button.disabled = true;
    try {
      const started = await deploy(form, organization, console_);
      form.reset();
      document.getElementById("deploy").open = false;
      console_.say(null);
      location.hash = `deployments/${encodeURIComponent(organization)}/${started}`;
    } catch (error) {
      console_.say(error.message);
    } finally {
      button.disabled = false;
    }
  };
  const field = (name, label, more = {}) => h("label", {}, label, h("input", { name, id: `deploy-${name}`, ...more }));
  return h("details", { id: "deploy", class: "card" },
    h("summary", {}, "Deploy something"),
    h("form", { id: "deploy-form", class: "terms", onsubmit: submit },
      field("projectId", "Project", { required: true, maxlength: 64, pattern: "[A-Za-z0-9_\\-]+", title: "letters, digits, - and _" }),
      field("projectName", "Name", { maxlength: 128, placeholder: "as the project" }),
      field("archive", "Archive, .zip or .tar.gz", { type: "file", accept: ".zip,.tgz,.gz" }),
      field("gitUrl", "or address of a repository", { type: "url", placeholder: "https://github.com/…" }),
      field("gitToken", "Token of a private one", { type: "password", autocomplete: "off", minlength: 8 }),
      field("gitUser", "Whose token", { placeholder: "only where the host asks", pattern: "[A-Za-z0-9._@+\\-]{1,100}", title: "letters, digits and . _ @ + -" }),
      field("branch", "Branch or tag", { placeholder: "main" }),
      field("commitSha", "or commit", { placeholder: "the branch's newest", pattern: "[0-9a-f]{40}", title: "40 hexadecimal digits" }),
      h("label", {}, "Environment", h("select", { name: "environment", id: "deploy-environment" },
        ["development", "staging", "production"].map((one) => h("option", { value: one }, one)))),
      field("buildCommand", "Build command", { placeholder: "as detected" }),
      field("startCommand", "Start command", { placeholder: "as detected" }),
      field("rootDirectory", "Folder of the source", { placeholder: "its root" }),
      field("healthPath", "Health path", { placeholder: "/health or /", pattern: "/.*" }),
      field("healthSeconds", "Seconds to become healthy", { type: "number", min: 10, max: 600, placeholder: "the platform's" }),
      field("customDomain", "Domain", { placeholder: "none" }),
      field("plainVariables", "Variables that are no secrets", { placeholder: "LOG_LEVEL, NODE_ENV" }),
      h("label", { class: "wide" }, "Variables, NAME=value, one a line; kept as secrets",
        h("textarea", { name: "envVariables", id: "deploy-envVariables", rows: 3, spellcheck: "false", autocomplete: "off" })),
      h("button", { id: "deploy-start", class: "primary" }, "Deploy")),
    h("p", { class: "quiet" }, "With neither archive nor address, the project's newest uploaded source is deployed."));
}
