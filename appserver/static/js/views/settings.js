/** Devices, connection and keys, in a dialog over the room. */

import { html, useEffect, useRef } from "../../vendor/preact.js";
import { LevelBar, MicrophoneChoice, MicrophoneFault, SpeakerChoice } from "./devices.js";
import { Icon } from "./icons.js";
import { details } from "./linkmark.js";

/** @param {{ title: string, onClose: () => void, children?: unknown }} props */
export function Dialog({ title, onClose, children }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  const outside = (/** @type {MouseEvent} */ event) => {
    if (event.target === ref.current) onClose();
  };
  return html`<dialog ref=${ref} class="dialog" aria-labelledby="dialog-title" onClose=${onClose} onClick=${outside}>
    <div class="dialog-body">
      <div class="panel-head">
        <h2 id="dialog-title">${title}</h2>
        <button type="button" class="button button-round button-ghost" onClick=${onClose}><${Icon} name="close" /><span class="hidden">Close</span></button>
      </div>
      ${children}
    </div>
  </dialog>`;
}

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
    </dl>
  <//>`;
}

/** Shown where the page may not write to the clipboard. @param {{ link: string, onClose: () => void }} props */
export function Invite({ link, onClose }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => input.current?.select(), []);
  return html`<${Dialog} title="Invite people" onClose=${onClose}>
    <div class="field">
      <label for="invite-link">Send them this link</label>
      <input id="invite-link" ref=${input} type="text" readonly value=${link} />
    </div>
  <//>`;
}
