// The panel beside the map: a list of papers, and one of them whole.
import { count, h } from "/console/dom.js";
import * as data from "/console/map/data.js";

const AUTHORS = 12;

export class Panel {
  point = null; // of the paper that is open
  list = null; // { title, papers, more, tools }: what the panel shows when no paper is open
  shown = null;

  constructor(page, place) {
    [this.page, this.place] = [page, place];
  }

  show(...content) {
    this.place.replaceChildren(h("button", { class: "close", id: "close", "aria-label": "Close the panel", onclick: () => this.page.escape() }, "×"), ...content.flat().filter(Boolean));
    this.place.hidden = false;
    this.place.scrollTop = 0;
  }

  showList(list) {
    this.list = list;
    if (!list) return this.shown || this.close();
    this.leave();
    this.redraw();
  }

  redraw() {
    const { title, notes = [], papers, tools = [], more } = this.list;
    const item = (one) => h("li", {}, h("button", { class: "paper", "data-paper": one.doctrove_paper_id, onclick: () => this.open(one.doctrove_paper_id) },
      h("strong", {}, one.doctrove_title), h("span", { class: "quiet" }, this.line(one))));
    this.show(h("h2", {}, title), notes.map((text) => h("p", { class: "quiet" }, text)), tools,
      papers.length ? h("ol", { id: "papers" }, papers.map(item)) : h("p", { class: "empty" }, "No paper is here."),
      more && h("button", { id: "more", onclick: more }, "Show more"));
  }

  line(one) {
    const [first, ...others] = one.doctrove_authors ?? [];
    const who = first && (others.length ? `${first} and ${count(others.length)} more` : first);
    return [who, one.doctrove_primary_date?.slice(0, 4), one.doctrove_source].filter(Boolean).join(" · ");
  }

  async openPoint(point) {
    await this.page.trying(async () => {
      const [one] = await data.papersOf(this.page.map.version, [point.number]);
      if (!one) throw new Error("The paper of this point is not in the table any more; the next version of the map leaves it out.");
      await this.open(one.doctrove_paper_id, point);
    });
  }

  // Opens the paper, and its point if it is known; else the map moves to where it lies.
  async open(id, point = null) {
    this.wanted = id;
    await this.page.trying(async () => {
      const [found, [place]] = await Promise.all([data.paper(id), point ? [point] : data.places(this.page.map.version, [id])]);
      if (this.wanted !== id) return;
      const at = point ?? (place && this.page.points.read(place.point));
      this.point = at ?? (place ? this.placeOf(place) : null);
      [this.shown, this.page.state.paper] = [found, id];
      if (!point && this.point) this.page.comeTo(this.point);
      this.showPaper(found);
      this.page.changed();
      this.page.outline.draw();
    });
  }

  placeOf({ x, y }) {
    const [left, up] = this.page.camera.fromMap(x, y);
    return { x: left, y: up };
  }

  showPaper({ paper, same_work }) {
    const out = (href, text) => h("a", { href, rel: "noreferrer", target: "_blank" }, text);
    const { doctrove_authors: authors = [] } = paper, more = authors.length - AUTHORS;
    const links = [
      /^https?:/.test(paper.doctrove_links ?? "") && out(paper.doctrove_links, "Open the paper"),
      paper.arxiv_id && out(`https://arxiv.org/pdf/${encodeURI(paper.arxiv_id)}`, "PDF"),
      paper.doi && out(`https://doi.org/${encodeURI(paper.doi)}`, "DOI"),
    ].filter(Boolean);
    this.show(
      this.list && h("button", { id: "back", onclick: () => { this.leave(); this.redraw(); this.page.changed(); } }, `← ${this.list.title}`),
      h("article", {}, h("h2", {}, paper.doctrove_title), paper.withdrawn && h("p", { class: "error" }, "It was withdrawn."),
        h("p", {}, authors.slice(0, AUTHORS).join(", ") + (more > 0 ? ` and ${count(more)} more` : "")),
        h("p", { class: "quiet" }, [paper.doctrove_primary_date ?? "no date", `${paper.doctrove_source} ${paper.doctrove_source_id}`, (paper.categories ?? []).join(" ")].filter(Boolean).join(" · ")),
        !this.point && h("p", { class: "quiet" }, "It has no place on this map yet."),
        h("p", { class: "actions" }, h("button", { id: "similar", class: "primary", onclick: () => this.page.finding.similarTo(paper.doctrove_paper_id) }, "Similar papers"),
          this.point && h("button", { id: "centre", onclick: () => this.page.flyTo(this.point.x, this.point.y, Math.max(8, this.page.camera.zoom)) }, "Where it lies")),
        links.length ? h("p", { class: "actions" }, links) : null,
        h("p", { class: "abstract" }, paper.doctrove_abstract ?? "It has no abstract."),
        same_work?.length ? h("p", { class: "quiet" }, `The same work: ${same_work.map((one) => `${one.source ?? ""} ${one.source_id ?? ""}`.trim()).join(", ")}`) : null));
  }

  leave() {
    [this.shown, this.point, this.page.state.paper, this.wanted] = [null, null, "", null];
    this.page.outline.draw();
  }

  close() {
    this.leave();
    this.place.hidden = true;
    this.place.replaceChildren();
  }
}
