/** How a telephone comes into a room. */

import { html } from "../../../vendor/preact.js";
import { ROOM } from "../../texts/rooms.js";
import { Section } from "../kit/frame.js";
import { useLoad } from "../kit/load.js";
import { readDialIn } from "../rest.js";

/** Nothing is shown of a room that has no number. @param {{ room: import("../../wire.js").RoomDetail }} props */
export function DialInCard({ room }) {
  const { value } = useLoad(() => readDialIn(room.id), `${room.id} ${room.number} ${room.pin}`);
  if (!value || !value.room_number) return null;
  const rows = /** @type {const} */ ([[ROOM.dialNumbers, value.numbers.join(", ")], [ROOM.dialRoom, `${value.room_number} #`], [ROOM.dialPin, value.pin ? `${value.pin} #` : ""], [ROOM.dialUri, value.sip_uri]]);
  return html`<${Section} title=${ROOM.dialIn} lead=${value.numbers.length ? "" : ROOM.dialInNone}>
    <dl class="facts">${rows.map(([term, text]) => text && html`<div key=${term}><dt>${term}</dt><dd>${text}</dd></div>`)}</dl>
  <//>`;
}
