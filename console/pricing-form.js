// One pricing rule being changed or made: its terms, and what the change would do.
import { act, count, figures, h } from "/console/dom.js";

export const RULES = "/api/v2/pricing-rules";
const money = (value) => `$${count(Math.round(value))}`;
export const signed = (value) => `${value < 0 ? "−" : "+"}${money(Math.abs(value))}`;

// What stands in the form outlives the refreshes of the page. `seen` is the rule as it was when editing began.
let draft = null;
let effect = null;

const FIELDS = [
  ["priority", "Priority", { type: "number", required: true }],
  ["carat_min", "Carats from", { type: "number", step: "0.01", min: 0 }],
  ["carat_max", "Carats to", { type: "number", step: "0.01", min: 0 }],
  ["shapes", "Shapes", { placeholder: "every shape" }],
  ["lab_grown", "Origin", [["", "any"], ["false", "natural"], ["true", "lab-grown"]]],
  ["feed", "Feed", { placeholder: "every feed" }],
  ["markup_ratio", "Retail ÷ supplier's price", { type: "number", step: "0.0001", min: 0.0001, max: 9.9999, required: true }],
  ["rating", "Rating", { type: "number", min: 1, max: 10 }],
  ["active", "Active", [["true", "yes"], ["false", "no"]]],
];

export const edited = (rule) => rule.id === draft?.seen?.id;

export const edit = (rule) => {
  const text = ([name]) => [name, name === "shapes" ? (rule?.shapes ?? []).join(", ") : String(rule?.[name] ?? "")];
  draft = { seen: rule, values: { ...Object.fromEntries(FIELDS.map(text)), ...(rule ? {} : { priority: "100", active: "true" }) } };
  effect = null;
};

export const close = () => { draft = effect = null; };

function terms() {
  const given = Object.entries(draft.values).filter(([, text]) => text.trim() !== "");
  return Object.fromEntries(given.map(([name, text]) => {
    if (name === "shapes") return [name, text.split(",").map((shape) => shape.trim()).filter(Boolean)];
    if (name === "lab_grown" || name === "active") return [name, text === "true"];
    return [name, name === "feed" ? text.trim() : Number(text)];
  }));
}

const rule = () => `${RULES}/${draft.seen.id}`;
const headers = () => ({ "If-Match": `"${draft.seen.revision}"` });

const preview = (console_, removed) => act(console_, async () => {
  const id = draft.seen ? { rule_id: draft.seen.id } : {};
  effect = { removed, of: await console_.ask(`${RULES}/preview`, { method: "POST", body: removed ? id : { ...id, rule: terms() } }) };
});

const save = (console_) => act(console_, async () => {
  if (draft.seen) await console_.ask(rule(), { method: "PUT", body: terms(), headers: headers() });
  else await console_.ask(RULES, { method: "POST", body: terms() });
  draft = effect = null;
});

const remove = (console_) => act(console_, async () => {
  await console_.ask(rule(), { method: "DELETE", headers: headers() });
  draft = effect = null;
});

function input([name, label, kind]) {
  const value = draft.values[name], id = `rule-${name}`;
  const changed = (event) => { draft.values[name] = event.target.value; effect = null; };
  const field = Array.isArray(kind)
    ? h("select", { id, onchange: changed }, kind.map(([key, text]) => h("option", { value: key, selected: key === value }, text)))
    : h("input", { id, value, oninput: changed, ...kind });
  return h("label", { for: id }, label, field);
}

function outcome() {
  if (!effect) return h("p", { class: "quiet" }, "Look at what the change would do before you make it. Diamonds keep their prices until they are re-priced or read again.");
  const { diamonds, fitting, changed, value_before, value_after, difference } = effect.of;
  return h("div", { id: "effect" },
    h("h3", {}, effect.removed ? "If the rule were deleted, and all re-priced" : "If it were so, and all re-priced"),
    figures([
      ["diamonds on offer", count(diamonds)], ["would have this rule", count(fitting)], ["would change", count(changed)],
      ["their value now", money(value_before)], ["then", money(value_after)], ["difference", signed(difference)],
    ]));
}

export function form(console_) {
  if (!draft) return null;
  const seen = draft.seen;
  return h("section", { id: "rule" },
    h("h2", {}, seen ? `Rule ${seen.id}` : "New rule"),
    h("form", { id: "rule-form", class: "terms", onsubmit: save(console_) },
      FIELDS.map(input),
      h("div", { class: "actions" },
        h("button", { type: "button", id: "rule-preview", onclick: preview(console_, false) }, "Preview"),
        h("button", { id: "rule-save", class: "primary" }, seen ? "Change" : "Add"),
        seen ? h("button", { type: "button", id: "rule-preview-delete", onclick: preview(console_, true) }, "Preview deletion") : null,
        seen && effect?.removed ? h("button", { type: "button", id: "rule-delete", onclick: remove(console_) }, "Delete") : null,
        h("button", { type: "button", id: "rule-close", onclick: act(console_, close) }, "Close"))),
    outcome());
}
