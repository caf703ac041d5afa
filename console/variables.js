// The variables of a project, which its later deployments are given: shown without secrets, set and deleted.
import { act, h, query, table } from "/console/dom.js";

const at = (organization, project, name) =>
  `/deploy/project/${encodeURIComponent(project)}/variables${name ? `/${encodeURIComponent(name)}` : ""}?${query({ organizationId: organization })}`;

export async function projectVariables(organization, project, console_) {
  const { ask, may } = console_;
  const found = await ask(at(organization, project));
  const remove = (one) => act(console_, () => ask(at(organization, project, one.name), { method: "DELETE" }).then(() => `${one.name} is deleted.`));
  const set = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { name, value, plain } = form.elements;
    const body = { variables: { [name.value]: value.value }, plainVariables: plain.checked ? [name.value] : [] };
    await act(console_, async () => {
      await ask(at(organization, project), { method: "PUT", body });
      form.reset();
      return `${body.plainVariables[0] ?? Object.keys(body.variables)[0]} is set, for later deployments.`;
    })();
  };
  const columns = [
    ["Name", (one) => one.name],
    ["Value", (one) => one.value],
    ["", (one) => (may("deploys:write") ? h("button", { id: `delete-variable-${one.name}`, onclick: remove(one) }, "Delete") : null)],
  ];
  return h("details", { id: "variables", class: "card" },
    h("summary", {}, `Variables of ${project}`),
    table(columns, found.variables, { empty: "It has none.", id: (one) => `variable-${one.name}` }),
    may("deploys:write") ? h("form", { id: "variable-form", class: "terms", onsubmit: set },
      h("label", {}, "Name", h("input", { name: "name", id: "variable-name", required: true, maxlength: 128, pattern: "[A-Za-z_][A-Za-z0-9_]*" })),
      h("label", {}, "Value", h("input", { name: "value", id: "variable-value", autocomplete: "off" })),
      h("label", {}, "No secret", h("input", { name: "plain", id: "variable-plain", type: "checkbox" })),
      h("button", { id: "variable-set" }, "Set")) : null);
}
