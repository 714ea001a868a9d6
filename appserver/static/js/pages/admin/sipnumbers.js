/** The numbers by which telephones come into rooms: given to a room, and taken away. */

import { html, useRef, useSignal } from "../../../vendor/preact.js";
import { RequestError } from "../../problem.js";
import { toast } from "../../store.js";
import { NUMBER_FAULTS, NUMBER_NEEDED, NUMBERS } from "../../texts/telephony.js";
import { Icon } from "../../views/icons.js";
import { Confirm, keepFocus, Sheet } from "../kit/dialog.js";
import { FormFault, SubmitButton, TextField } from "../kit/fields.js";
import { missing, useForm } from "../kit/form.js";
import { Link, Section } from "../kit/frame.js";
import { Listing, usePages } from "../kit/load.js";
import { deleteNumber, listNumbers, listRooms, makeNumber, readRoom } from "../rest.js";

/** @typedef {import("../../wire.js").SipNumberInfo} NumberInfo */

/** Rooms that are looked through for one of a name. */
const MOST_FOUND = 50;

export function SipNumbers() {
  const pages = usePages(listNumbers);
  const making = useSignal(false);
  const ending = useSignal(/** @type {NumberInfo | null} */ (null));
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const add = html`<button type="button" class="button button-small" ref=${button} onClick=${() => (making.value = true)}><${Icon} name="plus" size=${16} />${NUMBERS.create}</button>`;
  const made = (/** @type {NumberInfo} */ { number, room }) => {
    making.value = false;
    toast(NUMBERS.made(number, room));
    pages.reload();
  };
  const gone = ending.value;
  const end = async (/** @type {NumberInfo} */ one) => {
    await deleteNumber(one.number);
    toast(NUMBERS.removed);
    pages.change((pages.items ?? []).filter(({ number }) => number !== one.number));
  };
  const closed = () => {
    ending.value = null;
    keepFocus(button);
  };
  return html`<${Section} title=${NUMBERS.title} lead=${NUMBERS.lead} actions=${add}>
    <${Listing} pages=${pages} empty=${html`<p class="hint">${NUMBERS.none}</p>`}>
      <ul class="entries">${pages.items?.map((one) => html`<${Row} key=${one.number} one=${one} onEnd=${() => (ending.value = one)} />`)}</ul>
    <//>
    ${making.value && html`<${NewNumber} onMade=${made} onClose=${() => (making.value = false)} />`}
    ${gone && html`<${Confirm} title=${NUMBERS.removeTitle(gone.number)} detail=${NUMBERS.removeDetail(gone.room)} action=${NUMBERS.remove} onConfirm=${() => end(gone)} onClose=${closed} />`}
  <//>`;
}

/** @param {{ one: NumberInfo, onEnd: () => void }} props */
function Row({ one, onEnd }) {
  return html`<li class="entry">
    <div class="entry-text"><strong>${one.number}</strong>${one.has_pin && html` <span class="tag">${NUMBERS.pinned}</span>`}
      <p class="hint"><${Link} to=${`/rooms/${encodeURIComponent(one.room)}`}>${one.room}<//></p></div>
    <button type="button" class="button button-small" onClick=${onEnd}>${NUMBERS.remove}<span class="hidden"> ${one.number}</span></button>
  </li>`;
}

/** @param {{ onMade: (made: NumberInfo) => void, onClose: () => void }} props */
function NewNumber({ onMade, onClose }) {
  const send = async (/** @type {{ room: string, number: string, pin: string }} */ { room, number, pin }) =>
    onMade(await makeNumber({ room: await roomWithout(room.trim()), ...(number.trim() ? { number: number.trim() } : {}), ...(pin ? { pin } : {}) }));
  const form = useForm({ room: "", number: "", pin: "" }, send, (values) => missing(values, NUMBER_NEEDED), NUMBER_FAULTS);
  return html`<${Sheet} title=${NUMBERS.create} onClose=${onClose}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${TextField} form=${form} name="room" label=${NUMBERS.room} hint=${NUMBERS.roomHint} maxlength=${64} />
      <${TextField} form=${form} name="number" label=${NUMBERS.number} hint=${NUMBERS.numberHint} inputmode="numeric" maxlength=${20} optional />
      <${TextField} form=${form} name="pin" label=${NUMBERS.pin} hint=${NUMBERS.pinHint} inputmode="numeric" maxlength=${16} optional />
      <div class="buttons"><${SubmitButton} form=${form}>${NUMBERS.make}<//></div>
    </form>
  <//>`;
}

/** The room of an id or a name, if it has no number yet: it can have one only. @param {string} text @returns {Promise<string>} its id. Rejects with a RequestError. */
async function roomWithout(text) {
  const { items } = await listRooms({ search: text, everyone: true, limit: MOST_FOUND }, null);
  const exact = items.filter(({ id, name }) => id === text || name.toLowerCase() === text.toLowerCase());
  const found = exact.length ? exact : items;
  const [room] = found;
  if (!room) throw new RequestError("room-unknown", "");
  if (found.length > 1) throw new RequestError("room-unclear", "");
  if ((await readRoom(room.id)).number) throw new RequestError("room-numbered", "");
  return room.id;
}
