/** Who is signed in, as a signal, and the steps that change it. */

import { computed, signal } from "../vendor/preact.js";
import { forgetProof, readSession, request } from "./request.js";

/** @typedef {import("./wire.js").SessionInfo} SessionInfo */

/** null: not known yet, or the server could not say. */
export const session = signal(/** @type {SessionInfo | null} */ (null));
export const user = computed(() => session.value?.user ?? null);
/** Whether the signed-in one sees more than what is their own. */
export const oversees = computed(() => user.value?.role === "admin" || user.value?.role === "moderator");
export const administers = computed(() => user.value?.role === "admin");

/** @returns {Promise<SessionInfo>} as the server has it now */
export async function loadSession() {
  session.value = await readSession();
  return session.value;
}

/** @returns {Promise<SessionInfo>} as it was last known, else as the server has it */
export async function knownSession() {
  return session.value ?? loadSession();
}

/**
 * @param {string} login
 * @param {string} password
 */
export async function signIn(login, password) {
  await enter("POST", "/api/v1/session", { login, password });
}

/** @param {import("./wire.js").SignUp} wish */
export async function signUp(wish) {
  await enter("POST", "/api/v1/accounts", { ...wish });
}

/** @param {import("./wire.js").SetupRequest} wish */
export async function setUp(wish) {
  await enter("POST", "/api/v1/setup", { ...wish });
}

export async function signOut() {
  await request("DELETE", "/api/v1/session");
  forgetProof();
  await loadSession();
}

/** @param {import("./wire.js").UserInfo} changed the own account */
export function rename(changed) {
  if (session.value) session.value = { ...session.value, user: changed };
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, unknown>} body
 */
async function enter(method, path, body) {
  await request(method, path, body);
  forgetProof();
  await loadSession();
}
