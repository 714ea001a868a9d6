/** /forgot: asks for a link that sets a new password. The answer is the same whoever asks. */

import { html, useSignal } from "../../vendor/preact.js";
import { session } from "../account.js";
import { FORGOT, LABELS, NEEDED } from "../texts/account.js";
import { FormFault, SubmitButton, TextField } from "./kit/fields.js";
import { missing, useForm } from "./kit/form.js";
import { CardPage, Link } from "./kit/frame.js";
import { askReset } from "./rest.js";

export function Page() {
  const sent = useSignal(false);
  const form = useForm(
    { login: "" },
    async ({ login }) => {
      await askReset(login.trim());
      sent.value = true;
    },
    (values) => missing(values, { login: NEEDED.login }),
  );
  const below = html`<p><${Link} to="/signin">${FORGOT.back}<//></p>`;
  if (session.value && !session.value.mail) return html`<${CardPage} title=${FORGOT.noMail} lead=${FORGOT.noMailDetail} below=${below} />`;
  if (sent.value) return html`<${CardPage} key="sent" title=${FORGOT.sent} lead=${FORGOT.sentDetail} below=${below} />`;
  return html`<${CardPage} key="ask" title=${FORGOT.title} lead=${FORGOT.lead} below=${below}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${TextField} form=${form} name="login" label=${LABELS.login} autocomplete="username" />
      <${SubmitButton} form=${form} wide>${FORGOT.action}<//>
    </form>
  <//>`;
}
