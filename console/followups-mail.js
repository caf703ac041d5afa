// One mail: read it, and while it is held, change it, send it to oneself, approve or cancel it.
import { act, h, problem, state, time } from "/console/dom.js";
import { asAgent } from "/console/agent.js";

let draft = null; // of the mail that is open: what its agent has typed

const path = (mail, more = "") => `/api/emails/${mail.id}${more}`;
const changed = (mail) => draft.subject !== mail.subject || draft.body !== mail.body;

async function save(mail) {
  const { problems } = await asAgent(path(mail), { method: "PATCH", body: { subject: draft.subject, body: draft.body } });
  return problems;
}

const saved = (mail, console_) => act(console_, async () => {
  const problems = await save(mail);
  return problems.length ? `It is saved. A text that nobody read would be held for this: ${problems.join("; ")}.` : "It is saved.";
});

// What is on the page is what goes out.
const approve = (mail, close, console_) => act(console_, async () => {
  if (changed(mail)) await save(mail);
  await asAgent(path(mail, "/approve"), { method: "POST" });
  close();
});

const toMyself = (mail, console_) => act(console_, async () => {
  if (changed(mail)) await save(mail);
  const { kind, text } = await asAgent(path(mail, "/test"), { method: "POST" });
  return kind === "accepted" ? "It was sent to your own address." : `It was not sent: ${text ?? kind}`;
});

const cancel = (mail, close, console_) => () => confirm("Cancel this mail? Its step is not sent any more.")
  && act(console_, async () => {
    await asAgent(path(mail), { method: "DELETE" });
    close();
  })();

function editor(mail, close, console_) {
  if (draft?.id !== mail.id) draft = { id: mail.id, subject: mail.subject ?? "", body: mail.body ?? "" };
  const typed = (name) => (event) => { draft[name] = event.target.value; };
  return h("form", { id: `edit-${mail.id}`, class: "terms", onsubmit: approve(mail, close, console_) },
    h("label", { class: "wide" }, "Subject", h("input", { id: `mail-subject-${mail.id}`, class: "whole", required: true, maxlength: 200, value: draft.subject, oninput: typed("subject") })),
    h("label", { class: "wide" }, "Text", h("textarea", { id: `mail-body-${mail.id}`, rows: 12, required: true, oninput: typed("body") }, draft.body)),
    h("div", { class: "actions" },
      h("button", { id: "mail-approve", class: "primary" }, "Approve"),
      h("button", { type: "button", id: "mail-save", onclick: saved(mail, console_) }, "Save"),
      h("button", { type: "button", id: "mail-test", onclick: toMyself(mail, console_) }, "Send to myself"),
      h("button", { type: "button", id: "mail-cancel", onclick: cancel(mail, close, console_) }, "Cancel the mail")));
}

const allowAgain = (client, console_) => () => {
  const reason = prompt(`${client.email} has unsubscribed from your mails. How did the client agree to be written to again?`);
  return reason && act(console_, async () => { await asAgent(`/api/clients/${client.id}/allow-again`, { method: "POST", body: { reason } }); })();
};

const UNKNOWN = "Nobody knows whether this mail was handed over, so it is not sent again by itself. Whoever runs the app looks for its Message-ID at the provider or in the relay's log, and says which.";

export function mailSection(mail, client, close, console_) {
  const held = mail.state === "held";
  const facts = [
    ["to", mail.to ?? "–"], ["written", time(mail.created_at)], ["sent", time(mail.sent_at)], ["delivery", mail.delivery],
    ["engagement", mail.engagement], ["Message-ID", h("span", { class: "id" }, mail.message_id ?? "–")],
  ];
  return h("section", { id: `mail-${mail.id}`, class: held ? "held" : null },
    h("div", { class: "tools" }, h("button", { id: "mail-close", onclick: close }, "Close"),
      client?.email_unsubscribed ? h("button", { id: "allow-again", onclick: allowAgain(client, console_) }, "Write to the client again") : null),
    h("h2", {}, `${mail.subject || "Not written yet"} `, state(mail.state)),
    held ? problem(`Held for: ${mail.hold_reason}`) : null,
    mail.state === "unknown" ? problem(UNKNOWN) : null,
    mail.error_message && mail.state !== "sent" ? problem(mail.error_message) : null,
    held ? editor(mail, close, console_) : h("pre", { class: "letter" }, mail.body ?? ""),
    mail.footer ? h("pre", { class: "letter quiet" }, `-- \n${mail.footer}`) : null,
    h("dl", { class: "facts" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
}

export function replySection(reply, close) {
  if (!reply) return null;
  return h("section", { id: `reply-${reply.id}` },
    h("div", { class: "tools" }, h("button", { id: "reply-close", onclick: close }, "Close")),
    h("h2", {}, reply.subject || "Without a subject"),
    h("p", { class: "quiet" }, `${reply.from}, `, time(reply.received_at), ". The client's remaining steps have ended."),
    h("pre", { class: "letter" }, reply.body));
}
