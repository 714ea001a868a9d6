/** /signin: in by name and password, and on to what was asked for. */

import { html } from "../../vendor/preact.js";
import { session, signIn } from "../account.js";
import { navigate } from "../screens.js";
import { LABELS, NEEDED, SIGN_IN } from "../texts/account.js";
import { FormFault, PasswordField, SubmitButton, TextField } from "./kit/fields.js";
import { missing, useForm } from "./kit/form.js";
import { CardPage, Link } from "./kit/frame.js";

/** @param {import("../router.js").PageProps} props */
export function Page({ next }) {
  const form = useForm(
    { login: "", password: "" },
    async ({ login, password }) => {
      await signIn(login.trim(), password);
      await navigate(next);
    },
    (values) => missing(values, { login: NEEDED.login, password: NEEDED.password }),
  );
  const below = html`${session.value?.sign_up && html`<p>${SIGN_IN.noAccount} <${Link} to=${`/signup?next=${encodeURIComponent(next)}`}>${SIGN_IN.signUp}<//></p>`}
    <p>${SIGN_IN.needless}</p>`;
  return html`<${CardPage} title=${SIGN_IN.title} lead=${SIGN_IN.lead} below=${below}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${TextField} form=${form} name="login" label=${LABELS.login} autocomplete="username" />
      <${PasswordField} form=${form} name="password" label=${LABELS.password} />
      <${SubmitButton} form=${form} wide>${SIGN_IN.action}<//>
      <p class="form-link"><${Link} to="/forgot">${SIGN_IN.forgot}<//></p>
    </form>
  <//>`;
}
