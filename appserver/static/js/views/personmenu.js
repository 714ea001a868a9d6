/** What a host can do with one person. */

import { html, useSignal } from "../../vendor/preact.js";
import { roomIn } from "../address.js";
import { handOf } from "../meetingstate.js";
import { currentCall } from "../screens.js";
import { me, meeting } from "../store.js";
import { Confirm, Dialog } from "./dialog.js";
import { Icon } from "./icons.js";

/** @typedef {import("../wire.js").Participant} Participant */
/** @typedef {{ icon: string, words: string, act: () => void, danger?: boolean }} Deed */

/** @param {{ person: Participant, onClose: () => void }} props */
export function PersonMenu({ person, onClose }) {
  const step = useSignal(/** @type {"menu" | "move" | "remove"} */ ("menu"));
  const name = person.display_name;
  if (step.value === "move") return html`<${MoveDialog} person=${person} onClose=${onClose} />`;
  if (step.value === "remove") {
    return html`<${Confirm} title=${`Remove ${name}?`} detail="They leave the meeting, and can't come back until it is over." action="Remove"
      onDo=${() => currentCall()?.meeting.remove(person.id)} onClose=${onClose} />`;
  }
  const deeds = [...deedsFor(person), ...(person.id === me.value ? [] : farDeeds(() => (step.value = "move"), () => (step.value = "remove")))];
  return html`<${Dialog} title=${name} onClose=${onClose}>
    <ul class="deeds">
      ${deeds.map(({ icon, words, act, danger }) => html`<li key=${words}><button type="button" class="deed ${danger ? "deed-danger" : ""}" onClick=${() => {
        act();
        if (step.value === "menu") onClose();
      }}><${Icon} name=${icon} />${words}</button></li>`)}
    </ul>
  <//>`;
}

/** @param {Participant} person @returns {Deed[]} done at once */
function deedsFor(person) {
  const { state } = meeting.value;
  const rule = currentCall()?.meeting;
  const change = (/** @type {Partial<import("../wire.js").ParticipantPatch>} */ wish, /** @type {string} */ done = "") => () => void rule?.change(person.id, wish, done);
  const lit = state.spotlight === person.id;
  const spot = { icon: "spot", words: lit ? "End the spotlight" : "Put in the spotlight", act: () => void rule?.patch({ spotlight: lit ? "" : person.id }) };
  if (person.id === me.value) return [spot];
  const host = person.role === "host";
  return [
    sound(person, change),
    ...(state.speak === "request" && !host ? [speech(state.speakers.includes(person.id), change)] : []),
    ...(handOf(state, person.id) ? [{ icon: "hand", words: "Lower their hand", act: change({ hand: false }) }] : []),
    spot,
    { icon: "star", words: host ? "Not a host any more" : "Make a host", act: change({ role: host ? "guest" : "host" }) },
  ];
}

/**
 * @param {Participant} person
 * @param {(wish: Partial<import("../wire.js").ParticipantPatch>, done?: string) => () => void} change
 * @returns {Deed}
 */
function sound(person, change) {
  if (!person.muted) return { icon: "mic-off", words: "Mute", act: change({ muted: true }) };
  if (person.kind === "rtp") return { icon: "mic", words: "Unmute", act: change({ muted: false }) };
  return { icon: "mic", words: "Ask to unmute", act: change({ muted: false }, `${person.display_name} was asked to unmute`) };
}

/**
 * @param {boolean} may
 * @param {(wish: Partial<import("../wire.js").ParticipantPatch>) => () => void} change
 * @returns {Deed}
 */
function speech(may, change) {
  return { icon: "speaker", words: may ? "Let them speak no longer" : "Let them speak", act: change({ may_speak: !may }) };
}

/** @param {() => void} move @param {() => void} remove @returns {Deed[]} that ask something first */
function farDeeds(move, remove) {
  return [
    { icon: "arrow", words: "Move to another room…", act: move },
    { icon: "leave", words: "Remove…", act: remove, danger: true },
  ];
}

/** @param {{ person: Participant, onClose: () => void }} props */
function MoveDialog({ person, onClose }) {
  const text = useSignal("");
  const wrong = useSignal(false);
  const go = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const room = roomIn(text.value);
    wrong.value = room === null;
    if (room !== null && (await currentCall()?.meeting.move(person.id, room, `${person.display_name} was moved`))) onClose();
  };
  return html`<${Dialog} title=${`Move ${person.display_name}`} onClose=${onClose}>
    <form class="dialer" onSubmit=${go} novalidate>
      <div class="field">
        <label for="move-to">Link or code of the other room</label>
        <input id="move-to" type="text" autocomplete="off" autocapitalize="off" spellcheck=${false} autofocus value=${text.value} aria-invalid=${wrong.value}
          aria-describedby=${wrong.value ? "move-wrong" : "move-hint"} onInput=${(/** @type {InputEvent} */ event) => (text.value = /** @type {HTMLInputElement} */ (event.target).value)} />
        ${wrong.value ? html`<p class="field-error" id="move-wrong" role="alert">That is neither a room's link nor its code.</p>` : html`<p class="hint" id="move-hint">You must be a host there too.</p>`}
      </div>
      <button type="submit" class="button button-primary button-large">Move</button>
    </form>
  <//>`;
}
