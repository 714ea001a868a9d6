/** A room's members. */

import { html, useSignal } from "../../../vendor/preact.js";
import { codeOf } from "../../problem.js";
import { LIST_MS, useRefresh } from "../../refresh.js";
import { toast } from "../../store.js";
import { sentence } from "../../texts/problems.js";
import { ROLES, ROOM } from "../../texts/rooms.js";
import { Avatar } from "../../views/common.js";
import { Icon } from "../../views/icons.js";
import { FormFault, SelectField, SubmitButton, TextField } from "../kit/fields.js";
import { missing, useForm } from "../kit/form.js";
import { Section } from "../kit/frame.js";
import { Empty, Listing, usePages } from "../kit/load.js";
import { deleteMember, listMembers, putMember } from "../rest.js";

/** @typedef {import("../../wire.js").MemberInfo} MemberInfo */

/** @param {{ room: import("../../wire.js").RoomDetail, mayChange: boolean }} props */
export function Members({ room, mayChange }) {
  const pages = usePages(() => listMembers(room.id), room.id);
  useRefresh(pages.refresh, LIST_MS, ["members"]);
  const act = (/** @type {Promise<unknown>} */ done, /** @type {string} */ said) =>
    done.then(
      () => {
        if (said) toast(said);
        pages.reload();
      },
      (error) => {
        toast(sentence(codeOf(error)), "warning");
        pages.reload();
      },
    );
  return html`<${Section} title=${ROOM.members} lead=${ROOM.membersLead}>
    ${mayChange && html`<${NewMember} room=${room.id} onAdded=${pages.reload} />`}
    <${Listing} pages=${pages} empty=${html`<${Empty} icon="people" title=${ROOM.membersNone} detail=${ROOM.membersNoneDetail} />`}>
      <ul class="entries">${pages.items?.map((one) => html`<${Row} key=${one.user} one=${one} mayChange=${mayChange}
        onRole=${(/** @type {MemberInfo["role"]} */ role) => void act(putMember(room.id, one.user, role), ROOM.saved)}
        onRemove=${() => void act(deleteMember(room.id, one.user), ROOM.memberGone(one.display_name))} />`)}</ul>
    <//>
  <//>`;
}

/** @param {{ one: MemberInfo, mayChange: boolean, onRole: (role: MemberInfo["role"]) => void, onRemove: () => void }} props */
function Row({ one, mayChange, onRole, onRemove }) {
  const chosen = (/** @type {Event} */ event) => onRole(/** @type {HTMLSelectElement} */ (event.target).value === "host" ? "host" : "guest");
  return html`<li class="entry">
    <span class="voice voice-small"><${Avatar} name=${one.display_name} /></span>
    <div class="entry-text"><strong dir="auto">${one.display_name}</strong><p class="hint">${one.login}</p></div>
    ${mayChange ? html`<span class="select select-plain select-small"><select aria-label=${ROOM.memberRoleOf(one.display_name)} value=${one.role} onChange=${chosen}>
        ${ROLES.map(([role, words]) => html`<option key=${role} value=${role} selected=${one.role === role}>${words}</option>`)}
      </select><${Icon} name="down" /></span>
      <button type="button" class="button button-small" onClick=${onRemove}>${ROOM.memberRemove}<span class="hidden"> ${one.display_name}</span></button>`
    : html`<span class="tag">${ROLES.find(([role]) => role === one.role)?.[1]}</span>`}
  </li>`;
}

/** @param {{ room: string, onAdded: () => void }} props */
function NewMember({ room, onAdded }) {
  const added = useSignal(0);
  const form = useForm(
    { user: "", role: "guest" },
    async ({ user, role }) => {
      const member = await putMember(room, user.trim(), role === "host" ? "host" : "guest");
      toast(ROOM.memberAdded(member.display_name));
      form.reset();
      added.value += 1;
      onAdded();
    },
    (values) => missing(values, { user: ROOM.memberNeeded }),
  );
  return html`<form class="inline-form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
    <${FormFault} form=${form} />
    <${TextField} form=${form} name="user" label=${ROOM.memberLogin} maxlength=${128} />
    <${SelectField} key=${added.value} form=${form} name="role" label=${ROOM.memberRole} options=${ROLES} />
    <${SubmitButton} form=${form} tone="plain">${ROOM.memberAdd}<//>
  </form>`;
}
