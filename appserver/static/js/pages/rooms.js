/** /rooms: the own rooms, and making one. */

import { html, useSignal } from "../../vendor/preact.js";
import { oversees } from "../account.js";
import { pathOf } from "../address.js";
import { LIST_MS, useRefresh } from "../refresh.js";
import { navigate } from "../screens.js";
import { MARKS, MINE, ROOMS } from "../texts/rooms.js";
import { Icon } from "../views/icons.js";
import { Sheet } from "./kit/dialog.js";
import { FormFault, SubmitButton, SwitchField, TextField } from "./kit/fields.js";
import { useForm } from "./kit/form.js";
import { Frame, Link } from "./kit/frame.js";
import { Empty, Listing, usePages } from "./kit/load.js";
import { SearchBox } from "./kit/search.js";
import { ago } from "./kit/times.js";
import { listRooms, makeRoom } from "./rest.js";
import { ROOM } from "../texts/rooms.js";

export function Page() {
  const search = useSignal("");
  const everyone = useSignal(false);
  const making = useSignal(false);
  const query = { search: search.value, everyone: everyone.value };
  const pages = usePages((mark) => listRooms(query, mark), JSON.stringify(query));
  useRefresh(pages.refresh, LIST_MS, ["rooms", "members", "live"], !everyone.value);
  const create = html`<button type="button" class="button button-primary" onClick=${() => (making.value = true)}><${Icon} name="plus" />${ROOMS.create}</button>`;
  const empty = search.value
    ? html`<${Empty} icon="search" title=${ROOMS.noneFound} detail=${ROOMS.noneFoundDetail} />`
    : html`<${Empty} icon="door" title=${ROOMS.none} detail=${ROOMS.noneDetail} />`;
  return html`<${Frame} title=${ROOMS.title} lead=${ROOMS.lead} actions=${create}>
    <div class="filters">
      <${SearchBox} label=${ROOMS.search} onSearch=${(/** @type {string} */ text) => (search.value = text)} />
      ${oversees.value && html`<label class="choice"><input type="checkbox" checked=${everyone.value} onChange=${() => (everyone.value = !everyone.value)} /><span>${ROOMS.everyone}</span></label>`}
    </div>
    <${Listing} pages=${pages} empty=${empty}>
      <ul class="rooms">${pages.items?.map((room) => html`<${RoomCard} key=${room.id} room=${room} />`)}</ul>
    <//>
    ${making.value && html`<${NewRoom} onClose=${() => (making.value = false)} />`}
  <//>`;
}

/** @param {{ room: import("../wire.js").RoomDetail }} props */
function RoomCard({ room }) {
  const marks = [room.permanent && MARKS.permanent, room.pin_needed && MARKS.pin, room.lobby && MARKS.lobby, room.locked && MARKS.locked].filter(Boolean);
  return html`<li class="room-card">
    <div class="room-card-text">
      <h2><${Link} to=${`/rooms/${encodeURIComponent(room.id)}`} class="room-card-link">${room.name}<//></h2>
      <p class="hint">${[room.mine && MINE[room.mine], room.participants ? ROOMS.here(room.participants) : ROOMS.used(ago(room.used_at)), room.mine ? "" : room.owner].filter(Boolean).join(" · ")}</p>
      ${marks.length > 0 && html`<p class="tags">${marks.map((mark) => html`<span key=${mark} class="tag">${mark}</span>`)}</p>`}
    </div>
    <${Link} to=${pathOf(room.id)} class=${`button ${room.participants ? "button-primary" : ""}`}>${ROOMS.open}<span class="hidden"> ${room.name}</span><//>
  </li>`;
}

/** @param {{ onClose: () => void }} props */
function NewRoom({ onClose }) {
  const form = useForm({ name: "", pin: "", lobby: false, permanent: true }, async ({ name, pin, lobby, permanent }) => {
    const room = await makeRoom({ ...(name.trim() ? { name: name.trim() } : {}), ...(pin ? { pin } : {}), lobby, permanent });
    onClose();
    await navigate(`/rooms/${encodeURIComponent(room.id)}`);
  });
  return html`<${Sheet} title=${ROOMS.create} onClose=${onClose}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${TextField} form=${form} name="name" label=${ROOMS.name} hint=${ROOMS.nameHint} maxlength=${64} />
      <${TextField} form=${form} name="pin" label=${ROOM.pin} hint=${ROOM.pinHint} inputmode="numeric" maxlength=${12} />
      <${SwitchField} form=${form} name="lobby" label=${ROOM.lobby} hint=${ROOM.lobbyHint} />
      <${SwitchField} form=${form} name="permanent" label=${ROOM.permanent} hint=${ROOM.permanentHint} />
      <div class="buttons"><${SubmitButton} form=${form}>${ROOMS.make}<//></div>
    </form>
  <//>`;
}
