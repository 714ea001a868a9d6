/** A room's rules as a form. */

import { html } from "../../../vendor/preact.js";
import { toast } from "../../store.js";
import { ROOM, ROOMS, SPEAKS } from "../../texts/rooms.js";
import { FormFault, SelectField, SubmitButton, SwitchField, TextField } from "../kit/fields.js";
import { useForm } from "../kit/form.js";
import { Section } from "../kit/frame.js";
import { patchRoom } from "../rest.js";

/** @typedef {import("../../wire.js").RoomDetail} RoomDetail */

/** @param {RoomDetail} room */
function valuesOf(room) {
  return {
    name: room.name,
    permanent: room.permanent,
    max_participants: String(room.max_participants),
    talkers: String(room.talkers),
    announce: room.announce,
    lobby: room.lobby,
    host_first: room.host_first,
    speak: String(room.speak),
    pin: room.pin ?? "",
    host_pin: room.host_pin ?? "",
    number: room.number ?? "",
  };
}

/** @param {ReturnType<typeof valuesOf>} values @param {ReturnType<typeof valuesOf>} before @returns {import("../../wire.js").RoomPatch} what has changed */
function changes(values, before) {
  const numbers = { max_participants: Number(values.max_participants), talkers: Number(values.talkers) };
  const all = { ...values, ...numbers, speak: values.speak === "request" ? /** @type {const} */ ("request") : /** @type {const} */ ("all") };
  const names = /** @type {(keyof typeof values)[]} */ (Object.keys(values));
  return Object.fromEntries(names.filter((name) => values[name] !== before[name]).map((name) => [name, all[name]]));
}

/** @param {{ room: RoomDetail, mayChange: boolean, onChange: (room: RoomDetail) => void }} props */
export function Rules({ room, mayChange, onChange }) {
  const before = valuesOf(room);
  const form = useForm(before, async (values) => {
    const wish = changes(values, before);
    if (Object.keys(wish).length) {
      const changed = await patchRoom(room.id, wish);
      onChange(changed);
      form.set("number", changed.number ?? "");
    }
    toast(ROOM.saved);
  });
  return html`<form class="parts" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
    <fieldset class="plain parts" disabled=${!mayChange}>
      <${Section} title=${ROOM.rules} lead=${mayChange ? "" : ROOM.readOnly}>
        <div class="form">
          <${FormFault} form=${form} />
          <${TextField} form=${form} name="name" label=${ROOMS.name} maxlength=${64} />
          <div class="pair">
            <${TextField} form=${form} name="max_participants" label=${ROOM.max} inputmode="numeric" maxlength=${4} />
            <${TextField} form=${form} name="talkers" label=${ROOM.talkers} hint=${ROOM.talkersHint} inputmode="numeric" maxlength=${2} />
          </div>
          <${SwitchField} form=${form} name="permanent" label=${ROOM.permanent} hint=${ROOM.permanentHint} />
          <${SwitchField} form=${form} name="announce" label=${ROOM.announce} />
        </div>
      <//>
      <${Section} title=${ROOM.people}>
        <div class="form">
          <${SwitchField} form=${form} name="lobby" label=${ROOM.lobby} hint=${ROOM.lobbyHint} />
          <${SwitchField} form=${form} name="host_first" label=${ROOM.hostFirst} hint=${ROOM.hostFirstHint} />
          <${SelectField} form=${form} name="speak" label=${ROOM.speak} options=${SPEAKS} />
          <div class="pair">
            <${TextField} form=${form} name="pin" label=${ROOM.pin} hint=${ROOM.pinHint} inputmode="numeric" maxlength=${12} />
            <${TextField} form=${form} name="host_pin" label=${ROOM.hostPin} hint=${ROOM.hostPinHint} inputmode="numeric" maxlength=${12} />
          </div>
          <${TextField} form=${form} name="number" label=${ROOM.number} hint=${ROOM.numberHint} maxlength=${16} />
          ${mayChange && html`<div class="buttons"><${SubmitButton} form=${form}>${ROOM.save}<//></div>`}
        </div>
      <//>
    </fieldset>
  </form>`;
}
