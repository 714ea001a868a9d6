/** The API keys of the own account. */

import { html, useSignal } from "../../../vendor/preact.js";
import { KEY_DAYS, ME, NEEDED, SCOPES } from "../../texts/account.js";
import { FIELDS } from "../../texts/problems.js";
import { Icon } from "../../views/icons.js";
import { CopyField } from "../kit/copy.js";
import { Confirm, Sheet } from "../kit/dialog.js";
import { ChoicesField, FormFault, SelectField, SubmitButton, TextField } from "../kit/fields.js";
import { missing, useForm } from "../kit/form.js";
import { Link, Section } from "../kit/frame.js";
import { Empty, Listing, usePages } from "../kit/load.js";
import { ago, moment } from "../kit/times.js";
import { endKey, listKeys, makeKey } from "../rest.js";

const DAY_S = 86_400;

/** @param {{ admin: boolean }} props */
export function Keys({ admin }) {
  const pages = usePages(listKeys);
  const making = useSignal(false);
  const ending = useSignal(/** @type {import("../../wire.js").KeyInfo | null} */ (null));
  const add = html`<button type="button" class="button button-small" onClick=${() => (making.value = true)}><${Icon} name="plus" size=${16} />${ME.keyNew}</button>`;
  const gone = ending.value;
  return html`<${Section} title=${ME.keys} lead=${html`${ME.keysLead} <${Link} to="/api">${ME.keysApi}<//>`} actions=${add}>
    <${Listing} pages=${pages} empty=${html`<${Empty} icon="key" title=${ME.keysNone} detail=${ME.keysNoneDetail} />`}>
      <ul class="entries">${pages.items?.map((one) => html`<li key=${one.id} class="entry">
        <div class="entry-text"><strong dir="auto">${one.name}</strong> <code>${one.hint}…</code>
          <p class="hint">${[one.scopes.join(", "), one.used_at ? ME.keyUsed(ago(one.used_at)) : ME.keyUnused, one.expires_at ? ME.keyEnds(moment(one.expires_at)) : ME.keyNoEnd].join(" · ")}</p></div>
        <button type="button" class="button button-small" onClick=${() => (ending.value = one)}>${ME.keyEnd}<span class="hidden"> ${one.name}</span></button>
      </li>`)}</ul>
    <//>
    ${making.value && html`<${NewKey} admin=${admin} onClose=${() => { making.value = false; pages.reload(); }} />`}
    ${gone && html`<${Confirm} title=${ME.keyEndTitle(gone.name)} detail=${ME.keyEndDetail} action=${ME.keyEnd}
      onConfirm=${async () => { await endKey(gone.id); pages.reload(); }} onClose=${() => (ending.value = null)} />`}
  <//>`;
}

/** @param {{ admin: boolean, onClose: () => void }} props */
function NewKey({ admin, onClose }) {
  const made = useSignal("");
  const form = useForm(
    { name: "", scopes: /** @type {string[]} */ (["rooms:read"]), days: "90" },
    async ({ name, scopes, days }) => {
      const chosen = SCOPES.map(([scope]) => scope).filter((scope) => scopes.includes(scope));
      const key = await makeKey({ name, scopes: chosen, expires_at: days ? Math.round(Date.now() / 1000) + Number(days) * DAY_S : null }, [name, chosen, days]);
      made.value = key.key;
    },
    (values) => ({ ...missing(values, { name: NEEDED.display_name }), .../** @type {{}} */ (values.scopes.length ? {} : { scopes: FIELDS.scopes }) }),
  );
  if (made.value) {
    return html`<${Sheet} title=${ME.keyMade} onClose=${onClose}>
      <${CopyField} label=${ME.keyMade} value=${made.value} hint=${ME.keyOnce} />
      <div class="buttons"><button type="button" class="button button-primary" onClick=${onClose}>${ME.keyDone}</button></div>
    <//>`;
  }
  return html`<${Sheet} title=${ME.keyNew} onClose=${onClose}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${TextField} form=${form} name="name" label=${ME.keyName} maxlength=${64} />
      <${ChoicesField} form=${form} name="scopes" label=${ME.keyScopes} options=${SCOPES.filter(([scope]) => admin || scope !== "admin")} />
      <${SelectField} form=${form} name="days" label=${ME.keyExpires} options=${KEY_DAYS} />
      <div class="buttons"><${SubmitButton} form=${form}>${ME.keyNew}<//></div>
    </form>
  <//>`;
}
