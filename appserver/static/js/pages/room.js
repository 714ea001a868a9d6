/** /rooms/{room}: how a room is set up, who belongs to it, and who is invited. */

import { html, useSignal } from "../../vendor/preact.js";
import { administers } from "../account.js";
import { pathOf } from "../address.js";
import { navigate } from "../screens.js";
import { toast } from "../store.js";
import { ROOM } from "../texts/rooms.js";
import { CopyField } from "./kit/copy.js";
import { Confirm } from "./kit/dialog.js";
import { Frame, Link, Section } from "./kit/frame.js";
import { Failure, Skeleton, useLoad } from "./kit/load.js";
import { deleteRoom, readRoom } from "./rest.js";
import { DialInCard } from "./room/dialin.js";
import { Invitations } from "./room/invitations.js";
import { Members } from "./room/members.js";
import { Rules } from "./room/rules.js";

/** @typedef {import("../wire.js").RoomDetail} RoomDetail */

/** @param {import("../router.js").PageProps} props */
export function Page({ id }) {
  const loaded = useLoad(() => readRoom(id), id);
  const room = loaded.value;
  const back = /** @type {const} */ (["/rooms", ROOM.back]);
  if (!room) return html`<${Frame} key="loading" title=${ROOM.rules} back=${back}>${loaded.code ? html`<${Failure} code=${loaded.code} onRetry=${loaded.reload} />` : html`<${Skeleton} rows=${4} />`}<//>`;
  const join = html`<${Link} to=${pathOf(room.id)} class="button button-primary">${ROOM.join}<//>`;
  const changes = room.mine === "owner" || administers.value;
  const invites = changes || room.mine === "host";
  return html`<${Frame} key="room" title=${room.name} back=${back} actions=${join}>
    <section class="panel-card">
      <${CopyField} label=${ROOM.link} value=${room.join_url} hint=${room.pin_needed ? ROOM.linkHintPin(room.pin) : ROOM.linkHint} />
      <p><${Link} to=${`/records?room=${encodeURIComponent(room.id)}`}>${ROOM.records}<//></p>
    </section>
    <${Rules} room=${room} mayChange=${changes} onChange=${loaded.set} />
    <${DialInCard} room=${room} />
    ${invites && html`<${Invitations} room=${room} />`}
    ${invites && html`<${Members} room=${room} mayChange=${changes} />`}
    ${changes && html`<${Removal} room=${room} />`}
  <//>`;
}

/** @param {{ room: RoomDetail }} props */
function Removal({ room }) {
  const asked = useSignal(false);
  const remove = async () => {
    await deleteRoom(room.id);
    toast(ROOM.removed);
    await navigate("/rooms");
  };
  return html`<${Section} title=${ROOM.remove} lead=${ROOM.removeLead} danger>
    <div class="buttons"><button type="button" class="button button-danger-quiet" onClick=${() => (asked.value = true)}>${ROOM.remove}</button></div>
    ${asked.value && html`<${Confirm} title=${ROOM.removeTitle(room.name)} detail=${ROOM.removeDetail} action=${ROOM.remove} onConfirm=${remove} onClose=${() => (asked.value = false)} />`}
  <//>`;
}
