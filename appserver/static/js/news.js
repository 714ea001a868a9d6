/** What changes of the signed-in one's rooms and meetings, told by the notification server while a page beside the meeting is shown. */

import { effect, signal } from "../vendor/preact.js";
import { user } from "./account.js";
import { eventsUrl } from "./address.js";
import { returns } from "./health.js";
import { request } from "./request.js";
import { Signaling } from "./signaling.js";
import { screen } from "./store.js";

/** @typedef {import("./wire.js").ChangedEvent["what"]} Kind */

/** Kind -> how many times something of it has changed. */
export const news = signal(/** @type {Readonly<Partial<Record<Kind, number>>>} */ ({}));
/** Whether changes are heard as they happen; else whoever wants to know has to look. */
export const listening = signal(false);

/** @type {readonly Kind[]} */
const ALL = ["rooms", "members", "invitations", "lobby", "live", "calls", "records"];
const EVENTS = "/events";

/** Counts openings: of two the later wins. */
let opening = 0;
/** @type {Signaling | null} */
let open = null;

/** Listens while somebody signed in looks at a page that news may concern. A call has a session of its own. Called once. */
export function followNews() {
  let before = "";
  effect(() => {
    const shown = screen.value.name === "home" || screen.value.name === "page";
    const wanted = shown && user.value ? `${user.value.id} ${returns.value}` : "";
    if (wanted === before) return;
    before = wanted;
    stop();
    if (wanted) void start(++opening);
  });
}

/** @param {number} ticket */
async function start(ticket) {
  // Without a token pages look by themselves, as often as they did.
  const token = await fresh().catch(() => null);
  if (token === null || ticket !== opening) return;
  let greeted = false;
  const made = new Signaling(eventsUrl(EVENTS), token, {
    status: (status) => {
      if (open === made) listening.value = status === "open";
    },
    welcome: (welcome) => {
      // What was missed and does not follow may be anything.
      if (greeted && !welcome.resumed) tell(ALL);
      greeted = true;
    },
    event: (event) => {
      const told = /** @type {import("./wire.js").ChangedEvent | { type: "" }} */ (/** @type {unknown} */ (event));
      if (told.type === "changed") tell([told.what]);
    },
    end: () => {
      if (open === made) stop();
    },
    refresh: fresh,
    finalRefusal: (code) => (code === "sign-in-needed" ? "expired" : null),
  }, false);
  open = made;
  made.start();
}

function stop() {
  opening += 1;
  const gone = open;
  open = null;
  listening.value = false;
  gone?.leave();
}

/** @returns {Promise<string>} */
async function fresh() {
  return /** @type {{ token: string }} */ (await request("POST", "/api/v1/me/events", {})).token;
}

/** @param {readonly Kind[]} kinds */
function tell(kinds) {
  news.value = { ...news.peek(), ...Object.fromEntries(kinds.map((kind) => [kind, (news.peek()[kind] ?? 0) + 1])) };
}
