/** The accounts of the installation. */

import { html, useSignal } from "../../../vendor/preact.js";
import { user } from "../../account.js";
import { codeOf } from "../../problem.js";
import { toast } from "../../store.js";
import { USER_ROLES, USERS } from "../../texts/admin.js";
import { sentence } from "../../texts/problems.js";
import { Avatar } from "../../views/common.js";
import { Icon } from "../../views/icons.js";
import { CopyField } from "../kit/copy.js";
import { Confirm, Sheet } from "../kit/dialog.js";
import { Empty, Listing, usePages } from "../kit/load.js";
import { SearchBox } from "../kit/search.js";
import { ago } from "../kit/times.js";
import { deleteUser, listUsers, makeResetLink, patchUser } from "../rest.js";
import { NewUser } from "./newuser.js";

/** @typedef {import("../../wire.js").UserInfo} UserInfo */

export function Users() {
  const search = useSignal("");
  const pages = usePages((mark) => listUsers(search.value, mark), search.value);
  const making = useSignal(false);
  const link = useSignal("");
  const ending = useSignal(/** @type {UserInfo | null} */ (null));
  const act = (/** @type {Promise<unknown>} */ done) =>
    done.then(() => toast(USERS.saved), (error) => toast(sentence(codeOf(error)), "warning")).then(pages.reload);
  const linkFor = (/** @type {string} */ id) => makeResetLink(id).then(({ url }) => (link.value = url), (error) => toast(sentence(codeOf(error)), "warning"));
  const made = (/** @type {UserInfo} */ fresh, /** @type {boolean} */ wantsLink) => {
    making.value = false;
    toast(USERS.made(fresh.display_name));
    pages.reload();
    if (wantsLink) void linkFor(fresh.id);
  };
  const gone = ending.value;
  return html`<div class="filters">
      <${SearchBox} label=${USERS.search} onSearch=${(/** @type {string} */ text) => (search.value = text)} />
      <button type="button" class="button button-primary" onClick=${() => (making.value = true)}><${Icon} name="plus" />${USERS.create}</button>
    </div>
    <${Listing} pages=${pages} empty=${html`<${Empty} icon="people" title=${USERS.none} detail=${USERS.noneDetail} />`}>
      <ul class="entries entries-card">${pages.items?.map((one) => html`<${Row} key=${one.id} one=${one} onPatch=${(/** @type {import("../../wire.js").UserPatch} */ wish) => void act(patchUser(one.id, wish))}
        onLink=${() => void linkFor(one.id)} onEnd=${() => (ending.value = one)} />`)}</ul>
    <//>
    ${making.value && html`<${NewUser} onMade=${made} onClose=${() => (making.value = false)} />`}
    ${link.value && html`<${Sheet} title=${USERS.link} onClose=${() => (link.value = "")}>
      <${CopyField} label=${USERS.link} value=${link.value} hint=${USERS.linkHint} />
      <div class="buttons"><button type="button" class="button button-primary" onClick=${() => (link.value = "")}>${USERS.done}</button></div>
    <//>`}
    ${gone && html`<${Confirm} title=${USERS.removeTitle(gone.display_name)} detail=${USERS.removeDetail} action=${USERS.remove}
      onConfirm=${async () => { await deleteUser(gone.id); toast(USERS.removed); pages.reload(); }} onClose=${() => (ending.value = null)} />`}`;
}

/** @param {{ one: UserInfo, onPatch: (wish: import("../../wire.js").UserPatch) => void, onLink: () => void, onEnd: () => void }} props */
function Row({ one, onPatch, onLink, onEnd }) {
  const chosen = (/** @type {Event} */ event) => onPatch({ role: /** @type {UserInfo["role"]} */ (/** @type {HTMLSelectElement} */ (event.target).value) });
  const own = one.id === user.value?.id;
  const name = html`<span class="hidden"> ${one.display_name}</span>`;
  return html`<li class="entry">
    <span class="voice voice-small"><${Avatar} name=${one.display_name} /></span>
    <div class="entry-text"><strong dir="auto">${one.display_name}</strong>${own && html` <span class="tag tag-good">${USERS.you}</span>`}${!one.enabled && html` <span class="tag tag-poor">${USERS.disabled}</span>`}
      <p class="hint">${[one.login, one.mail === one.login ? "" : one.mail, one.signed_in_at ? USERS.seen(ago(one.signed_in_at)) : USERS.never].filter(Boolean).join(" · ")}</p></div>
    <div class="entry-actions">
      <span class="select select-plain select-small"><select aria-label=${USERS.roleOf(one.display_name)} value=${one.role} disabled=${own} onChange=${chosen}>
        ${USER_ROLES.map(([role, words]) => html`<option key=${role} value=${role} selected=${one.role === role}>${words}</option>`)}
      </select><${Icon} name="down" /></span>
      ${!own && html`<button type="button" class="button button-small" onClick=${onLink}>${USERS.reset}${name}</button>
      <button type="button" class="button button-small" onClick=${() => onPatch({ enabled: !one.enabled })}>${one.enabled ? USERS.disable : USERS.enable}${name}</button>
      <button type="button" class="button button-small" onClick=${onEnd}>${USERS.remove}${name}</button>`}
    </div>
  </li>`;
}
