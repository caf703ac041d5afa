// Asks the app with the operator's key, or as who is signed in. The key lives in this tab only and is gone when it closes.

export class Refused extends Error {}

export const key = {
  get: () => sessionStorage.getItem("manifold-admin-key"),
  set: (value) => sessionStorage.setItem("manifold-admin-key", value),
  forget: () => sessionStorage.removeItem("manifold-admin-key"),
};

export async function ask(path, { method = "GET", body, headers: more = {} } = {}) {
  // A page of another site cannot set X-Requested-By: with it a sign-in is believed to be meant for this request.
  const headers = { "X-Admin-Key": key.get() ?? "", "X-Requested-By": "console", ...more };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({ title: `The app answered ${answer.status}.` }));
  const text = [problem.detail ?? problem.title, problem.remedy].filter(Boolean).join(" ");
  if (answer.status === 401 || answer.status === 403) throw new Refused(text);
  throw new Error(text);
}
