/** Ending the own account, for good. */

import { html, useSignal } from "../../../vendor/preact.js";
import { loadSession } from "../../account.js";
import { navigate } from "../../screens.js";
import { toast } from "../../store.js";
import { LABELS, ME, NEEDED } from "../../texts/account.js";
import { Sheet } from "../kit/dialog.js";
import { FormFault, PasswordField, SubmitButton } from "../kit/fields.js";
import { missing, useForm } from "../kit/form.js";
import { Section } from "../kit/frame.js";
import { endAccount } from "../rest.js";

export function EndAccount() {
  const asked = useSignal(false);
  const form = useForm(
    { password: "" },
    async ({ password }) => {
      await endAccount(password);
      await navigate("/");
      await loadSession();
      toast(ME.endDone);
    },
    (values) => missing(values, { password: NEEDED.password }),
  );
  return html`<${Section} title=${ME.end} lead=${ME.endLead} danger>
    <div class="buttons"><button type="button" class="button button-danger-quiet" onClick=${() => (asked.value = true)}>${ME.endAction}</button></div>
    ${asked.value && html`<${Sheet} title=${ME.endTitle} onClose=${() => (asked.value = false)}>
      <p>${ME.endLead}</p>
      <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
        <${FormFault} form=${form} />
        <${PasswordField} form=${form} name="password" label=${LABELS.password} />
        <div class="buttons"><${SubmitButton} form=${form} tone="danger">${ME.endAction}<//></div>
      </form>
    <//>`}
  <//>`;
}
