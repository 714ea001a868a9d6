/** What comes from the server piece by piece: loading, there, or failed with a way to try again. */

import { html, useEffect, useSignal } from "../../../vendor/preact.js";
import { returns } from "../../health.js";
import { codeOf } from "../../problem.js";
import { LOAD_WORDS } from "../../texts/account.js";
import { sentence } from "../../texts/problems.js";
import { Alert } from "../../views/common.js";
import { Icon } from "../../views/icons.js";

/**
 * @template T
 * @typedef {{ value: T | null, code: string, reload: () => void, set: (value: T) => void }} Loaded  `code` of what went wrong, else ""
 */

/**
 * @template T
 * @param {() => Promise<T>} load
 * @param {string} [key] of what is loaded: a new one loads anew
 * @returns {Loaded<T>}
 */
export function useLoad(load, key = "") {
  const value = useSignal(/** @type {T | null} */ (null));
  const code = useSignal("");
  const run = async () => {
    code.value = "";
    try {
      value.value = await load();
    } catch (error) {
      code.value = codeOf(error);
    }
  };
  useEffect(() => void run(), [key]);
  useEffect(() => {
    if (code.peek()) void run();
  }, [returns.value]);
  return { value: value.value, code: code.value, reload: () => void run(), set: (fresh) => (value.value = fresh) };
}

/** Pages that are read anew to keep a list fresh: whoever has read further is not disturbed. */
const MOST_REFRESHED = 4;

/**
 * `reload` begins anew; `refresh` brings what is shown up to date, without a word if that fails.
 * @template T
 * @typedef {{ items: T[] | null, code: string, busy: boolean, more: (() => void) | null, reload: () => void, refresh: () => void, change: (items: T[]) => void }} Pages
 */

/**
 * A list that the server gives in pages.
 * @template T
 * @param {(mark: string | null) => Promise<{ items: T[], next?: string | null }>} load
 * @param {string} [key] of the list: a new one loads anew
 * @returns {Pages<T>}
 */
export function usePages(load, key = "") {
  const items = useSignal(/** @type {T[] | null} */ (null));
  const next = useSignal(/** @type {string | null} */ (null));
  const code = useSignal("");
  const busy = useSignal(false);
  const wanted = useSignal("");
  const read = useSignal(0);
  const run = async (/** @type {string | null} */ mark) => {
    wanted.value = key;
    code.value = "";
    busy.value = true;
    try {
      const page = await load(mark);
      if (wanted.peek() !== key) return; // Something else is asked for by now.
      items.value = mark ? [...(items.peek() ?? []), ...page.items] : page.items;
      next.value = page.next ?? null;
      read.value = mark ? read.peek() + 1 : 1;
    } catch (error) {
      code.value = codeOf(error);
    } finally {
      busy.value = false;
    }
  };
  useEffect(() => void run(null), [key]);
  useEffect(() => {
    if (code.peek()) void run(null);
  }, [returns.value]);
  const refresh = async () => {
    if (busy.peek() || code.peek() || read.peek() === 0 || read.peek() > MOST_REFRESHED) return;
    const fresh = await readPages(load, read.peek()).catch(() => null);
    if (!fresh || busy.peek() || wanted.peek() !== key || fresh.read !== read.peek()) return;
    items.value = fresh.items;
    next.value = fresh.next;
  };
  const mark = next.value;
  return {
    items: items.value,
    code: code.value,
    busy: busy.value,
    more: mark ? () => void run(mark) : null,
    reload: () => void run(null),
    refresh: () => void refresh(),
    change: (fresh) => (items.value = fresh),
  };
}

/**
 * @template T
 * @param {(mark: string | null) => Promise<{ items: T[], next?: string | null }>} load
 * @param {number} count of pages
 * @returns {Promise<{ items: T[], next: string | null, read: number }>} `read`: as asked for, also where there are fewer by now
 */
async function readPages(load, count) {
  /** @type {T[]} */
  const items = [];
  /** @type {string | null} */
  let mark = null;
  for (let index = 0; index < count && (index === 0 || mark); index += 1) {
    const page = await load(mark);
    items.push(...page.items);
    mark = page.next ?? null;
  }
  return { items, next: mark, read: count };
}

/** @param {{ code: string, onRetry: () => void }} props */
export function Failure({ code, onRetry }) {
  return html`<${Alert} tone="danger" title=${LOAD_WORDS.failed} detail=${sentence(code)} action=${LOAD_WORDS.retry} onAction=${onRetry} />`;
}

/** Where something will stand in a moment. @param {{ rows?: number }} props */
export function Skeleton({ rows = 3 }) {
  return html`<div class="skeleton" role="status"><span class="hidden">${LOAD_WORDS.loading}</span>
    ${Array.from({ length: rows }, (_, index) => html`<span key=${index} class="skeleton-row" aria-hidden="true"></span>`)}
  </div>`;
}

/** @param {{ icon: string, title: string, detail: string, children?: unknown }} props */
export function Empty({ icon, title, detail, children }) {
  return html`<div class="empty"><span class="empty-mark"><${Icon} name=${icon} size=${28} /></span>
    <p class="empty-title">${title}</p><p class="hint">${detail}</p>${children}
  </div>`;
}

/**
 * A list in any of its states.
 * @param {{ pages: Pages<any>, empty: unknown, children?: unknown }} props
 */
export function Listing({ pages, empty, children }) {
  if (!pages.items?.length && pages.code) return html`<${Failure} code=${pages.code} onRetry=${pages.reload} />`;
  if (pages.items === null) return html`<${Skeleton} />`;
  if (pages.items.length === 0) return empty;
  return html`${children}
    ${pages.code && html`<${Failure} code=${pages.code} onRetry=${pages.more ?? pages.reload} />`}
    ${pages.more && !pages.code && html`<button type="button" class="button show-more" aria-disabled=${pages.busy} onClick=${pages.busy ? undefined : pages.more}>${LOAD_WORDS.more}</button>`}`;
}
