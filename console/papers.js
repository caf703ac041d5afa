// Papers: a search box, the files that were taken in with what was rejected, and the models whose vectors there are.
import { act, bar, count, figures, firstPage, h, pager, problem, query, state, table, time } from "/console/dom.js";

const asked = { written: "", filters: "" };
const page = firstPage();
let found = null, refusal = "", open = "", searches = 0;

async function search(console_) {
  const number = ++searches;
  let answer;
  try {
    answer = [await console_.ask(`/api/papers?${query({ search_text: asked.written.trim(), filters: asked.filters.trim(), limit: 20 })}`), ""];
  } catch (error) {
    answer = [null, error.message];
  }
  if (number !== searches) return; // something else was asked for meanwhile
  [found, refusal] = answer;
  console_.again();
}

function searching(console_) {
  const typed = (name) => (event) => { asked[name] = event.target.value; };
  const form = h("form", { class: "terms", onsubmit: (event) => { event.preventDefault(); search(console_); } },
    h("label", { class: "wide" }, "Words, a sentence, a DOI or an arXiv id", h("input", { id: "written", class: "whole", value: asked.written, maxlength: 2000, oninput: typed("written") })),
    h("label", { class: "wide" }, "Only", h("input", { id: "filters", class: "whole", value: asked.filters, maxlength: 2000, placeholder: "year >= 2020 and category in (cs.LG, stat.ML)", oninput: typed("filters") })),
    h("button", { id: "search" }, "Search"));
  const columns = [
    ["Likeness", (one) => (one.similarity === undefined ? "–" : one.similarity.toFixed(2)), "number"],
    ["Title", (one) => (one.doctrove_links ? h("a", { href: one.doctrove_links, rel: "noreferrer", target: "_blank" }, one.doctrove_title) : one.doctrove_title)],
    ["Authors", (one) => one.doctrove_authors.slice(0, 3).join(", ") + (one.doctrove_authors.length > 3 ? ` and ${one.doctrove_authors.length - 3} more` : "")],
    ["Date", (one) => one.doctrove_primary_date ?? "–"],
    ["Source", (one) => `${one.doctrove_source} ${one.doctrove_source_id}`],
  ];
  const told = found && h("p", { class: "quiet", id: "told" },
    `${found.total_count_estimated ? "about " : ""}${count(found.total_count)} papers may be found; found by ${found.plan.join(" and ")} in ${Math.round(found.execution_time_ms)} ms. `,
    found.warnings.join(" "));
  return h("section", { id: "searching" }, h("div", { class: "tools" }, h("a", { id: "to-map", href: "/console/map.html" }, "Map of papers")), h("h2", {}, "Find papers"), form, refusal ? problem(refusal) : null, told,
    found && table(columns, found.results, { empty: "No paper is found.", id: (one) => `paper-${one.doctrove_paper_id}` }));
}

function sources(list) {
  const columns = [
    ["Source", (one) => one.source],
    ["Papers", (one) => count(one.papers), "number"],
    ["From", (one) => one.earliest ?? "–"],
    ["To", (one) => one.latest ?? "–"],
    ["Without abstract", (one) => count(one.without_abstract), "number"],
    ["Withdrawn", (one) => count(one.withdrawn), "number"],
  ];
  return h("section", { id: "sources" }, h("h2", {}, "Sources"), table(columns, list, { empty: "No paper was taken in yet." }));
}

function heldBox(one, console_) {
  const decide = (word, said) => act(console_, async () => {
    await console_.ask(`/api/papers/ingests/${one.ingest_id}/${word}`, { method: "POST" });
    return said;
  });
  return h("div", { class: "held" }, h("p", {}, "It is held back:"), h("ul", {}, one.held_because.map((reason) => h("li", {}, reason))),
    h("button", { id: "release", onclick: decide("release", "It is merged as it is.") }, "Let it in as it is"), " ",
    h("button", { id: "discard", onclick: decide("discard", "It is given up.") }, "Give it up"));
}

function opened(one, rejects, console_) {
  const columns = [
    ["Line", (row) => count(row.line), "number"],
    ["Reason", (row) => row.reason],
    ["Record", (row) => h("code", {}, row.record.slice(0, 200))],
  ];
  return h("section", { id: "ingest" }, h("h2", {}, one.blob, " ", state(one.state)),
    figures([
      ["Read", count(one.records)], ["Rejected", count(one.rejected)], ["New", count(one.added)],
      ["Changed", count(one.changed)], ["Known already", count(one.unchanged)], ["Started by", one.started_by],
    ]),
    one.error ? problem(one.error) : null,
    one.state === "held" ? heldBox(one, console_) : null,
    one.rejected ? h("h3", {}, "Rejected records") : null,
    one.rejected ? table(columns, rejects.data) : null,
    rejects.pagination.next ? h("p", { class: "quiet" }, `These are the first; all are in the file rejects/${one.ingest_id}.jsonl of the papers' container.`) : null);
}

function ingests(list, console_) {
  const columns = [
    ["File", (one) => one.blob],
    ["State", (one) => state(one.state)],
    ["Parts", (one) => (one.ended_at ? count(one.parts) : bar(one.parts_read, one.parts, "parts read")), "number"],
    ["Records", (one) => count(one.records), "number"],
    ["Rejected", (one) => count(one.rejected), "number"],
    ["New", (one) => count(one.added), "number"],
    ["Started", (one) => time(one.started_at)],
  ];
  const choose = (one) => { open = open === one.ingest_id ? "" : one.ingest_id; console_.again(); };
  return h("section", { id: "ingests" }, h("h2", {}, "Files taken in"),
    table(columns, list.data, { empty: "No file was taken in yet: see docs/papers.md.", open: choose, selected: (one) => one.ingest_id === open, id: (one) => `ingest-${one.ingest_id}` }),
    pager("ingests", page, list.pagination.next, console_.again));
}

const refusedColumns = [
  ["Paper", (one) => `${one.source} ${one.source_id}`],
  ["Title", (one) => one.title],
  ["Reason", (one) => one.reason],
  ["Times", (one) => count(one.refusals), "number"],
  ["Tried again", (one) => (one.failed ? state("failed") : time(one.asked_again_at))],
];

function models(list, refused, console_) {
  const start = act(console_, async () => {
    await console_.ask("/api/papers/enrich", { method: "POST" });
    return "Papers without a vector get one now.";
  });
  const retry = act(console_, async () => {
    await console_.ask("/api/papers/enrich?retry=true", { method: "POST" });
    return "Texts that were refused are tried again now.";
  });
  const release = act(console_, async () => {
    await console_.ask("/api/papers/models/release", { method: "POST" });
    return "The model is searched as it is.";
  });
  const back = act(console_, async () => {
    await console_.ask("/api/papers/models/roll-back", { method: "POST" });
    return "The model before is searched again.";
  });
  const columns = [
    ["Model", (one) => `${one.name} ${one.version}`],
    ["State", (one) => [state(one.held_because && one.state === "building" ? "held" : one.state), one.problem ?? one.held_because ? h("p", { class: "quiet" }, one.problem ?? one.held_because) : null]],
    ["Embedded", (one) => count(one.texts), "number"],
    ["Waiting", (one) => count(one.waiting), "number"],
    ["Refused", (one) => count(one.refused), "number"],
    ["Failed", (one) => count(one.failed), "number"],
    ["Index", (one) => one.index],
    ["Agrees with the one before", (one) => (one.overlap === null ? "–" : `${Math.round(one.overlap * 100)} %`), "number"],
    ["Tokens", (one) => count(one.tokens), "number"],
    ["Cost", (one) => `$${one.dollars.toFixed(2)}`, "number"],
  ];
  return h("section", { id: "models" },
    h("div", { class: "tools" }, h("button", { id: "enrich", onclick: start }, "Compute vectors now"),
      refused.length ? h("button", { id: "retry", onclick: retry }, "Try refused texts again") : null,
      list.some((one) => one.state === "building" && one.held_because) ? h("button", { id: "release-model", onclick: release }, "Search the held model as it is") : null,
      list.some((one) => one.state === "previous" || one.discarded) ? h("button", { id: "roll-back", onclick: back }, "Search the model before again") : null),
    h("h2", {}, "Vectors"), table(columns, list, { empty: "No paper has a vector yet.", id: (one) => `model-${one.model_id}` }),
    refused.length ? h("h3", {}, "Refused texts") : null,
    refused.length ? table(refusedColumns, refused, { id: (one) => `refused-${one.paper_id}` }) : null);
}

export async function show(console_) {
  const has = (permission) => console_.may(permission);
  const [known, files, versions] = await Promise.all([
    console_.ask("/api/sources"),
    has("papers:ingest") ? console_.ask(`/api/papers/ingests?${query({ limit: 10, cursor: page.cursor })}`) : null,
    has("papers:enrich") ? console_.ask("/api/papers/models") : null,
  ]);
  const refusing = (versions?.models ?? []).filter((one) => one.refused || one.failed);
  const refused = await Promise.all(refusing.map((one) => console_.ask(`/api/papers/models/${one.model_id}/refused?limit=20`)));
  let one = null;
  if (open && files) {
    const at = `/api/papers/ingests/${open}`;
    one = opened(...(await Promise.all([console_.ask(at), console_.ask(`${at}/rejects?limit=20`)])), console_);
  }
  return [searching(console_), sources(known.sources), files && ingests(files, console_), one, versions && models(versions.models, refused.flatMap((one) => one.data), console_)];
}
