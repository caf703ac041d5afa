// The console: a view for each workload, asked again every two seconds while the page is in front.
import { ask, key, Refused } from "/console/api.js";
import { h } from "/console/dom.js";
import * as deployments from "/console/deployments.js";
import * as diamonds from "/console/diamonds.js";
import * as operations from "/console/operations.js";
import * as pricing from "/console/pricing.js";
import * as queues from "/console/queues.js";

const REFRESH_MS = 2000;
const views = {
  diamonds: ["Diamonds", diamonds],
  pricing: ["Pricing", pricing],
  deployments: ["Deployments", deployments],
  queues: ["Queues", queues],
  operations: ["Operations", operations],
};
const main = document.getElementById("view");
const message = document.getElementById("message");
const form = document.getElementById("key-form");

const route = () => {
  const [name, ...rest] = location.hash.slice(1).split("/");
  return views[name] ? [name, rest.map(decodeURIComponent).join("/")] : ["diamonds", ""];
};

function say(text) {
  message.hidden = !text;
  message.textContent = text ?? "";
}

async function health() {
  const place = document.getElementById("health");
  try {
    const answer = await fetch("/health/ready");
    place.className = answer.ok ? "good" : "bad";
    place.textContent = answer.ok ? "ready" : "not ready";
  } catch {
    place.className = "bad";
    place.textContent = "no answer";
  }
}

// Operators may also sign in, where the app says so; otherwise they enter the key.
let signedIn = false, signIn = null;
async function whoIsIt() {
  const { url, signed_in } = await ask("/ops/sign-in").catch(() => ({}));
  signedIn = Boolean(signed_in);
  if (url) signIn = h("p", {}, h("a", { id: "sign-in", href: `${url}?post_login_redirect_uri=/console` }, "Sign in"));
}

let asked = 0, underWay = 0, failed = false;
async function refresh() {
  const [name, rest] = route();
  const tabs = Object.entries(views).map(([id, [title]]) => h("a", { href: `#${id}`, "aria-current": id === name ? "page" : null }, title));
  document.getElementById("tabs").replaceChildren(...tabs);
  const known = signedIn || Boolean(key.get());
  form.hidden = known;
  health();
  if (!known) return main.replaceChildren(h("section", {}, h("p", { class: "empty" }, "Enter the admin key (the setting ADMIN_API_KEY) to see what runs."), signIn));
  const turn = ++asked;
  underWay++;
  try {
    const content = await views[name][1].show({ ask, rest, again: refresh, say });
    if (turn !== asked) return;
    const focused = document.activeElement?.id;
    main.replaceChildren(...content);
    if (focused) document.getElementById(focused)?.focus();
    if (failed) say(null); // what an action has said stays until the next one
    failed = false;
  } catch (error) {
    if (error instanceof Refused) key.forget(), (signedIn = false), (form.hidden = false);
    failed = true;
    say(error.message);
  } finally {
    underWay--;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  key.set(document.getElementById("key").value);
  document.getElementById("key").value = "";
  refresh();
});
window.addEventListener("hashchange", () => { say(null); refresh(); });
const typing = () => main.contains(document.activeElement) && ["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement.tagName);
// Not while the last one is under way: what answers slowly would never be seen.
setInterval(() => { if (!document.hidden && !underWay && !typing()) refresh(); }, REFRESH_MS);
whoIsIt().then(refresh);
