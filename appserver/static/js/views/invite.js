/** Inviting people: the link, the way in by telephone, and for hosts links that let in without the PIN and end by themselves. */

import { html, useEffect, useSignal } from "../../vendor/preact.js";
import { currentCall } from "../screens.js";
import { codeOf } from "../problem.js";
import { isHost } from "../store.js";
import { meetingFault } from "../texts/meeting.js";
import { CopyField } from "./copy.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icons.js";

/** @typedef {import("../wire.js").InvitationInfo} InvitationInfo */
/** @typedef {import("../wire.js").DialIn} DialIn */

const HOUR_S = 3600;
/** @type {ReadonlyArray<[number, string]>} */
const TERMS = [[HOUR_S, "1 hour"], [24 * HOUR_S, "1 day"], [7 * 24 * HOUR_S, "1 week"], [0, "for ever"]];
/** @type {ReadonlyArray<[number, string]>} */
const USES = [[1, "1 person"], [10, "10 people"], [100, "100 people"], [0, "any number"]];

/** @param {{ link: string, onClose: () => void }} props */
export function Invite({ link, onClose }) {
  const way = useSignal(/** @type {DialIn | null} */ (null));
  useEffect(() => {
    // Without an answer the link alone is shown.
    currentCall()?.meeting.api.dialIn().then((found) => (way.value = found), () => {});
  }, []);
  return html`<${Dialog} title="Invite people" onClose=${onClose}>
    <${CopyField} label="Send them this link" text=${link} hint=${way.value?.pin_needed ? pinWords(way.value.pin) : ""} />
    ${way.value && html`<${ByTelephone} way=${way.value} />`}
    ${isHost.value && html`<${Invitations} />`}
  <//>`;
}

/** @param {string | null} pin told to those who may know it */
function pinWords(pin) {
  return pin === null ? "They are asked for the room's PIN, too. The host knows it." : `They are asked for the PIN, too: ${pin}`;
}

/** Where telephones can't come in, hosts are told why. @param {{ way: DialIn }} props */
function ByTelephone({ way: found }) {
  if (!found.room_number && !found.sip_uri) {
    return isHost.value && html`<p class="hint">Telephones can't come in: a room with a PIN needs a number for them. Its owner gives it one on the room's page.</p>`;
  }
  return html`<section class="invite-part" aria-labelledby="by-telephone">
    <h3 id="by-telephone"><${Icon} name="phone" size=${18} />By telephone</h3>
    <dl class="figures">
      ${found.numbers.map((number) => html`<div key=${number}><dt>Call</dt><dd><a href=${`tel:${number.replace(/[^0-9+]/gu, "")}`}>${number}</a></dd></div>`)}
      ${found.room_number && html`<div><dt>Room number</dt><dd>${found.room_number}</dd></div>`}
      ${found.pin_needed && html`<div><dt>PIN</dt><dd>${found.pin ?? "as told by the host"}</dd></div>`}
      ${found.sip_uri && html`<div><dt>SIP address</dt><dd class="breakable">${found.sip_uri}</dd></div>`}
    </dl>
  </section>`;
}

function Invitations() {
  const made = useSignal(/** @type {import("../wire.js").InvitationMade | null} */ (null));
  const list = useSignal(/** @type {InvitationInfo[]} */ ([]));
  const fault = useSignal("");
  const attempt = async (/** @type {() => Promise<void>} */ act) => {
    fault.value = "";
    await act().catch((error) => (fault.value = meetingFault(codeOf(error))));
  };
  const api = currentCall()?.meeting.api;
  const load = () => attempt(async () => void (list.value = ((await api?.invitations())?.items ?? []).filter((one) => !one.revoked)));
  useEffect(() => void load(), []);
  const make = (/** @type {Partial<import("../wire.js").InvitationCreate>} */ wish, /** @type {unknown} */ chosen) => attempt(async () => {
    made.value = (await api?.invite(wish, chosen)) ?? null;
    await load();
  });
  const take = (/** @type {string} */ id) => attempt(async () => {
    await api?.uninvite(id);
    if (made.value?.id === id) made.value = null;
    await load();
  });
  return html`<section class="invite-part" aria-labelledby="invitations">
    <h3 id="invitations"><${Icon} name="link" size=${18} />Invitation links</h3>
    <p class="hint">Whoever has one needs no PIN; guests still wait where there is a lobby. It ends when you choose, and you can take it back.</p>
    <${InvitationForm} onMake=${make} />
    ${fault.value && html`<p class="field-error" role="alert">${fault.value}</p>`}
    ${made.value && html`<${CopyField} label="New invitation, shown this once" text=${made.value.url} what="Invitation" />`}
    ${list.value.length > 0 && html`<ul class="invitations">
      ${list.value.map((one) => html`<li key=${one.id}><span>${wordsOf(one)}</span>
        <button type="button" class="button button-small" onClick=${() => take(one.id)}>Take back</button></li>`)}
    </ul>`}
  </section>`;
}

/** @param {{ onMake: (wish: Partial<import("../wire.js").InvitationCreate>, chosen: unknown) => Promise<void> }} props */
function InvitationForm({ onMake }) {
  const role = useSignal("guest");
  const term = useSignal(24 * HOUR_S);
  const uses = useSignal(10);
  const busy = useSignal(false);
  const make = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    await onMake({
      role: role.value === "host" ? "host" : "guest",
      ...(term.value ? { expires_at: Date.now() / 1000 + term.value } : {}),
      ...(uses.value ? { max_uses: uses.value } : {}),
    }, [role.value, term.value, uses.value]);
    busy.value = false;
  };
  return html`<form class="invitation-form" onSubmit=${make}>
    <${Pick} label="For" value=${role.value} choices=${[["guest", "guests"], ["host", "hosts"]]} onPick=${(/** @type {string} */ value) => (role.value = value)} />
    <${Pick} label="Lasts" value=${String(term.value)} choices=${TERMS} onPick=${(/** @type {string} */ value) => (term.value = Number(value))} />
    <${Pick} label="Lets in" value=${String(uses.value)} choices=${USES} onPick=${(/** @type {string} */ value) => (uses.value = Number(value))} />
    <button type="submit" class="button" disabled=${busy.value}><${Icon} name="plus" size=${18} />Make a link</button>
  </form>`;
}

/** @param {{ label: string, value: string, choices: ReadonlyArray<readonly [string | number, string]>, onPick: (value: string) => void }} props */
function Pick({ label, value, choices, onPick }) {
  return html`<label class="pick"><span>${label}</span>
    <select value=${value} onChange=${(/** @type {Event} */ event) => onPick(/** @type {HTMLSelectElement} */ (event.target).value)}>
      ${choices.map(([key, words]) => html`<option key=${key} value=${String(key)} selected=${String(key) === value}>${words}</option>`)}
    </select>
  </label>`;
}

/** @param {InvitationInfo} one */
function wordsOf({ role, uses, max_uses, expires_at, note }) {
  const end = expires_at === null ? "for ever" : `until ${new Date(expires_at * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}`;
  const used = max_uses === null ? `used ${uses} times` : `used ${uses} of ${max_uses} times`;
  return `${note ? `${note}: ` : ""}${role === "host" ? "hosts" : "guests"}, ${used}, ${end}`;
}
