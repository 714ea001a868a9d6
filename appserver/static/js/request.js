/** Requests of somebody who may be signed in: the cookie goes along by itself, the proof that the page itself asks (CSRF) comes from the session. */

import { tellAnswered, tellFailed } from "./health.js";
import { faultsIn, problemCode, RequestError } from "./problem.js";

/** @typedef {import("./wire.js").SessionInfo} SessionInfo */

const TIMEOUT_MS = 10_000;
const SESSION = "/api/v1/session";

/** What proves that a change is asked for by this page. */
let csrf = "";
/** Whether the last answer named an account. */
let known = false;

/** Asks who is signed in. @returns {Promise<SessionInfo>} */
export async function readSession() {
  const session = await ask("GET", SESSION);
  csrf = session.csrf;
  known = session.user !== null;
  return session;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 * @param {string} [key] under which the server makes it once; shown by those who have an account, as it has to be somebody's
 * @returns {Promise<any>} the JSON reply; undefined where there is none to come. Rejects with a RequestError.
 */
export async function request(method, path, body, key) {
  if (method === "GET") return ask(method, path);
  if (!csrf) await readSession();
  try {
    return await ask(method, path, body, key);
  } catch (error) {
    // Somebody has signed in or out in another tab since: the proof is a new one.
    if (!(error instanceof RequestError) || error.code !== "csrf") throw error;
    await readSession();
    return ask(method, path, body, key);
  }
}

/** The session is another one from now on. */
export function forgetProof() {
  csrf = "";
  known = false;
}

/** Whether somebody is signed in, as far as this page has asked. */
export function signedIn() {
  return known;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 * @param {string} [key]
 * @returns {Promise<any>}
 */
async function ask(method, path, body, key) {
  const response = await send(method, path, body, key);
  const reply = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (response.ok) {
    tellAnswered(method, path);
    return reply;
  }
  const told = reply && typeof reply.type === "string";
  // A front door without its service behind it answers 502-504 with no problem document.
  const code = told ? problemCode(reply.type) : response.status >= 500 ? "unreachable" : "unknown";
  if (response.status >= 500) tellFailed(method, path, code, response);
  else tellAnswered(method, path);
  throw told ? new RequestError(code, String(reply.detail ?? ""), faultsIn(reply.errors)) : new RequestError(code, response.statusText);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 * @param {string} [key]
 */
async function send(method, path, body, key) {
  const headers = new Headers(body ? { "content-type": "application/json" } : {});
  if (method !== "GET") headers.set("x-csrf-token", csrf);
  if (key && known) headers.set("idempotency-key", `"${key}"`);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(path, { method, headers, signal, cache: "no-store", credentials: "same-origin", ...(body ? { body: JSON.stringify(body) } : {}) });
  } catch (error) {
    const code = error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "unreachable";
    tellFailed(method, path, code);
    throw new RequestError(code, "The server did not answer.");
  }
}
