/** Dialogs over a page: one with a form, and the question before something that can't be undone. */

import { html, useEffect, useId, useRef, useSignal } from "../../../vendor/preact.js";
import { codeOf } from "../../problem.js";
import { LOAD_WORDS } from "../../texts/account.js";
import { sentence } from "../../texts/problems.js";
import { Alert } from "../../views/common.js";
import { Icon } from "../../views/icons.js";

/** The focus goes to the first field, where that does not raise a keyboard over half of the screen, and back to what had it. @param {{ title: string, onClose: () => void, children?: unknown }} props */
export function Sheet({ title, onClose, children }) {
  const id = useId();
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    const field = ref.current?.querySelector("input:not([readonly]), select, textarea");
    if (field instanceof HTMLElement && matchMedia("(pointer: fine)").matches) field.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return html`<dialog ref=${ref} class="dialog" aria-labelledby=${id} onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); onClose(); }}>
    <div class="dialog-body sheet">
      <div class="panel-head">
        <h2 id=${id}>${title}</h2>
        <button type="button" class="button button-round button-ghost" onClick=${onClose}><${Icon} name="close" /><span class="hidden">${LOAD_WORDS.close}</span></button>
      </div>
      ${children}
    </div>
  </dialog>`;
}

/** What a dialog was opened from may be gone with what it was about: something that stays takes the focus then. @param {{ current: HTMLElement | null }} stays */
export function keepFocus(stays) {
  requestAnimationFrame(() => document.activeElement === document.body && stays.current?.focus());
}

/**
 * @param {{ title: string, detail: string, action: string, tone?: "danger" | "primary", onConfirm: () => Promise<void>, onClose: () => void, children?: unknown }} props
 * `onConfirm` does it; what it is refused for is said here
 */
export function Confirm({ title, detail, action, tone = "danger", onConfirm, onClose, children }) {
  const busy = useSignal(false);
  const code = useSignal("");
  const go = async () => {
    if (busy.value) return;
    busy.value = true;
    code.value = "";
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      code.value = codeOf(error);
    } finally {
      busy.value = false;
    }
  };
  return html`<${Sheet} title=${title} onClose=${onClose}>
    <p>${detail}</p>
    ${children}
    ${code.value && html`<${Alert} tone="danger" title=${LOAD_WORDS.notDone} detail=${sentence(code.value)} />`}
    <div class="buttons">
      <button type="button" class="button" onClick=${onClose}>${LOAD_WORDS.cancel}</button>
      <button type="button" class=${`button button-${tone}`} aria-disabled=${busy.value} onClick=${go}>${action}</button>
    </div>
  <//>`;
}
