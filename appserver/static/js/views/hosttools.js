/** What hosts rule for everybody: lock, lobby, who may speak, mute all, lower hands, the end. */

import { html, useSignal } from "../../vendor/preact.js";
import { currentCall } from "../screens.js";
import { meeting } from "../store.js";
import { Confirm, Dialog } from "./dialog.js";
import { Icon } from "./icons.js";
import { Switch } from "./switch.js";

/** @param {{ onClose: () => void }} props */
export function HostTools({ onClose }) {
  const ending = useSignal(false);
  const { locked, lobby, speak, hands } = meeting.value.state;
  const rule = currentCall()?.meeting;
  if (ending.value) {
    return html`<${Confirm} title="End the meeting for everyone?" detail="Everybody leaves, telephones are hung up." action="End for everyone" onDo=${() => rule?.end()} onClose=${onClose} />`;
  }
  return html`<${Dialog} title="Host tools" onClose=${onClose}>
    <div class="switches">
      <${Switch} on=${locked} onChange=${(/** @type {boolean} */ on) => rule?.patch({ locked: on })} words="Lock the room" hint="Nobody new comes in, except hosts and members." />
      <${Switch} on=${lobby} onChange=${(/** @type {boolean} */ on) => rule?.patch({ lobby: on })} words="Lobby" hint="Guests wait until a host lets them in." />
      <${Switch} on=${speak === "request"} onChange=${(/** @type {boolean} */ on) => rule?.patch({ speak: on ? "request" : "all" })} words="Speaking on request"
        hint="Guests raise their hand, and are heard when a host lets them speak." />
    </div>
    <ul class="deeds">
      <li><button type="button" class="deed" onClick=${() => rule?.muteAll()}><${Icon} name="mic-off" />Mute everybody else</button></li>
      <li><button type="button" class="deed" disabled=${hands.length === 0} onClick=${() => rule?.lowerAll()}><${Icon} name="hand" />Lower all hands${hands.length > 0 && html`<span class="count">${hands.length}</span>`}</button></li>
      <li><button type="button" class="deed deed-danger" onClick=${() => (ending.value = true)}><${Icon} name="leave" />End for everyone…</button></li>
    </ul>
  <//>`;
}
