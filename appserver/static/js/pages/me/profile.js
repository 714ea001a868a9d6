/** The own name and mail address. */

import { html } from "../../../vendor/preact.js";
import { rename } from "../../account.js";
import { toast } from "../../store.js";
import { LABELS, ME, NEEDED } from "../../texts/account.js";
import { FormFault, PasswordField, SubmitButton, TextField } from "../kit/fields.js";
import { missing, useForm } from "../kit/form.js";
import { Section } from "../kit/frame.js";
import { patchMe } from "../rest.js";

/** @param {{ who: import("../../wire.js").UserInfo }} props */
export function Profile({ who }) {
  const form = useForm(
    { display_name: who.display_name, mail: who.mail ?? "", password: "" },
    async (values) => {
      const moved = values.mail.trim() !== (who.mail ?? "");
      rename(await patchMe({ display_name: values.display_name, ...(moved ? { mail: values.mail.trim(), password: values.password } : {}) }));
      form.set("password", "");
      toast(ME.saved);
    },
    (values) => missing(values, { display_name: NEEDED.display_name, ...(values.mail.trim() === (who.mail ?? "") ? {} : { password: NEEDED.current }) }),
  );
  const moved = String(form.values.mail).trim() !== (who.mail ?? "");
  return html`<${Section} title=${ME.profile}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${TextField} form=${form} name="display_name" label=${LABELS.displayName} hint=${LABELS.displayNameHint} autocomplete="name" maxlength=${64} />
      <${TextField} form=${form} name="mail" label=${LABELS.mail} type="email" autocomplete="email" maxlength=${254} optional />
      ${moved && html`<${PasswordField} form=${form} name="password" label=${LABELS.currentPassword} hint=${ME.mailPassword} />`}
      <div class="buttons"><${SubmitButton} form=${form}>${ME.profileSave}<//></div>
    </form>
  <//>`;
}
