/** The public REST calls. Every failure is a RequestError with a code of the service's vocabulary. */

import { tellAnswered, tellFailed } from "./health.js";
import { codeOf, RequestError, problemCode } from "./problem.js";
import { once } from "./once.js";
import { request, signedIn } from "./request.js";

/** @typedef {import("./wire.js").RoomInfo} RoomInfo */
/** @typedef {import("./wire.js").JoinReply} JoinReply */

const TIMEOUT_MS = 8000;

/** @param {import("./wire.js").RoomCreate} wish without a name the server makes one up @returns {Promise<import("./wire.js").RoomDetail>} */
export function createRoom(wish) {
  return once.make("/api/v1/rooms", { ...wish }, (body, key) => asMyself("POST", "/api/v1/rooms", body, key));
}

/** @param {string} room @returns {Promise<RoomInfo>} */
export function getRoom(room) {
  return call("GET", `/api/v1/rooms/${encodeURIComponent(room)}`);
}

/**
 * @param {string} room
 * @param {string} displayName
 * @param {string | null} previousToken keeps the identity after a break
 * @param {{ pin?: string, invitation?: string | null }} [shown] at the door
 * @returns {Promise<JoinReply>}
 */
export function joinRoom(room, displayName, previousToken, { pin, invitation } = {}) {
  const body = {
    display_name: displayName,
    ...(previousToken ? { previous_token: previousToken } : {}),
    ...(pin ? { pin } : {}),
    ...(invitation ? { invitation } : {}),
  };
  return asMyself("POST", `/api/v1/rooms/${encodeURIComponent(room)}/join`, body);
}

/**
 * For whoever is signed in the proof of this page is sent as well; guests need none, and ask for none.
 * @param {string} method
 * @param {string} path
 * @param {Record<string, unknown>} body
 * @param {string} [key] of whoever is signed in; guests show none
 * @returns {Promise<any>}
 */
async function asMyself(method, path, body, key) {
  if (signedIn()) return request(method, path, body, key);
  try {
    return await call(method, path, body);
  } catch (error) {
    if (codeOf(error) !== "csrf") throw error;
    return request(method, path, body, key);
  }
}

/** @returns {Promise<import("./wire.js").SiteInfo>} what the page may offer */
export function getSite() {
  return call("GET", "/api/v1/site");
}

/** @returns {Promise<import("./wire.js").NetworkTest>} relays to try for a minute */
export function beginNetworkTest() {
  return asMyself("POST", "/api/v1/network-test", {});
}

/**
 * @param {string} room
 * @param {string} token of the join
 * @param {import("./wire.js").CallOut} wish
 * @returns {Promise<import("./wire.js").CallInfo>}
 */
export function callOut(room, token, wish) {
  return call("POST", `/api/v1/rooms/${encodeURIComponent(room)}/calls`, { ...wish }, token);
}

/** @param {string} room @param {string} token @param {string} id of the call, or of its telephone in the room @returns {Promise<void>} */
export function endCall(room, token, id) {
  return call("DELETE", `/api/v1/rooms/${encodeURIComponent(room)}/calls/${encodeURIComponent(id)}`, undefined, token);
}

/**
 * @param {string} room
 * @param {string} token
 * @param {string} id of the call, or of its telephone in the room
 * @param {string} digits
 * @returns {Promise<void>}
 */
export function sendDigits(room, token, id, digits) {
  return call("POST", `/api/v1/rooms/${encodeURIComponent(room)}/calls/${encodeURIComponent(id)}/digits`, { digits }, token);
}

/** @param {string} token @param {string} id @param {import("./wire.js").RingAnswer["action"]} action @returns {Promise<void>} */
export function answerRing(token, id, action) {
  return call("POST", `/api/v1/calls/${encodeURIComponent(id)}/answer`, { action }, token);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 * @param {string} [token] of the join
 * @param {string} [key] under which the server makes it once
 * @returns {Promise<any>} the JSON reply; undefined where there is none to come
 */
export async function call(method, path, body, token, key) {
  const response = await send(method, path, body, token, key);
  if (response.status === 204) return undefined;
  const reply = await response.json().catch(() => null);
  if (response.ok && reply !== null) {
    tellAnswered(method, path);
    return reply;
  }
  const known = reply && typeof reply.type === "string";
  // A front door without its service behind it answers 502-504 with no problem document.
  const code = known ? problemCode(reply.type) : response.status >= 500 ? "unreachable" : codeOfStatus(response.status);
  // What needs a token of a meeting is no place to ask again at: that the database is away is told by the fault.
  if (response.status >= 500 && !token) tellFailed(method, path, code, response);
  throw new RequestError(code, known ? String(reply.detail ?? "") : response.statusText);
}

/** @param {number} status */
function codeOfStatus(status) {
  return status === 429 ? "too-many-requests" : "unknown";
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 * @param {string} [token]
 * @param {string} [key]
 */
async function send(method, path, body, token, key) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const headers = {
    ...(body ? { "content-type": "application/json" } : {}),
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...(key ? { "idempotency-key": `"${key}"` } : {}),
  };
  try {
    return await fetch(path, { method, signal, cache: "no-store", headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  } catch (error) {
    const code = error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "unreachable";
    if (!token) tellFailed(method, path, code);
    throw new RequestError(code, "The server did not answer.");
  }
}
