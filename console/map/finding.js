// What narrows the map or marks papers on it: the filter, the search, similar papers, a choice by lasso; and what the
// panel lists of it.
import { count, h } from "/console/dom.js";
import * as data from "/console/map/data.js";

const FORMATS = [["csv", "CSV"], ["parquet", "Parquet"], ["ris", "RIS"], ["bibtex", "BibTeX"]];
const SHOWN = 50;

export class Finding {
  constructor(page) {
    this.page = page;
    this.turns = { filtered: 0, found: 0, chosen: 0 };
  }

  // Does it, or says why not, unless the same was asked for anew meanwhile.
  async latest(name, what) {
    const turn = ++this.turns[name];
    await this.page.trying(async () => {
      let found;
      try {
        found = await what();
      } catch (error) {
        if (turn === this.turns[name]) throw error;
        return;
      }
      if (turn === this.turns[name]) await found();
    });
  }

  async filter(filters) {
    const { page } = this;
    await this.latest("filtered", async () => {
      const numbers = filters ? await data.matches(page.map.version, { filters }) : null;
      return async () => {
        page.state.filters = filters;
        page.layers.set("filtered", numbers);
        page.controls.count();
        page.changed();
        if (page.state.written) await this.search(page.state.written);
        if (page.state.lasso) await this.choose(page.state.lasso);
      };
    });
  }

  // Marks what is found, and lists the best. One hit alone, such as of a DOI, is opened.
  async search(written) {
    const { page } = this, { filters } = page.state;
    await this.latest("found", async () => {
      if (!written) return () => this.forget();
      const [numbers, found] = await Promise.all([data.matches(page.map.version, { filters, written }), data.search(written, filters)]);
      return async () => {
        [page.state.written, page.state.similar] = [written, ""];
        page.layers.set("found", numbers);
        page.panel.showList({
          title: `Found: ${written}`, papers: found.results,
          notes: [`${count(numbers.length)} are marked on the map, the nearest come first here.`, ...found.warnings],
        });
        page.changed();
        if (found.plan.includes("identifier") && found.results.length === 1) await page.panel.open(found.results[0].doctrove_paper_id);
      };
    });
  }

  async similarTo(id) {
    const { page } = this;
    await this.latest("found", async () => {
      const [{ paper }, found] = await Promise.all([data.paper(id), data.similar(id, page.state.filters)]);
      const places = await data.places(page.map.version, found.results.map((one) => one.doctrove_paper_id));
      return () => {
        [page.state.similar, page.state.written] = [id, ""];
        page.controls.fill();
        page.layers.set("found", Uint32Array.from(places.map((one) => one.point)));
        page.panel.showList({
          title: `Similar to: ${paper.doctrove_title}`, papers: found.results,
          notes: [`${count(places.length)} are marked on the map, the nearest come first here.`, ...found.warnings],
        });
        page.changed();
      };
    });
  }

  forget() {
    const { page } = this;
    [page.state.written, page.state.similar] = ["", ""];
    page.layers.set("found", null);
    page.controls.fill();
    page.panel.showList(null);
    page.changed();
  }

  // The points inside the polygon, of those that are shown.
  async choose(polygon) {
    const { page } = this;
    page.state.lasso = polygon;
    const numbers = page.points.inside(polygon, page.layers.shown);
    page.layers.set("chosen", numbers);
    page.outline.draw();
    page.changed();
    await this.latest("chosen", async () => {
      const papers = numbers.length ? await data.papersOf(page.map.version, numbers.slice(0, SHOWN)) : [];
      return () => this.listChosen(numbers, papers);
    });
  }

  listChosen(numbers, papers) {
    const { page } = this, many = numbers.length > data.MOST_EXPORTED;
    const list = { title: `${count(numbers.length)} papers chosen`, papers, tools: this.exports(numbers) };
    if (many) list.notes = [`A file holds at most ${count(data.MOST_EXPORTED)} papers: choose fewer, or narrow them by a filter or by years.`];
    const next = papers.length && numbers.length > papers.length;
    if (next) list.more = () => page.trying(async () => {
      const further = await data.papersOf(page.map.version, numbers.slice(papers.length, papers.length + SHOWN));
      this.listChosen(numbers, [...papers, ...further]);
    });
    page.panel.showList(list);
  }

  exports(numbers) {
    const disabled = !numbers.length || numbers.length > data.MOST_EXPORTED;
    return h("p", { class: "actions" }, FORMATS.map(([format, name]) => h("button", { id: `export-${format}`, disabled, onclick: () => this.export(numbers, format) }, name)),
      h("button", { id: "unchoose", onclick: () => this.unchoose() }, "Give up the choice"));
  }

  async export(numbers, format) {
    await this.page.trying(async () => {
      const href = URL.createObjectURL(await data.exported(this.page.map.version, numbers, format));
      h("a", { href, download: `papers-map.${format === "bibtex" ? "bib" : format}` }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60_000);
    });
  }

  unchoose() {
    const { page } = this;
    this.turns.chosen++;
    page.state.lasso = null;
    page.layers.set("chosen", null);
    page.panel.showList(null);
    page.outline.draw();
    page.changed();
  }
}
