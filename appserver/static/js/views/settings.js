/** Devices, connection and keys, in a dialog over the room. */

import { html } from "../../vendor/preact.js";
import { LevelBar, MicrophoneChoice, MicrophoneFault, SpeakerChoice } from "./devices.js";
import { Dialog } from "./dialog.js";
import { details } from "./linkmark.js";

/** @param {{ onClose: () => void }} props */
export function Settings({ onClose }) {
  return html`<${Dialog} title="Settings" onClose=${onClose}>
    <${MicrophoneFault} />
    <${MicrophoneChoice} />
    <${LevelBar} />
    <${SpeakerChoice} />
    <dl class="figures">
      <div><dt>Connection</dt><dd>${details()}</dd></div>
      <div><dt>Mute or unmute</dt><dd><kbd>M</kbd></dd></div>
      <div><dt>Speak while muted</dt><dd>hold <kbd>Space</kbd></dd></div>
    </dl>
  <//>`;
}
