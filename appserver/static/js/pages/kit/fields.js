/** The fields of forms: a label, the control, a hint, and what is wrong with it. */

import { html, useId, useSignal } from "../../../vendor/preact.js";
import { Alert } from "../../views/common.js";
import { Icon } from "../../views/icons.js";
import { session } from "../../account.js";
import { FIELD_WORDS, passwordHint } from "../../texts/account.js";
import { MIN_LENGTH, strength } from "./strength.js";

/** @typedef {import("./form.js").Form<any>} AnyForm */

/**
 * @typedef {object} FieldProps
 * @property {AnyForm} form
 * @property {string} name of the value
 * @property {string} label
 * @property {string} [hint]
 * @property {string} [type]
 * @property {string} [autocomplete]
 * @property {string} [inputmode]
 * @property {number} [maxlength]
 * @property {string} [placeholder]
 * @property {boolean} [optional]
 */

/** @param {Event} event */
function valueOf(event) {
  return /** @type {HTMLInputElement} */ (event.target).value;
}

/** @param {FieldProps} props */
export function TextField({ form, name, label, hint, type = "text", autocomplete = "off", inputmode, maxlength = 256, placeholder, optional = false }) {
  const id = useId();
  return html`<${Field} id=${id} form=${form} name=${name} label=${label} hint=${hint} optional=${optional}>
    <input id=${id} name=${name} type=${type} autocomplete=${autocomplete} inputmode=${inputmode} maxlength=${maxlength} placeholder=${placeholder}
      autocapitalize=${name === "display_name" || name === "name" ? "words" : "off"} spellcheck=${false} value=${form.values[name]}
      aria-invalid=${Boolean(form.faults[name])} aria-describedby=${describedBy(id, form.faults[name], hint)}
      onInput=${(/** @type {Event} */ event) => form.set(name, valueOf(event))} />
  <//>`;
}

/** A password: shown on request, pasted as one likes. @param {FieldProps & { fresh?: boolean }} props  `fresh`: a new one, whose strength is shown */
export function PasswordField({ form, name, label, hint, autocomplete = "current-password", fresh = false }) {
  const id = useId();
  const shown = useSignal(false);
  const words = fresh ? passwordHint(shortest()) : hint;
  return html`<${Field} id=${id} form=${form} name=${name} label=${label} hint=${words}>
    <span class="password">
      <input id=${id} name=${name} type=${shown.value ? "text" : "password"} autocomplete=${autocomplete} maxlength="1024" autocapitalize="off" spellcheck=${false}
        value=${form.values[name]} aria-invalid=${Boolean(form.faults[name])} aria-describedby=${describedBy(id, form.faults[name], words)}
        onInput=${(/** @type {Event} */ event) => form.set(name, valueOf(event))} />
      <button type="button" class="button button-ghost button-small" aria-pressed=${shown.value} aria-controls=${id} onClick=${() => (shown.value = !shown.value)}>
        ${shown.value ? FIELD_WORDS.hide : FIELD_WORDS.show}<span class="hidden"> ${label}</span>
      </button>
    </span>
    ${fresh && html`<${Strength} password=${String(form.values[name])} />`}
  <//>`;
}

/** Characters that a new password needs here. */
function shortest() {
  return session.value?.password_min ?? MIN_LENGTH;
}

/** @param {{ password: string }} props */
function Strength({ password }) {
  const grade = strength(password, shortest());
  return html`<div class=${`strength ${password ? "" : "hidden"}`} data-grade=${grade}>
    <span class="strength-bar" aria-hidden="true"></span>
    <span class="hint" role="status">${password ? FIELD_WORDS.strengths[grade] : ""}</span>
  </div>`;
}

/** @param {FieldProps & { options: readonly (readonly [string, string])[] }} props  `options`: value and label */
export function SelectField({ form, name, label, hint, options }) {
  const id = useId();
  return html`<${Field} id=${id} form=${form} name=${name} label=${label} hint=${hint}>
    <span class="select select-plain">
      <select id=${id} name=${name} value=${form.values[name]} aria-describedby=${describedBy(id, form.faults[name], hint)}
        onChange=${(/** @type {Event} */ event) => form.set(name, valueOf(event))}>
        ${options.map(([value, words]) => html`<option key=${value} value=${value} selected=${form.values[name] === value}>${words}</option>`)}
      </select>
      <${Icon} name="down" />
    </span>
  <//>`;
}

/** @param {FieldProps} props */
export function SwitchField({ form, name, label, hint }) {
  const id = useId();
  return html`<div class="switch">
    <input id=${id} name=${name} type="checkbox" role="switch" checked=${form.values[name]} aria-describedby=${hint ? `${id}-hint` : undefined}
      onChange=${(/** @type {Event} */ event) => form.set(name, /** @type {HTMLInputElement} */ (event.target).checked)} />
    <label for=${id}>${label}</label>
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
  </div>`;
}

/** Several of a few. @param {FieldProps & { options: readonly (readonly [string, string])[] }} props */
export function ChoicesField({ form, name, label, options }) {
  const id = useId();
  const chosen = /** @type {string[]} */ (form.values[name]);
  const turn = (/** @type {string} */ value) => form.set(name, chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  return html`<fieldset class="choices" aria-describedby=${form.faults[name] ? `${id}-fault` : undefined}>
    <legend>${label}</legend>
    ${options.map(([value, words]) => html`<label key=${value} class="choice">
      <input type="checkbox" checked=${chosen.includes(value)} onChange=${() => turn(value)} /><span>${words}</span>
    </label>`)}
    ${form.faults[name] && html`<p class="field-error" id=${`${id}-fault`} role="alert">${form.faults[name]}</p>`}
  </fieldset>`;
}

/** What the form as a whole was refused for. @param {{ form: AnyForm }} props */
export function FormFault({ form }) {
  return form.faults[""] ? html`<${Alert} tone="danger" title=${FIELD_WORDS.refused} detail=${form.faults[""]} />` : null;
}

/** @param {{ form: AnyForm, wide?: boolean, tone?: string, children?: unknown }} props */
export function SubmitButton({ form, wide = false, tone = "primary", children }) {
  return html`<button type="submit" class=${`button button-${tone} ${wide ? "button-large button-wide" : ""}`} aria-disabled=${form.busy} aria-busy=${form.busy}>
    ${form.busy && html`<span class="spinner" aria-hidden="true"></span>`}${children}
  </button>`;
}

/** @param {{ id: string, form: AnyForm, name: string, label: string, hint?: string, optional?: boolean, children?: unknown }} props */
function Field({ id, form, name, label, hint, optional = false, children }) {
  const fault = form.faults[name];
  return html`<div class="field">
    <label for=${id}>${label}${optional && html` <span class="optional">${FIELD_WORDS.optional}</span>`}</label>
    ${children}
    ${fault && html`<p class="field-error" id=${`${id}-fault`} role="alert">${fault}</p>`}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
  </div>`;
}

/**
 * @param {string} id
 * @param {string | undefined} fault
 * @param {string | undefined} hint
 */
function describedBy(id, fault, hint) {
  return [fault ? `${id}-fault` : "", hint ? `${id}-hint` : ""].filter(Boolean).join(" ") || undefined;
}
