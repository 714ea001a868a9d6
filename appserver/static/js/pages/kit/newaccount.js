/** The fields of a new account: for oneself, and for the first administrator. */

import { html } from "../../../vendor/preact.js";
import { LABELS, NEEDED } from "../../texts/account.js";
import { PasswordField, TextField } from "./fields.js";
import { missing } from "./form.js";

/** @typedef {{ display_name: string, login: string, mail: string, password: string }} NewAccount */

/** @type {NewAccount} */
export const NO_ACCOUNT = Object.freeze({ display_name: "", login: "", mail: "", password: "" });

/** @param {NewAccount} values @returns {import("./form.js").Faults} what is missing */
export function newAccount(values) {
  return missing(values, { display_name: NEEDED.display_name, login: NEEDED.login, password: NEEDED.password });
}

/** @param {NewAccount} values */
export function wishOf({ mail, ...rest }) {
  return { ...rest, ...(mail.trim() ? { mail: mail.trim() } : {}) };
}

/** @param {{ form: import("./form.js").Form<any>, passwordLabel: string }} props */
export function NewAccountFields({ form, passwordLabel }) {
  return html`<${TextField} form=${form} name="display_name" label=${LABELS.displayName} hint=${LABELS.displayNameHint} autocomplete="name" maxlength=${64} />
    <${TextField} form=${form} name="login" label=${LABELS.newLogin} hint=${LABELS.loginHint} autocomplete="username" maxlength=${128} />
    <${TextField} form=${form} name="mail" label=${LABELS.mail} type="email" autocomplete="email" maxlength=${254} optional />
    <${PasswordField} form=${form} name="password" label=${passwordLabel} autocomplete="new-password" fresh />`;
}
