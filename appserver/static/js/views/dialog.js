/** Dialogs over the room, and the one that asks before something that can't be taken back. */

import { html, useLayoutEffect, useRef } from "../../vendor/preact.js";
import { Icon } from "./icons.js";

/** What had the focus before the first of dialogs that make place for one another. @type {HTMLElement | null} */
let opener = null;

/** @param {Element | null} focused @returns {HTMLElement | null} where the focus goes when the dialog closes */
function openerOf(focused) {
  if (focused instanceof HTMLElement && focused !== document.body && !focused.closest("dialog")) opener = focused;
  return opener;
}

/** The focus goes back to what had it. @param {{ title: string, onClose: () => void, wide?: boolean, children?: unknown }} props */
export function Dialog({ title, onClose, wide = false, children }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const gone = useRef(false);
  // At once, not after the next picture: a key that is pressed meanwhile is meant for it.
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = openerOf(document.activeElement);
    if (dialog && !dialog.open) dialog.showModal();
    return () => {
      gone.current = true;
      dialog?.close();
      if (before?.isConnected) before.focus();
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

/** For what is no dialog, but closes like one. A dialog within closes alone. @param {() => void} close @returns {(event: KeyboardEvent) => void} */
export function onEscape(close) {
  return (event) => {
    if (event.key === "Escape" && !event.isComposing && !document.querySelector("dialog[open]")) close();
  };
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
