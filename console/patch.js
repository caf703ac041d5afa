// Makes what a place shows what is wanted, and keeps each element that is there already: with it stay the focus, the
// selection, the scroll position, and what was typed. Elements with an id are known by it, others by their place.
//
// An input with a `value`, and a select with a `selected` option, hold what the view says; without, what was typed.
// What is marked `data-own` fills itself.

const HANDLERS = ["onclick", "oninput", "onchange", "onsubmit", "onkeydown"];

export function patch(place, wanted) {
  const ids = new Set(wanted.map((one) => one.id).filter(Boolean));
  const known = new Map([...place.childNodes].filter((one) => one.id).map((one) => [one.id, one]));
  let at = place.firstChild;
  for (const next of wanted) {
    while (at?.id && !ids.has(at.id)) at = drop(at);
    const same = next.id ? known.get(next.id) : at && !at.id ? at : null;
    if (same?.nodeName !== next.nodeName) {
      place.insertBefore(next, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else place.insertBefore(same, at);
    update(same, next);
  }
  while (at) at = drop(at);
}

function drop(node) {
  const following = node.nextSibling;
  node.remove();
  return following;
}

function update(old, next) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.nodeValue !== next.nodeValue) old.nodeValue = next.nodeValue;
    return;
  }
  for (const name of HANDLERS) old[name] = next[name];
  const keeps = (name) => name === "open" && old.tagName === "DETAILS"; // who opened it closes it
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name) && !keeps(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value && !keeps(name)) old.setAttribute(name, value);
  if (next.hasAttribute("data-own") || old.tagName === "TEXTAREA") return;
  if (old.tagName === "INPUT" && next.hasAttribute("value") && old.value !== next.value) old.value = next.value;
  patch(old, [...next.childNodes]);
  if (old.tagName === "SELECT" && next.querySelector("[selected]") && old.value !== next.value) old.value = next.value;
}
