// What the page asks the server for.
import { ask, send } from "/console/api.js";
import { query } from "/console/dom.js";

const MAP = "/api/papers/map";
export const MOST_EXPORTED = 50_000, MOST_AT_ONCE = 200;
const FIELDS = "doctrove_paper_id,doctrove_title,doctrove_authors,doctrove_primary_date,doctrove_source";

export const current = () => ask(MAP);
export const file = (href, signal) => send(href, { signal });
export const additions = (version, after) => send(`${MAP}/${version}/additions?${query({ after })}`);
export const paper = (id) => ask(`/api/papers/${id}`);
export const similar = (id, filters) => ask(`/api/papers/${id}/similar?${query({ filters, limit: 20 })}`);
export const search = (written, filters) => ask(`/api/papers?${query({ search_text: written, filters, limit: 50 })}`);

export async function matches(version, { filters, written }) {
  const answer = await send(`${MAP}/${version}/matches?${query({ filters, search_text: written })}`);
  return new Uint32Array(await answer.arrayBuffer());
}

export async function papersOf(version, numbers) {
  const { papers } = await ask(`${MAP}/${version}/papers?${query({ points: [...numbers].slice(0, MOST_AT_ONCE).join(","), fields: FIELDS })}`);
  return papers;
}

export async function places(version, ids) {
  if (!ids.length) return [];
  return (await ask(`${MAP}/${version}/places?${query({ papers: ids.slice(0, MOST_AT_ONCE).join(",") })}`)).places;
}

export async function exported(version, numbers, format) {
  const answer = await send(`${MAP}/${version}/export`, { method: "POST", body: { points: [...numbers], format } });
  return answer.blob();
}
