/** A new account, made by an administrator. */

import { html } from "../../../vendor/preact.js";
import { LABELS, NEEDED } from "../../texts/account.js";
import { USER_ROLES, USERS } from "../../texts/admin.js";
import { Sheet } from "../kit/dialog.js";
import { FormFault, PasswordField, SelectField, SubmitButton, TextField } from "../kit/fields.js";
import { missing, useForm } from "../kit/form.js";
import { makeUser } from "../rest.js";

/** @param {{ onMade: (user: import("../../wire.js").UserInfo, wantsLink: boolean) => void, onClose: () => void }} props */
export function NewUser({ onMade, onClose }) {
  const form = useForm(
    { display_name: "", login: "", mail: "", role: "user", password: "" },
    async ({ display_name, login, mail, role, password }) => {
      const wish = { display_name, login, role: /** @type {import("../../wire.js").UserInfo["role"]} */ (role) };
      onMade(await makeUser({ ...wish, ...(mail.trim() ? { mail: mail.trim() } : {}), ...(password ? { password } : {}) }), !password);
    },
    (values) => missing(values, { display_name: NEEDED.display_name, login: NEEDED.login }),
  );
  return html`<${Sheet} title=${USERS.create} onClose=${onClose}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${TextField} form=${form} name="display_name" label=${LABELS.displayName} maxlength=${64} />
      <${TextField} form=${form} name="login" label=${LABELS.newLogin} hint=${LABELS.loginHint} maxlength=${128} />
      <${TextField} form=${form} name="mail" label=${LABELS.mail} type="email" maxlength=${254} optional />
      <${SelectField} form=${form} name="role" label=${USERS.role} options=${USER_ROLES} />
      <${PasswordField} form=${form} name="password" label=${LABELS.password} hint=${USERS.passwordHint} autocomplete="new-password" fresh />
      <div class="buttons"><${SubmitButton} form=${form}>${USERS.make}<//></div>
    </form>
  <//>`;
}
