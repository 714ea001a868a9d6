/** A room's invitations: links that let people in. */

import { html, useSignal } from "../../../vendor/preact.js";
import { LIST_MS, useRefresh } from "../../refresh.js";
import { INVITE_DAYS, ROLES, ROOM } from "../../texts/rooms.js";
import { Icon } from "../../views/icons.js";
import { CopyField } from "../kit/copy.js";
import { Confirm, Sheet } from "../kit/dialog.js";
import { FormFault, SelectField, SubmitButton, TextField } from "../kit/fields.js";
import { useForm } from "../kit/form.js";
import { Section } from "../kit/frame.js";
import { Empty, Listing, usePages } from "../kit/load.js";
import { ago, moment } from "../kit/times.js";
import { endInvitation, listInvitations, makeInvitation } from "../rest.js";

/** @typedef {import("../../wire.js").InvitationInfo} InvitationInfo */

const DAY_S = 86_400;

/** @param {{ room: import("../../wire.js").RoomDetail }} props */
export function Invitations({ room }) {
  const pages = usePages(() => listInvitations(room.id), room.id);
  useRefresh(pages.refresh, LIST_MS, ["invitations"]);
  const making = useSignal(false);
  const ending = useSignal(/** @type {InvitationInfo | null} */ (null));
  const add = html`<button type="button" class="button button-small" onClick=${() => (making.value = true)}><${Icon} name="plus" size=${16} />${ROOM.invite}</button>`;
  const gone = ending.value;
  return html`<${Section} title=${ROOM.invitations} lead=${ROOM.invitationsLead} actions=${add}>
    <${Listing} pages=${pages} empty=${html`<${Empty} icon="link" title=${ROOM.invitationsNone} detail=${ROOM.invitationsNoneDetail} />`}>
      <ul class="entries">${pages.items?.map((one) => html`<${Row} key=${one.id} one=${one} onEnd=${() => (ending.value = one)} />`)}</ul>
    <//>
    ${making.value && html`<${NewInvitation} room=${room.id} onClose=${() => { making.value = false; pages.reload(); }} />`}
    ${gone && html`<${Confirm} title=${ROOM.inviteEndTitle} detail=${ROOM.inviteEndDetail} action=${ROOM.inviteEnd}
      onConfirm=${async () => { await endInvitation(room.id, gone.id); pages.reload(); }} onClose=${() => (ending.value = null)} />`}
  <//>`;
}

/** @param {{ one: InvitationInfo, onEnd: () => void }} props */
function Row({ one, onEnd }) {
  const over = (one.expires_at !== null && one.expires_at * 1000 < Date.now()) || (one.max_uses !== null && one.uses >= one.max_uses);
  const role = ROLES.find(([name]) => name === one.role)?.[1];
  const facts = [ROOM.inviteUsed(one.uses, one.max_uses), one.expires_at ? ROOM.inviteEnds(moment(one.expires_at)) : "", ROOM.inviteBy(one.created_by, ago(one.created_at))];
  return html`<li class="entry">
    <div class="entry-text"><strong dir="auto">${one.note || role}</strong>${one.note && html` <span class="tag">${role}</span>`}${one.revoked ? html` <span class="tag">${ROOM.inviteRevoked}</span>` : over && html` <span class="tag">${ROOM.inviteEnded}</span>`}
      <p class="hint">${facts.filter(Boolean).join(" · ")}</p></div>
    ${!one.revoked && !over && html`<button type="button" class="button button-small" onClick=${onEnd}>${ROOM.inviteEnd}<span class="hidden"> ${one.note || role}</span></button>`}
  </li>`;
}

/** @param {{ room: string, onClose: () => void }} props */
function NewInvitation({ room, onClose }) {
  const made = useSignal("");
  const form = useForm({ note: "", role: "guest", days: "7", max_uses: "" }, async ({ note, role, days, max_uses }) => {
    const wish = {
      role: role === "host" ? /** @type {const} */ ("host") : /** @type {const} */ ("guest"),
      expires_at: days ? Math.round(Date.now() / 1000) + Number(days) * DAY_S : null,
      max_uses: max_uses ? Number(max_uses) : null,
      note,
    };
    made.value = (await makeInvitation(room, wish, [note, role, days, max_uses])).url;
  });
  if (made.value) {
    return html`<${Sheet} title=${ROOM.inviteMade} onClose=${onClose}>
      <${CopyField} label=${ROOM.inviteMade} value=${made.value} hint=${ROOM.inviteOnce} />
      <div class="buttons"><button type="button" class="button button-primary" onClick=${onClose}>${ROOM.inviteDone}</button></div>
    <//>`;
  }
  return html`<${Sheet} title=${ROOM.invite} onClose=${onClose}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${TextField} form=${form} name="note" label=${ROOM.inviteNote} maxlength=${64} optional />
      <div class="pair">
        <${SelectField} form=${form} name="role" label=${ROOM.inviteRole} options=${ROLES} />
        <${SelectField} form=${form} name="days" label=${ROOM.inviteExpires} options=${INVITE_DAYS} />
      </div>
      <${TextField} form=${form} name="max_uses" label=${ROOM.inviteUses} hint=${ROOM.inviteUsesHint} inputmode="numeric" maxlength=${5} />
      <div class="buttons"><${SubmitButton} form=${form}>${ROOM.inviteMake}<//></div>
    </form>
  <//>`;
}
