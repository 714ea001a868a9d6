/** The right end of the masthead: "Sign in", or the pages of the signed-in one and their menu. */

import { html, useEffect, useRef, useSignal } from "../../vendor/preact.js";
import { knownSession, oversees, session, signOut, user } from "../account.js";
import { codeOf } from "../problem.js";
import { navigate } from "../screens.js";
import { toast } from "../store.js";
import { MENU } from "../texts/account.js";
import { sentence } from "../texts/problems.js";
import { Avatar } from "./common.js";

/** Paths and labels. */
function links() {
  const admin = oversees.value ? [/** @type {const} */ (["/admin", MENU.admin])] : [];
  return [/** @type {const} */ (["/rooms", MENU.rooms]), /** @type {const} */ (["/records", MENU.records]), ...admin];
}

export function AccountMenu() {
  useEffect(() => {
    // Without an answer there is nobody to be shown.
    knownSession().catch(() => {});
  }, []);
  if (!session.value) return null;
  const who = user.value;
  // Before there is anybody who could sign in there is nothing to offer.
  if (!who) return location.pathname === "/signin" || location.pathname === "/setup" ? null : html`<${MenuLink} to="/signin" name="button button-small" />`;
  return html`<nav class="masthead-nav" aria-label=${MENU.pages}>
    <span class="masthead-links">${links().map(([path, label]) => html`<${MenuLink} key=${path} to=${path} label=${label} name="masthead-link" />`)}</span>
    <${Menu} who=${who} />
  </nav>`;
}

/** @param {{ to: string, label?: string, name: string, onGo?: () => void }} props */
function MenuLink({ to, label = MENU.signIn, name, onGo }) {
  const go = (/** @type {MouseEvent} */ event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    onGo?.();
    void navigate(to);
  };
  const here = location.pathname === to || location.pathname.startsWith(`${to}/`);
  return html`<a href=${to} class=${name} aria-current=${here ? "page" : undefined} onClick=${go}>${label}</a>`;
}

/** @param {{ who: import("../wire.js").UserInfo }} props */
function Menu({ who }) {
  const open = useSignal(false);
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => {
    const outside = (/** @type {Event} */ event) => {
      if (!box.current?.contains(/** @type {Node} */ (event.target))) open.value = false;
    };
    addEventListener("pointerdown", outside);
    addEventListener("focusin", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("focusin", outside);
    };
  }, []);
  const escape = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !open.value) return;
    open.value = false;
    button.current?.focus();
  };
  const shut = () => (open.value = false);
  const out = () => {
    shut();
    signOut().then(() => { toast(MENU.signedOut); void navigate("/"); }, (error) => toast(sentence(codeOf(error)), "warning"));
  };
  return html`<div class="menu" ref=${box} onKeyDown=${escape}>
    <button type="button" ref=${button} class="menu-button voice voice-small" aria-expanded=${open.value} aria-controls="account-menu" onClick=${() => (open.value = !open.value)}>
      <${Avatar} name=${who.display_name} /><span class="hidden">${MENU.account(who.display_name)}</span>
    </button>
    <div class="menu-list" id="account-menu" hidden=${!open.value}>
      <p class="menu-who"><strong dir="auto">${who.display_name}</strong><span class="hint">${who.login}</span></p>
      <ul>
        ${links().map(([path, label]) => html`<li key=${path} class="menu-narrow"><${MenuLink} to=${path} label=${label} name="menu-item" onGo=${shut} /></li>`)}
        <li><${MenuLink} to="/me" label=${MENU.me} name="menu-item" onGo=${shut} /></li>
        <li><button type="button" class="menu-item" onClick=${out}>${MENU.signOut}</button></li>
      </ul>
    </div>
  </div>`;
}
