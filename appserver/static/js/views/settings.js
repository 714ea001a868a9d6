/** Devices and the connection, with the way to the keys, in a dialog over the room. */

import { html } from "../../vendor/preact.js";
import { LevelBar, MicrophoneChoice, MicrophoneFault, SpeakerChoice } from "./devices.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icons.js";
import { details } from "./linkmark.js";

/** @param {{ onKeys: () => void, onClose: () => void }} props */
export function Settings({ onKeys, onClose }) {
  return html`<${Dialog} title="Settings" onClose=${onClose}>
    <${MicrophoneFault} />
    <${MicrophoneChoice} />
    <${LevelBar} />
    <${SpeakerChoice} />
    <dl class="figures">
      <div><dt>Connection</dt><dd>${details()}</dd></div>
    </dl>
    <ul class="deeds keys-door"><li><button type="button" class="deed" onClick=${onKeys}><${Icon} name="keys" />Keyboard shortcuts</button></li></ul>
  <//>`;
}
