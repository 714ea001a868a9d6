/** Small facts about people and times as they are shown. */

export const HUES = 8;

/**
 * @param {string} name
 * @returns {string} one or two letters for an avatar: of the first and the last word
 */
export function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => firstLetter(word ?? ""));
  return letters.join("").toLocaleUpperCase() || "?";
}

/** @param {string} word @returns {string} its first letter or digit, whole even if it lies outside the BMP */
function firstLetter(word) {
  return /[\p{L}\p{N}]/u.exec(word)?.[0] ?? [...word][0] ?? "";
}

/**
 * @param {string} id
 * @returns {number} 0..HUES-1, always the same for the same id
 */
export function hueOf(id) {
  let hash = 0;
  for (const character of id) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % HUES;
}

/**
 * @param {number} seconds
 * @returns {string} m:ss, or h:mm:ss from an hour on
 */
export function elapsed(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

/**
 * @param {number} count
 * @returns {string} "Nobody is here yet", "1 person is here", "7 people are here"
 */
export function peopleHere(count) {
  if (count <= 0) return "Nobody is here yet";
  return count === 1 ? "1 person is here" : `${count} people are here`;
}

/**
 * @param {number} level -dBov, 0 loud to 127 silent
 * @returns {number} 0..1 as a ring shows it: -60 dBov and below is nothing, -10 dBov and above is all
 */
export function loudness(level) {
  return Math.min(1, Math.max(0, (60 - level) / 50));
}
