/** Changing the own password. */

import { html } from "../../../vendor/preact.js";
import { loadSession } from "../../account.js";
import { toast } from "../../store.js";
import { LABELS, ME, NEEDED } from "../../texts/account.js";
import { FormFault, PasswordField, SubmitButton } from "../kit/fields.js";
import { missing, useForm } from "../kit/form.js";
import { Section } from "../kit/frame.js";
import { changePassword } from "../rest.js";

/** @param {{ login: string }} props */
export function Password({ login }) {
  const form = useForm(
    { current: "", new: "" },
    async (values) => {
      await changePassword(values.current, values.new);
      await loadSession();
      form.reset();
      toast(ME.passwordDone);
    },
    (values) => missing(values, { current: NEEDED.current, new: NEEDED.new }),
  );
  return html`<${Section} title=${ME.password} lead=${ME.passwordLead}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <span class="hidden"><input type="text" autocomplete="username" value=${login} readonly tabindex="-1" aria-hidden="true" /></span>
      <${PasswordField} form=${form} name="current" label=${LABELS.currentPassword} />
      <${PasswordField} form=${form} name="new" label=${LABELS.newPassword} autocomplete="new-password" fresh />
      <div class="buttons"><${SubmitButton} form=${form}>${ME.passwordSave}<//></div>
    </form>
  <//>`;
}
