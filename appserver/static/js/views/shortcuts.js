/** The keys of a call, in a dialog. */

import { html } from "../../vendor/preact.js";
import { lettersAct, letLettersAct, OTHER_KEYS, SHORTCUTS } from "../shortcuts.js";
import { Dialog } from "./dialog.js";
import { Switch } from "./switch.js";

/** @param {{ onClose: () => void }} props */
export function Shortcuts({ onClose }) {
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${onClose}>
    <dl class="keys">
      ${[...Object.values(SHORTCUTS), ...OTHER_KEYS].map(([key, words]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${words}</dd></div>`)}
    </dl>
    <${Switch} on=${lettersAct.value} onChange=${letLettersAct} words="Single letters act" hint="Switch this off if you control the computer by voice. “?” always shows this list." />
  <//>`;
}
