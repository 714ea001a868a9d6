/** /signup: an account for oneself, where the configuration lets everybody make one. */

import { html } from "../../vendor/preact.js";
import { session, signUp } from "../account.js";
import { navigate } from "../screens.js";
import { LABELS, SIGN_IN, SIGN_UP } from "../texts/account.js";
import { FormFault, SubmitButton } from "./kit/fields.js";
import { useForm } from "./kit/form.js";
import { CardPage, Link } from "./kit/frame.js";
import { NewAccountFields, newAccount, NO_ACCOUNT, wishOf } from "./kit/newaccount.js";

/** @param {import("../router.js").PageProps} props */
export function Page({ next }) {
  const form = useForm(
    NO_ACCOUNT,
    async (values) => {
      await signUp(wishOf(values));
      await navigate(next);
    },
    newAccount,
  );
  const below = html`<p>${SIGN_UP.have} <${Link} to=${`/signin?next=${encodeURIComponent(next)}`}>${SIGN_IN.action}<//></p>`;
  if (session.value && !session.value.sign_up) return html`<${CardPage} title=${SIGN_UP.closed} lead=${SIGN_UP.closedDetail} below=${below} />`;
  return html`<${CardPage} title=${SIGN_UP.title} lead=${SIGN_UP.lead} below=${below}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${NewAccountFields} form=${form} passwordLabel=${LABELS.password} />
      <${SubmitButton} form=${form} wide>${SIGN_UP.action}<//>
    </form>
  <//>`;
}
