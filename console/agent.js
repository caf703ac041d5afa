// Asks the app as the agent of the follow-ups who has signed in here. The token lives in this tab only and is gone when
// it closes.
import { ask, listed, Refused } from "/console/api.js";

const TOKEN = "manifold-agent";
export const signedIn = () => Boolean(sessionStorage.getItem(TOKEN));
export const signOut = () => sessionStorage.removeItem(TOKEN);

export async function signIn(email, password) {
  const session = await ask("/api/agents/login", { method: "POST", body: { email, password } });
  sessionStorage.setItem(TOKEN, session.access_token);
}

export const listedAsAgent = (path) => asAgent(path, {}, listed);

export async function asAgent(path, options = {}, through = ask) {
  try {
    return await through(path, { ...options, headers: { Authorization: `Bearer ${sessionStorage.getItem(TOKEN)}` } });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    signOut(); // the key of the console, if there is one, is still good
    throw new Error("Your session has ended. Sign in again.");
  }
}
