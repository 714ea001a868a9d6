/** Pieces that several screens share. */

import { html, useEffect, useRef } from "../../vendor/preact.js";
import { hueOf, initials } from "../format.js";
import { navigate } from "../screens.js";
import { AccountMenu } from "./accountmenu.js";
import { Icon, Mark } from "./icons.js";

/** Whether some screen was shown before: the first one leaves the focus where the browser put it. */
let shownBefore = false;

/**
 * Names the page and moves the focus to the heading when the screen changes, so that a screen reader says where one is.
 * @param {string} title
 * @returns {{ current: HTMLHeadingElement | null }} for the `ref` of the heading, which needs tabindex -1
 */
export function useHeading(title) {
  const ref = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => {
    document.title = title ? `${title} · confero` : "confero";
  }, [title]);
  useEffect(() => {
    if (shownBefore) ref.current?.focus({ preventScroll: true });
    shownBefore = true;
  }, []);
  return ref;
}

/** The head of the quiet screens. */
export function Masthead() {
  const home = (/** @type {MouseEvent} */ event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    void navigate("/");
  };
  return html`<header class="masthead">
    <a class="brand" href="/" onClick=${home}><${Mark} /><span>confero</span></a>
    <${AccountMenu} />
  </header>`;
}

/** @param {{ name: string, phone?: boolean }} props  a phone that is known by its number alone has no initials */
export function Avatar({ name, phone = false }) {
  const number = phone && !/\p{L}/u.test(name);
  return html`<span class="avatar hue-${hueOf(name)}" aria-hidden="true">${number ? html`<${Icon} name="phone" />` : initials(name)}</span>`;
}

/**
 * Something went wrong, and what to do about it.
 * @param {{ title: string, detail: string, tone?: "warning" | "danger", action?: string | null, onAction?: () => void }} props
 */
export function Alert({ title, detail, tone = "warning", action = null, onAction }) {
  return html`<div class="alert alert-${tone}" role="alert">
    <${Icon} name="warning" />
    <div class="alert-text"><strong>${title}</strong><p>${detail}</p></div>
    ${action && html`<button type="button" class="button button-small" onClick=${onAction}>${action}</button>`}
  </div>`;
}
