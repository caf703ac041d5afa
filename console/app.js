// The console: a view for each subject, asked again every few seconds while the page is in front. A key sees the views
// that it has the permission for.
import { ask, enter, key, Refused, whoami } from "/console/api.js";
import { h } from "/console/dom.js";
import { patch } from "/console/patch.js";
import * as accounts from "/console/accounts.js";
import * as deployments from "/console/deployments.js";
import * as diamonds from "/console/diamonds.js";
import * as followups from "/console/followups.js";
import * as operations from "/console/operations.js";
import * as papers from "/console/papers.js";
import * as pricing from "/console/pricing.js";
import * as queues from "/console/queues.js";
import * as stones from "/console/stones.js";
import * as trades from "/console/trades.js";

const OPERATOR_MS = 2000, CLIENT_MS = 5000; // a client's requests are counted
const LATE_MS = 300;
const views = {
  diamonds: ["Diamonds", diamonds, "diamonds:run"],
  stones: ["Stones", stones, "diamonds:read"],
  trades: ["Trades", trades, "diamonds:run"],
  pricing: ["Pricing", pricing, "diamonds:pricing"],
  deployments: ["Deployments", deployments, "deploys:read"],
  followups: ["Follow-ups", followups, null], // agents sign in there, with a password of their own
  accounts: ["Accounts", accounts, "*"],
  papers: ["Papers", papers, "papers:read"],
  queues: ["Queues", queues, "*"],
  operations: ["Operations", operations, "*"],
};
const at = (id) => document.getElementById(id);
const main = at("view"), form = at("key-form");

let caller = null; // who sits here and what they may do, once the app has said it
let signedIn = false, signIn = null; // operators may also sign in, where the app says so
const may = (permission) => Boolean(caller?.permissions.some((one) => one === permission || one === "*"));
const allowed = () => Object.keys(views).filter((name) => views[name][2] === null || may(views[name][2]));

const route = () => {
  const [name, ...rest] = location.hash.slice(1).split("/");
  const shown = allowed();
  return shown.includes(name) ? [name, rest.map(decodeURIComponent).join("/")] : [shown.find((one) => views[one][2]), ""];
};

function say(text) {
  at("message").hidden = !text;
  at("message-text").textContent = text ?? "";
}

async function health() {
  const place = at("health");
  try {
    const answer = await fetch("/health/ready");
    place.className = answer.ok ? "good" : "bad";
    place.textContent = answer.ok ? "ready" : "not ready";
  } catch {
    place.className = "bad";
    place.textContent = "no answer";
  }
}

function frame(name) {
  const tabs = allowed().map((id) => h("a", { id: `tab-${id}`, href: `#${id}`, "aria-current": id === name ? "page" : null }, views[id][0]));
  patch(at("tabs"), tabs);
  form.hidden = Boolean(caller);
  at("leave").hidden = !key.get();
  at("leave").textContent = caller ? `Forget the key of ${caller.name}` : "";
}

function empty(text) {
  main.dataset.view = "";
  main.replaceChildren(h("section", {}, h("p", { class: "empty" }, text), caller ? null : signIn));
}

async function whoIsIt() {
  const { url, signed_in } = await ask("/ops/sign-in").catch(() => ({}));
  signedIn = Boolean(signed_in);
  if (url) signIn = h("p", {}, h("a", { id: "sign-in", href: `${url}?post_login_redirect_uri=/console` }, "Sign in"));
}

let turns = 0, underWay = 0, failed = false;
async function refresh() {
  health();
  const turn = ++turns;
  underWay++;
  let late;
  try {
    if (!caller && (signedIn || key.get())) caller = await whoami();
    if (turn !== turns) return;
    const [name, rest] = route();
    frame(name);
    if (!caller && !name) return empty("Enter a key to see what runs: the operator's (the setting ADMIN_API_KEY), or a client's for its part. Agents of the follow-ups sign in on their page.");
    if (!name) return empty(`No page of the console is for the permissions of ${caller.name}: ${caller.permissions.join(", ") || "none"}.`);
    const [, view] = views[name];
    // What another page shows must not stand under this one's name for long.
    if (main.dataset.view !== name) late = setTimeout(() => turn === turns && empty("This page is being read."), LATE_MS);
    const content = (await view.show({ ask, rest, again: refresh, say, may, caller })).filter(Boolean);
    if (turn !== turns) return;
    if (main.dataset.view === name) patch(main, content);
    else {
      main.dataset.view = name;
      main.replaceChildren(...content);
    }
    view.drawn?.();
    if (failed) say(null); // what an action has said stays until the next one
    failed = false;
  } catch (error) {
    if (turn !== turns) return;
    if (error instanceof Refused) leave();
    else if (main.dataset.view !== route()[0]) empty("This page could not be read.");
    failed = true;
    say(error.message);
  } finally {
    clearTimeout(late);
    underWay--;
  }
}

function leave() {
  key.forget();
  caller = null;
  signedIn = false;
  frame();
  empty("Enter a key to see what runs.");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { value } = at("key");
  at("key").value = "";
  try {
    caller = await enter(value.trim());
    say(null);
  } catch (error) {
    return say(error.message);
  }
  refresh();
});
at("leave").addEventListener("click", () => { turns++; say(null); leave(); at("key").focus(); });
at("message-close").addEventListener("click", () => say(null));
window.addEventListener("hashchange", () => { say(null); refresh(); });

// Not while the last one is under way: what answers slowly would never be seen.
function later() {
  setTimeout(async () => {
    if (!document.hidden && !underWay) await refresh();
    later();
  }, may("*") || !caller ? OPERATOR_MS : CLIENT_MS);
}
whoIsIt().then(refresh).then(later);
