// A deployment's log as far as it was read, and what its app wrote last. Lines are only ever added to what is shown, so
// that what somebody reads, selects or has scrolled to stays where it is.
import { coloured, plain } from "/console/ansi.js";
import { h, problem } from "/console/dom.js";

const PAGES = 8, LINES = 10_000;
const kept = new Map();
let shown = "build";

// Each look asks only for what is new.
async function follow(id, ask) {
  if (!kept.has(id)) kept.set(id, { after: 0, lines: [], left: 0 });
  const log = kept.get(id);
  for (let page = 0; page < PAGES; page++) {
    const found = await ask(`/deploy/${encodeURIComponent(id)}/logs?after=${log.after}`);
    if (!found.lines.length) break;
    if (found.next > log.after) log.lines.push(...found.lines);
    log.after = Math.max(log.after, found.next);
  }
  const over = Math.max(0, log.lines.length - LINES);
  log.lines.splice(0, over);
  log.left += over;
  return log;
}

async function appLog(id, ask) {
  try {
    return (await ask(`/deploy/${encodeURIComponent(id)}/app-log`)).lines;
  } catch (error) {
    return error;
  }
}

export async function logs(id, console_) {
  const log = await follow(id, console_.ask);
  const app = shown === "app" ? await appLog(id, console_.ask) : null;
  const choose = (name) => () => { shown = name; console_.again(); };
  const tab = (name, text) => h("button", { id: `show-${name}-log`, "aria-pressed": String(shown === name), onclick: choose(name) }, text);
  const build = h("pre", { id: "deployment-log", "data-deployment": id, "data-own": true, hidden: shown !== "build", class: "log", tabindex: 0, "aria-label": "Log of the deployment" });
  return h("section", { id: "log" },
    h("div", { class: "tools" }, tab("build", "Build and deployment"), tab("app", "App")),
    h("h2", {}, "Log"),
    shown === "build" && !log.lines.length ? h("p", { class: "empty" }, "Nothing yet.") : null,
    shown === "build" && log.left ? h("p", { class: "quiet" }, `${log.left} earlier lines are not shown.`) : null,
    build,
    app instanceof Error ? problem(app.message) : null,
    Array.isArray(app) ? lastLines(app) : null);
}

function lastLines(lines) {
  if (!lines.length) return h("p", { class: "empty" }, "The app wrote nothing, or does not run.");
  const style = plain();
  return h("pre", { id: "app-log", class: "log", tabindex: 0, "aria-label": "Log of the app" }, lines.map((line) => h("span", {}, coloured(line, style))));
}

// After the page was drawn: the lines that are not shown yet. The end is followed, unless somebody reads further up.
export function drawn() {
  const place = document.getElementById("deployment-log");
  const id = place?.dataset.deployment;
  const log = kept.get(id);
  if (!log) return;
  if (place.filled?.id !== id) {
    place.replaceChildren();
    place.filled = { id, lines: log.left, style: plain() };
  }
  const reads = !place.hidden && place.scrollTop + place.clientHeight < place.scrollHeight - 8;
  const fresh = log.lines.slice(Math.max(0, place.filled.lines - log.left));
  place.append(...fresh.map((line) => h("span", {}, coloured(line, place.filled.style))));
  place.filled.lines = log.left + log.lines.length;
  while (place.childElementCount > LINES) place.firstChild.remove();
  if (!reads) place.scrollTop = place.scrollHeight;
}
