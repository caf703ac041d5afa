// An agent's follow-ups: what goes out, what is held, what nobody knows about, and what clients answer. Agents sign in
// here with their own password; operators see what concerns all agents.
import { act, count, figures, firstPage, h, pager, query, state, table, time } from "/console/dom.js";
import { asAgent, listedAsAgent, signedIn, signIn, signOut } from "/console/agent.js";
import { cadenceSection } from "/console/followups-cadence.js";
import { mailSection, replySection } from "/console/followups-mail.js";
import { operatorSection } from "/console/followups-operator.js";

const LISTED = 50;
let place = firstPage(), shown = "";

const kept = (one) => (one.reason ? h("span", { class: one.state === "held" ? "error" : "quiet" }, one.reason) : "");
const planned = [
  ["Client", (one) => one.client],
  ["Step", (one) => one.followup_type],
  ["Goes out", (one) => time(one.scheduled_for)],
  ["State", (one) => state(one.state ?? "planned")],
  ["Why not, or moved", kept],
];
const to = ["To", (one) => one.to ?? "–"];
const subject = ["Subject", (one) => one.subject || "–"];
const LISTS = {
  today: { title: "Due today", empty: "Nothing more goes out today.", columns: planned },
  tomorrow: { title: "Due tomorrow", empty: "Nothing goes out tomorrow.", columns: planned },
  held: { title: "Held", empty: "No mail waits for you.", columns: [to, subject, ["Held for", (one) => h("span", { class: "error" }, one.hold_reason)], ["Since", (one) => time(one.updated_at)]] },
  unknown: { title: "Unknown", empty: "Of every mail it is known whether it was handed over.", columns: [to, subject, ["Message-ID", (one) => h("span", { class: "id" }, one.message_id)], ["Why", (one) => one.error_message ?? one.error_code ?? "–"]] },
  unsent: { title: "Not sent", empty: "Every step that has ended was sent.", columns: [["Client", (one) => one.client], ["Step", (one) => one.followup_type], ["Was due", (one) => time(one.scheduled_for)], ["Ended", (one) => time(one.ended_at)], ["State", (one) => state(one.status)], ["Why", (one) => h("span", { class: "error" }, [one.reason, one.error_code].filter(Boolean).join(": "))]] },
  sent: { title: "Sent", empty: "No mail was sent yet.", columns: [to, subject, ["Sent", (one) => time(one.sent_at)], ["State", (one) => state(one.status)]] },
  todo: { title: "To do", empty: "Nothing waits to be done by you.", columns: [["What", (one) => one.notes || one.followup_type], ["Client", (one) => `#${one.client_id}`], ["Since", (one) => time(one.scheduled_for)], ["", (one) => h("button", { id: `done-${one.id}`, onclick: one.done }, "Done")]] },
  replies: { title: "Replies", empty: "No client has answered yet.", columns: [["From", (one) => one.from], subject, ["Came", (one) => time(one.received_at)]] },
};
const DAYS = ["today", "tomorrow"];
const TASKS = [...DAYS, "unsent"]; // lists of tasks, which may have a mail
const CADENCE = "cadence", TODO = "todo"; // what an agent itself has to do, such as to answer

async function read(list) {
  const paged = { limit: LISTED, cursor: place.cursor };
  if (list === CADENCE) return asAgent("/api/cadence");
  if (DAYS.includes(list)) return asAgent(`/api/tasks/agenda?${query({ day: list, ...paged })}`);
  if (list === TODO) return listedAsAgent(`/api/tasks?${query({ status: "pending", channel: "agent", ...paged })}`);
  if (list === "unsent") return asAgent(`/api/tasks/not-sent?${query(paged)}`);
  return list === "replies" ? asAgent(`/api/replies?${query(paged)}`) : listedAsAgent(`/api/emails?${query({ state: list, ...paged })}`);
}

const why = (one, console_) => act(console_, async () => {
  const { reason, until } = await asAgent(`/api/tasks/${one.task_id}/why`);
  return `The mail to ${one.client} was not sent: ${reason}${until ? `, until ${new Date(until).toLocaleString("en-GB")}` : ""}.`;
})();

const finish = (one, console_) => act(console_, async () => {
  await asAgent(`/api/tasks/${one.id}`, { method: "PATCH", body: { status: "completed" } });
});

function listSection(list, { data: found, pagination }, open, console_) {
  const data = list === TODO ? found.map((one) => ({ ...one, done: finish(one, console_) })) : found;
  const { title, empty, columns } = LISTS[list];
  const opens = (one) => (TASKS.includes(list) ? one.email_id : one.id);
  return h("section", { id: "followup-list" }, h("h2", {}, title),
    table(columns, data, {
      empty,
      open: list === TODO ? null : (one) => { if (opens(one)) location.hash = `followups/${list}/${opens(one)}`; else why(one, console_); },
      selected: (one) => String(opens(one)) === open,
      id: (one) => `${list}-${one.id ?? one.task_id}`,
    }),
    pager("followups", place, pagination?.next, console_.again, DAYS.includes(list) ? ["Earlier", "Later"] : ["Newer", "Older"]));
}

const MINE = {
  title: "What new clients get",
  save: (body) => asAgent("/api/cadence", { method: "PUT", body }),
  giveUp: () => asAgent("/api/cadence", { method: "DELETE" }),
};

function overview(list, me, stats, agenda, console_) {
  const counts = { today: agenda.due_today, tomorrow: agenda.due_tomorrow, held: stats.emails_held, unknown: stats.emails_unknown };
  const tab = (name) => h("button", { id: `list-${name}`, "aria-pressed": String(name === list), onclick: () => { location.hash = `followups/${name}`; } },
    LISTS[name]?.title ?? "Cadence", counts[name] === undefined ? "" : ` ${count(counts[name])}`);
  const pause = (verb) => act(console_, async () => { await asAgent(`/api/agents/me/${verb}`, { method: "POST" }); });
  return h("section", { id: "agent" },
    h("div", { class: "tools" },
      me.paused_at ? h("button", { id: "agent-resume", class: "primary", onclick: pause("resume") }, "Let my mails go on") : h("button", { id: "agent-pause", onclick: pause("pause") }, "Hold all my mails back"),
      h("button", { id: "agent-leave", onclick: act(console_, signOut) }, "Sign out")),
    h("h2", {}, `Follow-ups of ${me.name} `, me.paused_at ? state("held") : null),
    figures([
      ["due today", count(agenda.due_today)], ["due tomorrow", count(agenda.due_tomorrow)], ["sent today", count(stats.emails_sent_today)],
      ["held", count(stats.emails_held)], ["unknown", count(stats.emails_unknown)], ["failed", count(stats.emails_failed)], ["came back", count(stats.emails_bounced)],
    ]),
    h("p", { class: "actions", role: "group", "aria-label": "Lists" }, [...Object.keys(LISTS), CADENCE].map(tab)));
}

function signInSection(console_) {
  const given = (id) => document.getElementById(id);
  const enter = act(console_, async () => {
    const [email, password] = [given("agent-email"), given("agent-password")];
    await signIn(email.value.trim(), password.value);
    password.value = "";
  });
  return h("section", { id: "agent-sign-in" }, h("h2", {}, "Sign in as an agent"),
    h("form", { id: "agent-form", class: "terms", onsubmit: enter },
      h("label", {}, "E-mail", h("input", { id: "agent-email", type: "email", autocomplete: "username", required: true })),
      h("label", {}, "Password", h("input", { id: "agent-password", type: "password", autocomplete: "current-password", required: true })),
      h("button", { id: "agent-enter", class: "primary" }, "Sign in")));
}

async function mailOf(number, close, console_) {
  const mail = await asAgent(`/api/emails/${encodeURIComponent(number)}`);
  const client = await asAgent(`/api/clients/${mail.client_id}`).catch(() => null); // it may have been deleted
  return mailSection(mail, client, close, console_);
}

async function mine(console_) {
  const [named, open] = console_.rest.split("/");
  const list = LISTS[named] || named === CADENCE ? named : "today";
  if (list !== shown) [shown, place] = [list, firstPage()];
  const [me, stats, agenda, found] = await Promise.all([
    asAgent("/api/agents/me"), asAgent("/api/dashboard/stats"), asAgent("/api/tasks/agenda?limit=1"), read(list),
  ]);
  const close = () => { location.hash = `followups/${list}`; };
  const opened = !open || list === CADENCE ? null : list === "replies" ? replySection(found.data.find((one) => String(one.id) === open), close)
    : await mailOf(open, close, console_);
  const listed = list === CADENCE ? cadenceSection(found, MINE, console_) : listSection(list, found, open, console_);
  return [overview(list, me, stats, agenda, console_), opened, listed];
}

export async function show(console_) {
  const agents = signedIn() ? await mine(console_) : [signInSection(console_)];
  return [...agents, console_.may("*") ? await operatorSection(console_) : null];
}
