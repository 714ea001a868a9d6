/** What a host is asked who leaves others behind: go alone, or end the meeting for everyone. */

import { html } from "../../vendor/preact.js";
import { currentCall } from "../screens.js";
import { isHost } from "../store.js";
import { people } from "../voice.js";
import { Dialog } from "./dialog.js";

/** Nobody else is asked: there is one thing only that they can do. */
export function asksBeforeLeaving() {
  return isHost.peek() && people.peek().size > 1;
}

/** @param {{ onClose: () => void }} props */
export function LeaveDialog({ onClose }) {
  const end = () => {
    onClose();
    void currentCall()?.meeting.end();
  };
  return html`<${Dialog} title="Leave the meeting?" onClose=${onClose}>
    <p>The others can go on without you. If you end it for everyone, everybody leaves and telephones are hung up.</p>
    <div class="dialog-answers">
      <button type="button" class="button button-danger" onClick=${end}>End for everyone</button>
      <button type="button" class="button button-primary" autofocus onClick=${() => currentCall()?.leave()}>Just leave</button>
    </div>
  <//>`;
}
