/** The telephone calls of this page: those that it has made or taken, and those that ring. Events go in, a new value comes out. Pure. */

/** @typedef {import("./wire.js").CallEvent} CallEvent */
/** @typedef {import("./wire.js").IncomingCallEvent} IncomingCallEvent */

/**
 * `until`: ms; an ended call is shown till then, a ring has been given up by then unless it is told again.
 * @typedef {{ event: CallEvent, until: number }} Line
 * @typedef {{ event: IncomingCallEvent, until: number }} Ring
 * @typedef {{ calls: ReadonlyMap<string, Line>, rings: ReadonlyMap<string, Ring> }} Lines  both by the call's id, oldest first
 */

/** @type {Lines} */
export const NO_LINES = Object.freeze({ calls: new Map(), rings: new Map() });
/** How long an ended call is still shown. */
export const SHOWN_MS = 8000;
/** Calls that are shown, and rings that are kept; the oldest go first. */
export const MAX_LINES = 16;

/**
 * @param {Lines} lines
 * @param {import("./wire.js").RoomEvent} event
 * @param {number} now ms
 * @returns {Lines} the same if the event says nothing of calls
 */
export function applyCallEvent(lines, event, now) {
  switch (event.type) {
    case "call": return { ...lines, calls: put(lines.calls, event.call, { event, until: event.state === "ended" ? now + SHOWN_MS : Infinity }) };
    case "incoming_call": return { ...lines, rings: put(lines.rings, event.call, { event, until: now + event.stale_s * 1000 }) };
    case "ring_stopped": return withoutRing(lines, event.call);
    default: return lines;
  }
}

/** @param {Lines} lines @param {string} call @returns {Lines} */
export function withoutRing(lines, call) {
  if (!lines.rings.has(call)) return lines;
  const rings = new Map(lines.rings);
  rings.delete(call);
  return { ...lines, rings };
}

/** @param {Lines} lines @param {number} now ms @returns {Lines} the same if nothing was due */
export function expireLines(lines, now) {
  const due = [...lines.calls.values(), ...lines.rings.values()].some((one) => one.until <= now);
  return due ? { calls: kept(lines.calls, now), rings: kept(lines.rings, now) } : lines;
}

/** @param {Lines} lines @returns {number | null} ms when `expireLines` has something to do */
export function linesDeadline(lines) {
  const earliest = Math.min(...[...lines.calls.values(), ...lines.rings.values()].map((one) => one.until));
  return Number.isFinite(earliest) ? earliest : null;
}

/** @param {Lines} lines @param {string} participant @returns {string | null} the call of ours by which somebody is in the room */
export function callOf(lines, participant) {
  for (const { event } of lines.calls.values()) if (event.participant === participant && event.state !== "ended") return event.call;
  return null;
}

/**
 * @template One
 * @param {ReadonlyMap<string, One>} map
 * @param {string} key
 * @param {One} value
 * @returns {Map<string, One>}
 */
function put(map, key, value) {
  const changed = new Map(map).set(key, value);
  for (const oldest of changed.keys()) {
    if (changed.size <= MAX_LINES) break;
    changed.delete(oldest);
  }
  return changed;
}

/**
 * @template {{ until: number }} One
 * @param {ReadonlyMap<string, One>} map
 * @param {number} now
 * @returns {Map<string, One>}
 */
function kept(map, now) {
  return new Map([...map].filter(([, one]) => one.until > now));
}
