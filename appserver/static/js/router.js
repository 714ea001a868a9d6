/** The pages beside the meeting: which address is whose, who must be signed in for it, and where its code lies. */

import { placeOf } from "./address.js";

/**
 * @typedef {"signin" | "signup" | "setup" | "forgot" | "reset" | "rooms" | "room" | "records" | "record" | "me" | "admin" | "api"} PageName
 * @typedef {{ id: string, secret: string, next: string }} PageProps
 * `id` of what the address names; `secret` that stood in its fragment; `next`: where to go after signing in
 * @typedef {{ path: RegExp, signedIn: boolean, secret?: true, load: () => Promise<{ Page: (props: PageProps) => unknown }> }} PageRule
 */

/** @type {Readonly<Record<PageName, PageRule>>} */
export const PAGES = Object.freeze({
  signin: { path: /^\/signin$/, signedIn: false, load: () => import("./pages/signin.js") },
  signup: { path: /^\/signup$/, signedIn: false, load: () => import("./pages/signup.js") },
  setup: { path: /^\/setup$/, signedIn: false, secret: true, load: () => import("./pages/setup.js") },
  forgot: { path: /^\/forgot$/, signedIn: false, load: () => import("./pages/forgot.js") },
  reset: { path: /^\/reset$/, signedIn: false, secret: true, load: () => import("./pages/reset.js") },
  rooms: { path: /^\/rooms$/, signedIn: true, load: () => import("./pages/rooms.js") },
  room: { path: /^\/rooms\/([A-Za-z0-9_-]{1,64})$/, signedIn: true, load: () => import("./pages/room.js") },
  records: { path: /^\/records$/, signedIn: true, load: () => import("./pages/records.js") },
  record: { path: /^\/records\/([A-Za-z0-9_-]{1,64})$/, signedIn: true, load: () => import("./pages/record.js") },
  me: { path: /^\/me$/, signedIn: true, load: () => import("./pages/me.js") },
  admin: { path: /^\/admin(?:\/([a-z]{1,16}))?$/, signedIn: true, load: () => import("./pages/admin.js") },
  api: { path: /^\/api$/, signedIn: false, load: () => import("./pages/api.js") },
});

/** What is shown after signing in if nothing else was asked for. */
export const FIRST = "/rooms";

/**
 * @param {string} path
 * @returns {{ name: PageName, id: string } | null} null: no page of these
 */
export function pageOf(path) {
  for (const [name, { path: pattern }] of Object.entries(PAGES)) {
    const match = pattern.exec(path);
    if (match) return { name: /** @type {PageName} */ (name), id: match[1] ?? "" };
  }
  return null;
}

/**
 * Where to go after signing in: only paths of this client are followed.
 * @param {string} search query of the page
 * @param {string} origin of the page
 * @returns {string} a path, `/rooms` if the query names none of ours
 */
export function nextOf(search, origin) {
  const wish = new URLSearchParams(search).get("next") ?? "";
  if (!wish.startsWith("/") || !URL.canParse(wish, origin)) return FIRST;
  const url = new URL(wish, origin);
  const known = pageOf(url.pathname) !== null || placeOf(url.pathname).page !== "nowhere";
  return url.origin === origin && known ? url.pathname : FIRST;
}

/** @param {string} path @returns {string} the address of the sign-in page that leads back to it */
export function signInFor(path) {
  return `/signin?next=${encodeURIComponent(path)}`;
}
