/**
 * What this tab can show at the doors of rooms: the secrets of invitations. They come in the fragment of a link, leave the address bar at
 * once, and stay with the tab (sessionStorage), so that a reload does not lose them.
 */

const PREFIX = "confero.invitation.";
/** Where the tab may store nothing. @type {Map<string, string>} */
const memory = new Map();

/** Takes an invitation out of the address bar. @param {string} room whose address is shown */
export function takeInvitation(room) {
  const secret = secretIn(location.hash);
  if (!secret) return;
  keepInvitation(room, secret);
  history.replaceState(history.state, "", location.pathname + location.search);
}

/** @param {string} hash of an address, with its `#` @returns {string | null} the secret of an invitation */
export function secretIn(hash) {
  return new URLSearchParams(hash.replace(/^#/u, "")).get("invitation") || null;
}

/** @param {string} room @param {string} secret */
export function keepInvitation(room, secret) {
  memory.set(room, secret);
  try {
    sessionStorage.setItem(PREFIX + room, secret);
  } catch {
    // Then it lasts until the page is reloaded.
  }
}

/** It was of no use. @param {string} room */
export function dropInvitation(room) {
  memory.delete(room);
  try {
    sessionStorage.removeItem(PREFIX + room);
  } catch {
    // Nothing was kept there.
  }
}

/** @param {string} room @returns {string | null} */
export function invitationFor(room) {
  const kept = memory.get(room);
  if (kept) return kept;
  try {
    return sessionStorage.getItem(PREFIX + room);
  } catch {
    return null;
  }
}
