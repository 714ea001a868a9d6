/** Which screen is shown, and the steps between them. */

import { batch } from "../vendor/preact.js";
import { knownSession } from "./account.js";
import { pathOf, placeOf } from "./address.js";
import { createRoom, getRoom, joinRoom } from "./api.js";
import { Call } from "./call.js";
import * as local from "./local.js";
import { recall, remember } from "./preferences.js";
import { codeOf } from "./problem.js";
import { nextOf, pageOf, PAGES, signInFor } from "./router.js";
import { resetCall, screen, muted, signalling } from "./store.js";
import { reasonOf } from "./text.js";

/** @typedef {import("./text.js").EndReason} EndReason */

/** @type {Call | null} the call under way */
let call = null;
/** Whom to call once the room that was made for it is entered. */
let toDial = "";
/** Counts openings of pages, so that a slow answer to an earlier one shows nothing. */
let opening = 0;

export function currentCall() {
  return call;
}

/** Shows what the address says. @returns {Promise<void>} */
export async function openAddress() {
  const ticket = ++opening;
  call?.leave();
  toDial = "";
  const page = pageOf(location.pathname);
  if (page) return openPage(page.name, page.id, ticket);
  const place = placeOf(location.pathname);
  if (place.page === "home") return goHome();
  if (place.page === "nowhere") return end(null, "room-unknown");
  if (!supported()) return end(place.room, "unsupported");
  screen.value = { name: "loading" };
  try {
    const room = await getRoom(place.room);
    if (ticket === opening) showPrejoin(room, null);
  } catch (error) {
    if (ticket === opening) end(place.room, reasonOf(codeOf(error)));
  }
}

/**
 * A page beside the meeting: its code is fetched when it is wanted.
 * @param {import("./router.js").PageName} name
 * @param {string} id of what the address names
 * @param {number} ticket of this opening
 * @returns {Promise<void>}
 */
async function openPage(name, id, ticket) {
  local.stopMicrophone();
  const { signedIn, secret, load } = PAGES[name];
  // Gone from the address bar, the history and whatever looks at them before anything else is done.
  const given = secret ? decodeURIComponent(location.hash.slice(1)) : "";
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  if (screen.value.name !== "page") screen.value = { name: "loading" };
  try {
    const [session, { Page }] = await Promise.all([knownSession(), load()]);
    if (ticket !== opening) return;
    if (signedIn && !session.user) return navigate(signInFor(location.pathname), true);
    const props = { id, secret: given, next: nextOf(location.search, location.origin) };
    screen.value = { name: "page", page: name, props, View: Page };
  } catch (error) {
    if (ticket === opening) end(null, error instanceof TypeError ? "unreachable" : reasonOf(codeOf(error)));
  }
}

/**
 * @param {string} path of this client, with its query
 * @param {boolean} instead of the address that is shown, so that "back" leads past it
 * @returns {Promise<void>}
 */
export function navigate(path, instead = false) {
  const url = new URL(path, location.origin);
  const testing = new URLSearchParams(location.search).get("test-audio");
  if (testing) url.searchParams.set("test-audio", testing);
  const address = url.pathname + url.search;
  if (instead) history.replaceState(null, "", address);
  else if (address !== location.pathname + location.search) history.pushState(null, "", address);
  return openAddress();
}

/** @param {import("./wire.js").RoomCreate} wish without a name the server makes one up @returns {Promise<EndReason | null>} what went wrong */
export async function startRoom(wish) {
  try {
    const room = await createRoom(wish);
    history.pushState(null, "", pathOf(room.id) + location.search);
    opening += 1;
    if (supported()) showPrejoin(room, null);
    else end(room.id, "unsupported");
    return null;
  } catch (error) {
    return reasonOf(codeOf(error));
  }
}

/** Makes a room for a call, which is made when one has come in. @param {string} to @returns {Promise<EndReason | null>} what went wrong */
export async function startCall(to) {
  const fault = await startRoom({ name: `Call to ${to}`.slice(0, 64) });
  if (!fault) toDial = to;
  return fault;
}

/**
 * Joins the room of the pre-join screen.
 * @param {string} name display name, not empty
 * @param {boolean} startMuted
 */
export async function join(name, startMuted) {
  const shown = screen.value;
  if (shown.name !== "prejoin" || shown.joining) return;
  remember("name", name);
  const ticket = opening;
  screen.value = { ...shown, joining: true, problem: null };
  try {
    const reply = await joinRoom(shown.room.id, name, null);
    if (ticket === opening) enter(reply, name, startMuted);
  } catch (error) {
    if (ticket === opening) screen.value = { ...shown, joining: false, problem: reasonOf(codeOf(error)) };
  }
}

export function rememberedName() {
  return recall("name");
}

/** @returns {boolean} whether this browser can hold a call */
function supported() {
  return typeof RTCPeerConnection === "function" && typeof WebSocket === "function";
}

function goHome() {
  local.stopMicrophone();
  screen.value = { name: "home" };
}

/**
 * @param {import("./wire.js").RoomInfo} room
 * @param {EndReason | null} problem
 */
function showPrejoin(room, problem) {
  screen.value = { name: "prejoin", room, problem, joining: false };
  void local.startMicrophone();
}

/**
 * @param {import("./wire.js").JoinReply} reply
 * @param {string} name
 * @param {boolean} startMuted
 */
function enter(reply, name, startMuted) {
  batch(() => {
    resetCall();
    muted.value = startMuted;
    signalling.value = "connecting";
    const made = new Call(reply, name, (reason) => ended(made, reply.room.id, reason));
    call = made;
    screen.value = { name: "call", room: reply.room };
  });
  call?.start(toDial);
  toDial = "";
}

/**
 * @param {Call} which
 * @param {string} room
 * @param {EndReason} reason
 */
function ended(which, room, reason) {
  if (call !== which) return;
  call = null;
  end(room, reason);
}

/**
 * @param {string | null} room
 * @param {EndReason} reason
 */
function end(room, reason) {
  local.stopMicrophone();
  screen.value = { name: "ended", room, reason };
}
