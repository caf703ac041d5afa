// What concerns the mails of all agents: whether they go out, the switch that stops them, and those that a person must
// look for.
import { act, count, duration, figures, h, problem, state, table, time } from "/console/dom.js";

const LISTED = 50;

const resolve = (mail, handedOver, console_) => act(console_, async () => {
  await console_.ask(`/api/emails/${mail.id}/resolve`, { method: "POST", body: { handed_over: handedOver } });
});

function stop(console_) {
  const reason = prompt("Stop all mails of all agents. Why?");
  return reason && act(console_, async () => { await console_.ask("/api/followups/stop", { method: "POST", body: { reason } }); })();
}
const goOn = (console_) => act(console_, async () => { await console_.ask("/api/followups/resume", { method: "POST" }); });

export async function operatorSection(console_) {
  const [health, unknown] = await Promise.all([
    fetch("/health/scheduler").then((answer) => answer.json()), // red answers 503, and says as much
    console_.ask(`/api/followups/unknown?limit=${LISTED}`),
  ]);
  const columns = [
    ["Agent", (one) => one.agent],
    ["To", (one) => one.recipient],
    ["Subject", (one) => one.subject],
    ["Message-ID", (one) => h("span", { class: "id" }, one.message_id)],
    ["Provider", (one) => one.provider ?? "–"],
    ["Not repeated for", (one) => one.repeat_refused ?? "–"],
    ["Since", (one) => time(one.sending_at)],
    ["Was it handed over?", (one) => h("span", { class: "actions" },
      h("button", { id: `was-${one.id}`, onclick: resolve(one, true, console_) }, "Yes"),
      h("button", { id: `was-not-${one.id}`, onclick: resolve(one, false, console_) }, "No, send it"))],
  ];
  return h("section", { id: "followups-operator" },
    h("div", { class: "tools" }, health.stopped_at
      ? h("button", { id: "go-on", class: "primary", onclick: goOn(console_) }, "Let all mails go on")
      : h("button", { id: "stop-all", onclick: () => stop(console_) }, "Stop all mails")),
    h("h2", {}, "All agents ", state(health.stopped_at ? "stopped" : health.status)),
    health.reasons?.length ? problem(health.reasons.join("\n")) : null,
    figures([
      ["since the last sweep", duration(health.last_sweep_age_seconds ?? NaN)], ["oldest that is due", duration(health.oldest_due_age_seconds ?? NaN)],
      ["unknown", count(health.unknown)], ["refused requests to webhooks", count(health.bad_signatures)], ["stopped since", time(health.stopped_at)],
    ]),
    h("h3", {}, "Nobody knows whether these were handed over"),
    h("p", { class: "quiet" }, "None is sent again by itself. Look for the Message-ID at the provider or in the relay's log, then say which: what was not handed over goes out with the next sweep, after all checks."),
    table(columns, unknown.data, { empty: "None.", id: (one) => `unknown-${one.id}` }));
}
