// Starts the map page: who asks, which map there is, whether it can be drawn here; then brings its points.
import { ask, enter, key, Refused } from "/console/api.js";
import { h } from "/console/dom.js";
import * as data from "/console/map/data.js";
import { loadAdditions, loadAll } from "/console/map/loading.js";
import { Page } from "/console/map/page.js";
import { Renderer } from "/console/map/renderer.js";

const LOOK_MS = 60_000; // how often it is asked whether papers or a version came
const at = (id) => document.getElementById(id);
let page = null;

// `about` lets what comes next of the same kind take the text away.
function say(text, act = null, about = "") {
  at("message").hidden = !text;
  at("message").dataset.about = about;
  at("message-text").textContent = text ?? "";
  at("message-act").replaceChildren(...(act ? [act] : []));
}

function unsay(about) {
  if (at("message").dataset.about === about) say(null);
}

// Instead of the map: a text, and what to do about it.
function instead(text, ...remedy) {
  at("instead").hidden = false;
  at("instead").replaceChildren(h("p", {}, text), ...remedy);
}

function refused(error) {
  key.forget();
  askForKey(error?.message ?? "");
}

async function askForKey(refusal) {
  const { url } = await ask("/ops/sign-in").catch(() => ({}));
  const field = h("input", { id: "key", type: "password", autocomplete: "new-password", required: true });
  const entered = async (event) => {
    event.preventDefault();
    try {
      await enter(field.value.trim());
    } catch (error) {
      return askForKey(error.message);
    }
    at("instead").hidden = true;
    return start();
  };
  instead("The map is for those with a key that may read papers: the operator's, or a client's.",
    h("form", { onsubmit: entered, autocomplete: "off" }, h("label", {}, "Key ", field), h("button", { class: "primary" }, "Open the map")),
    refusal ? h("p", { class: "error" }, refusal) : "",
    url ? h("p", {}, h("a", { href: `${url}?post_login_redirect_uri=/console/map.html` }, "Sign in")) : "");
  field.focus();
}

const again = (act) => h("button", { id: "again", onclick: act }, "Try again");

async function start() {
  if (page) return bring();
  const renderer = Renderer.on(at("map"));
  if (!renderer) {
    return instead("This browser draws no WebGL 2, which the map is made with. Turn on hardware acceleration in its settings, or use a current Firefox, Chrome, Edge or Safari.",
      h("p", {}, "Without the map, papers are found on ", h("a", { href: "/console#papers" }, "the page of papers"), "."));
  }
  try {
    page = new Page(await data.current(), renderer, { say, unsay, refused });
  } catch (error) {
    if (error instanceof Refused) return refused(key.get() ? error : null);
    return instead(error.message, again(() => { at("instead").hidden = true; start(); }));
  }
  at("tools").inert = false;
  page.frames.move();
  await bring();
  setInterval(look, LOOK_MS);
}

async function bring() {
  try {
    await loadAll(page);
    say(null);
    page.canvas.dataset.loaded = page.points.count;
  } catch (error) {
    if (error instanceof Refused) return refused(error);
    return say(`The map is not whole: ${error.message}`, again(bring));
  }
  await page.restore();
}

// New papers are drawn at once; a new version is offered, since it may lie a little differently.
async function look() {
  if (document.hidden || !page.whole) return;
  await page.trying(async () => {
    const now = await data.current();
    if (now.points.href !== page.map.points.href) say(`There is a new version of the map: ${now.version}.`, h("button", { onclick: () => location.reload() }, "Show it"));
    else if (now.papers + now.additions > page.points.count) {
      await loadAdditions(page);
      page.frames.move(); // points are as wide as their number lets them be
    }
  }, "news");
}

if (matchMedia("(max-width: 45rem)").matches) at("more").open = false; // where there is little room
at("message-close").addEventListener("click", () => say(null));
start();
