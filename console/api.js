// Asks the app with the key of whoever sits here, or as who is signed in. The key lives in this tab only and is gone when
// it closes.

export class Refused extends Error {}

const KEY = "manifold-key", HEADER = "manifold-key-header";
export const key = {
  get: () => sessionStorage.getItem(KEY),
  forget: () => sessionStorage.clear(),
};

// What the key may do. A client's key begins with mf_; an operator's may, too, and is tried second.
export async function enter(value) {
  const headers = value.startsWith("mf_") ? ["X-API-Key", "X-Admin-Key"] : ["X-Admin-Key"];
  for (const [index, header] of headers.entries()) {
    sessionStorage.setItem(KEY, value);
    sessionStorage.setItem(HEADER, header);
    try {
      return await whoami();
    } catch (error) {
      if (!(error instanceof Refused) || index === headers.length - 1) {
        key.forget();
        throw error;
      }
    }
  }
}

export const whoami = () => ask("/ops/caller");

const following = (answer) => /<([^>]+)>; rel="next"/.exec(answer.headers.get("Link") ?? "")?.[1];

// A list whose answer is an array, as those that say where they go on.
export async function listed(path, given) {
  const answer = await send(path, given);
  const next = following(answer);
  return { data: await answer.json(), pagination: { next: next ? new URLSearchParams(next.split("?")[1]).get("cursor") : null } };
}

// A list as one file, all its parts: each names the next one in its header Link.
export async function file(path) {
  const parts = [];
  for (let next = path; next && parts.length < 100;) {
    const answer = await send(next);
    parts.push(await answer.blob());
    next = following(answer);
  }
  return new Blob(parts, { type: parts[0].type });
}

// `body` is sent as JSON, `bytes` as they are.
export async function ask(path, given) {
  const answer = await send(path, given);
  return answer.status === 204 ? null : answer.json();
}

// The answer itself, for what is not JSON; what is refused is thrown with its remedy.
export async function send(path, { method = "GET", body, bytes, headers: more = {} } = {}) {
  // A page of another site cannot set X-Requested-By: with it a sign-in is believed to be meant for this request.
  const headers = { "X-Requested-By": "console", ...more };
  if (key.get()) headers[sessionStorage.getItem(HEADER)] = key.get();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: bytes ?? (body === undefined ? undefined : JSON.stringify(body)) });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({ title: `The app answered ${answer.status}.` }));
  const fields = (problem.errors ?? []).filter((one) => one.detail !== problem.detail).map((one) => `${one.pointer ?? ""} ${one.detail ?? ""}`.trim());
  const text = [problem.detail ?? problem.title, ...fields, problem.remedy].filter(Boolean).join("\n");
  throw answer.status === 401 ? new Refused(text) : new Error(text);
}
