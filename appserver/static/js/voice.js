/** How loud each person is right now, for those who draw it. */

import { computed } from "../vendor/preact.js";
import * as local from "./local.js";
import * as store from "./store.js";

/** Below this a person does not count as talking: breath, a fan. Our own meter hears more of it than the media server tells of others. */
const OWN_TALKING = 0.3;

/** People alone, which change seldom; the view changes with every word. */
export const people = computed(() => store.view.value.people);

/**
 * @param {string} id of a participant
 * @returns {number} 0..1; 0 while they are not talking. Reads signals
 */
export function voiceOf(id) {
  if (id !== store.me.value) return store.view.value.speakers.get(id) ?? 0;
  const own = store.muted.value ? 0 : local.level.value;
  return own >= OWN_TALKING ? own : 0;
}

/**
 * @param {import("./wire.js").Participant} person
 * @returns {boolean} whether they are shown as muted. Of ourselves we know best. Reads signals
 */
export function isMuted(person) {
  return person.id === store.me.value ? store.muted.value : person.muted;
}
