/** Times and figures as pages show them, in the reader's own zone and manner. */

const DAY_S = 86_400;

/** @param {number} at seconds since 1970 @returns {string} "3 May 2026, 14:05" */
export function moment(at) {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(at * 1000);
}

/** @param {number} at @returns {string} hours and minutes, with seconds */
export function clock(at) {
  return new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }).format(at * 1000);
}

/** @type {readonly (readonly [Intl.RelativeTimeFormatUnit, number])[]} */
const UNITS = [["year", 365 * DAY_S], ["month", 30 * DAY_S], ["week", 7 * DAY_S], ["day", DAY_S], ["hour", 3600], ["minute", 60]];

/** @param {number} at @param {number} now both in seconds @returns {string} "5 minutes ago", "in 2 days" */
export function ago(at, now = Date.now() / 1000) {
  const away = at - now;
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const [unit, seconds] = UNITS.find(([, size]) => Math.abs(away) >= size) ?? ["second", 0];
  return seconds ? words.format(Math.trunc(away / seconds), unit) : "just now";
}

/** @param {number} seconds @returns {string} "1 h 5 min", "12 min", "40 s" */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  const rest = minutes % 60;
  if (minutes < 60) return `${minutes} min`;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${minutes / 60} h`;
}

/** @param {string} local value of a datetime-local field @returns {number | null} seconds since 1970 */
export function fromLocal(local) {
  const at = local ? new Date(local).getTime() : Number.NaN;
  return Number.isFinite(at) ? at / 1000 : null;
}
