/** Dialogs over the room, and the one that asks before something that can't be taken back. */

import { html, useEffect, useRef } from "../../vendor/preact.js";
import { Icon } from "./icons.js";

/** @param {{ title: string, onClose: () => void, wide?: boolean, children?: unknown }} props */
export function Dialog({ title, onClose, wide = false, children }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const gone = useRef(false);
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => {
      gone.current = true;
      dialog?.close();
    };
  }, []);
  // A dialog that has made place for the next one tells of its end late: that must not close the next one.
  const closed = () => {
    if (!gone.current) onClose();
  };
  const outside = (/** @type {MouseEvent} */ event) => {
    if (event.target === ref.current) onClose();
  };
  return html`<dialog ref=${ref} class="dialog ${wide ? "dialog-wide" : ""}" aria-labelledby="dialog-title" onClose=${closed} onClick=${outside}>
    <div class="dialog-body">
      <div class="panel-head">
        <h2 id="dialog-title" dir="auto">${title}</h2>
        <button type="button" class="button button-round button-ghost" onClick=${onClose}><${Icon} name="close" /><span class="hidden">Close</span></button>
      </div>
      ${children}
    </div>
  </dialog>`;
}

/** @param {{ title: string, detail: string, action: string, onDo: () => void, onClose: () => void }} props */
export function Confirm({ title, detail, action, onDo, onClose }) {
  const go = () => {
    onClose();
    onDo();
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <p>${detail}</p>
    <div class="dialog-answers">
      <button type="button" class="button" autofocus onClick=${onClose}>Cancel</button>
      <button type="button" class="button button-danger" onClick=${go}>${action}</button>
    </div>
  <//>`;
}
