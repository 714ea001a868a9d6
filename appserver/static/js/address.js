/** Where in the client an address leads, and the addresses of rooms and events. */

/** @typedef {{ page: "home" } | { page: "room", room: string } | { page: "nowhere" }} Place */

const ROOM = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * @param {string} path of the page
 * @returns {Place}
 */
export function placeOf(path) {
  if (path === "/" || path === "/index.html") return { page: "home" };
  const match = /^\/r\/([^/]+)\/?$/.exec(path);
  return match?.[1] && ROOM.test(match[1]) ? { page: "room", room: match[1] } : { page: "nowhere" };
}

/**
 * @param {string} text what a person typed or pasted: a room's id or the link to it
 * @returns {string | null} the room's id
 */
export function roomIn(text) {
  const trimmed = text.trim();
  const linked = /\/r\/([^/?#\s]+)/.exec(trimmed)?.[1];
  const room = linked ?? trimmed;
  return ROOM.test(room) ? room : null;
}

/** @param {string} room */
export function pathOf(room) {
  return `/r/${encodeURIComponent(room)}`;
}

/** @param {string} path on this origin @returns {string} address of a WebSocket */
export function eventsUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
  return url.href;
}
