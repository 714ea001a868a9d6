/** The public REST calls. Every failure is a RequestError with a code of the service's vocabulary. */

import { RequestError, problemCode } from "./problem.js";

/** @typedef {import("./wire.js").RoomInfo} RoomInfo */
/** @typedef {import("./wire.js").JoinReply} JoinReply */

const TIMEOUT_MS = 8000;

/** @param {import("./wire.js").RoomCreate} wish without a name the server makes one up @returns {Promise<RoomInfo>} */
export function createRoom(wish) {
  return call("POST", "/api/v1/rooms", { ...wish });
}

/** @param {string} room @returns {Promise<RoomInfo>} */
export function getRoom(room) {
  return call("GET", `/api/v1/rooms/${encodeURIComponent(room)}`);
}

/**
 * @param {string} room
 * @param {string} displayName
 * @param {string | null} previousToken keeps the identity after a break
 * @returns {Promise<JoinReply>}
 */
export function joinRoom(room, displayName, previousToken) {
  const body = { display_name: displayName, ...(previousToken ? { previous_token: previousToken } : {}) };
  return call("POST", `/api/v1/rooms/${encodeURIComponent(room)}/join`, body);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 * @returns {Promise<any>} the JSON reply
 */
async function call(method, path, body) {
  const response = await send(method, path, body);
  const reply = await response.json().catch(() => null);
  if (response.ok && reply !== null) return reply;
  if (reply && typeof reply.type === "string") throw new RequestError(problemCode(reply.type), String(reply.detail ?? ""));
  // A front door without its service behind it answers 502-504 with no problem document.
  throw new RequestError(response.status >= 500 ? "unreachable" : codeOfStatus(response.status), response.statusText);
}

/** @param {number} status */
function codeOfStatus(status) {
  return status === 429 ? "too-many-requests" : "unknown";
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 */
async function send(method, path, body) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const sent = body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {};
  try {
    return await fetch(path, { method, signal, cache: "no-store", ...sent });
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new RequestError(late ? "timeout" : "unreachable", "The server did not answer.");
  }
}
