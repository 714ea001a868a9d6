/** /reset#secret: a new password by a one-time link. */

import { html } from "../../vendor/preact.js";
import { loadSession } from "../account.js";
import { navigate } from "../screens.js";
import { toast } from "../store.js";
import { LABELS, NEEDED, RESET } from "../texts/account.js";
import { FormFault, PasswordField, SubmitButton } from "./kit/fields.js";
import { missing, useForm } from "./kit/form.js";
import { CardPage } from "./kit/frame.js";
import { useReset } from "./rest.js";

/** @param {import("../router.js").PageProps} props */
export function Page({ secret }) {
  const form = useForm(
    { password: "" },
    async ({ password }) => {
      await useReset({ secret, password });
      toast(RESET.done);
      await loadSession();
      await navigate("/signin");
    },
    (values) => missing(values, { password: NEEDED.new }),
  );
  if (!secret) return html`<${CardPage} title=${RESET.noSecret} lead=${RESET.noSecretDetail} />`;
  return html`<${CardPage} title=${RESET.title} lead=${RESET.lead}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${PasswordField} form=${form} name="password" label=${LABELS.newPassword} autocomplete="new-password" fresh />
      <${SubmitButton} form=${form} wide>${RESET.action}<//>
    </form>
  <//>`;
}
