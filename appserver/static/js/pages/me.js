/** /me: the own account, part by part. */

import { html } from "../../vendor/preact.js";
import { user } from "../account.js";
import { ME } from "../texts/account.js";
import { Frame } from "./kit/frame.js";
import { Devices } from "./me/devices.js";
import { EndAccount } from "./me/end.js";
import { Keys } from "./me/keys.js";
import { Password } from "./me/password.js";
import { Profile } from "./me/profile.js";

export function Page() {
  const who = user.value;
  if (!who) return null;
  return html`<${Frame} title=${ME.title} lead=${who.login}>
    <${Profile} who=${who} />
    <${Password} login=${who.login} />
    <${Devices} />
    <${Keys} admin=${who.role === "admin"} />
    <${EndAccount} />
  <//>`;
}
