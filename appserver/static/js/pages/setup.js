/** /setup#secret: the first administrator. */

import { html } from "../../vendor/preact.js";
import { setUp } from "../account.js";
import { navigate } from "../screens.js";
import { toast } from "../store.js";
import { LABELS, SET_UP } from "../texts/account.js";
import { FormFault, SubmitButton } from "./kit/fields.js";
import { useForm } from "./kit/form.js";
import { CardPage } from "./kit/frame.js";
import { NewAccountFields, newAccount, NO_ACCOUNT, wishOf } from "./kit/newaccount.js";

/** @param {import("../router.js").PageProps} props */
export function Page({ secret }) {
  const form = useForm(
    NO_ACCOUNT,
    async (values) => {
      await setUp({ ...wishOf(values), secret });
      toast(SET_UP.done);
      await navigate("/rooms");
    },
    newAccount,
  );
  if (!secret) return html`<${CardPage} title=${SET_UP.noSecret} lead=${SET_UP.noSecretDetail} />`;
  return html`<${CardPage} title=${SET_UP.title} lead=${SET_UP.lead}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${NewAccountFields} form=${form} passwordLabel=${LABELS.password} />
      <${SubmitButton} form=${form} wide>${SET_UP.action}<//>
    </form>
  <//>`;
}
