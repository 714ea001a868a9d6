/** On the front page: the rooms that the signed-in one has used last. */

import { html, useEffect, useSignal } from "../../vendor/preact.js";
import { knownSession, session, user } from "../account.js";
import { pathOf } from "../address.js";
import { returns } from "../health.js";
import { LIST_MS, useRefresh } from "../refresh.js";
import { request } from "../request.js";
import { navigate } from "../screens.js";
import { HOME } from "../texts/account.js";
import { Icon } from "./icons.js";

const SHOWN = 3;

/** Nothing for those who are not signed in, and for those without rooms. */
export function OwnRooms() {
  const rooms = useSignal(/** @type {import("../wire.js").RoomDetail[]} */ ([]));
  const id = user.value?.id;
  const load = () => {
    if (!id) return;
    /** @type {Promise<import("../wire.js").RoomPage>} */ (request("GET", `/api/v1/rooms?limit=${SHOWN}`)).then(
      (page) => (rooms.value = page.items),
      () => {}, // The page of all rooms says what is wrong.
    );
  };
  useEffect(load, [id, returns.value]);
  useRefresh(load, LIST_MS, ["rooms", "members", "live"]);
  if (!id || rooms.value.length === 0) return null;
  return html`<section class="door own-rooms" aria-labelledby="own-rooms">
    <h2 id="own-rooms">${HOME.rooms}</h2>
    <ul>${rooms.value.map((room) => html`<li key=${room.id}><${Way} to=${pathOf(room.id)} name="own-room"><span dir="auto">${room.name}</span>
      ${room.participants > 0 && html`<span class="tag tag-good">${HOME.here(room.participants)}</span>`}<${Icon} name="arrow" size=${18} /><//></li>`)}</ul>
    <p><${Way} to="/rooms" name="link">${HOME.all}<//></p>
  </section>`;
}

/** Said where nobody administers yet. */
export function SetUpNeeded() {
  useEffect(() => {
    knownSession().catch(() => {});
  }, []);
  if (!session.value?.setup_needed) return null;
  return html`<p class="set-up" role="note">${HOME.setUp}</p>`;
}

/** @param {{ to: string, name: string, children?: unknown }} props */
function Way({ to, name, children }) {
  const go = (/** @type {MouseEvent} */ event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    void navigate(to);
  };
  return html`<a href=${to} class=${name} onClick=${go}>${children}</a>`;
}
