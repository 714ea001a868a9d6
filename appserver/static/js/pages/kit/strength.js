/** How hard a new password is to guess: a rough estimate for the eye. What is refused is the server's matter. Pure. */

/** @typedef {"short" | "weak" | "fair" | "good"} Grade */

/** What the server asks for unless it is configured otherwise. */
export const MIN_LENGTH = 15;
const FAIR_BITS = 60;
const GOOD_BITS = 90;

/** @param {string} password @param {number} [shortest] characters @returns {Grade} */
export function strength(password, shortest = MIN_LENGTH) {
  const letters = [...password.normalize("NFC")];
  if (letters.length < shortest) return "short";
  const bits = guessBits(letters);
  if (bits < FAIR_BITS) return "weak";
  return bits < GOOD_BITS ? "fair" : "good";
}

/** @param {readonly string[]} letters @returns {number} bits: less for what repeats or counts on */
function guessBits(letters) {
  const each = Math.log2(alphabet(letters.join("")));
  let bits = 0;
  letters.forEach((letter, index) => {
    const step = index ? (letter.codePointAt(0) ?? 0) - (letters[index - 1]?.codePointAt(0) ?? 0) : 9;
    bits += Math.abs(step) <= 1 ? 1 : each;
  });
  return Math.min(bits, new Set(letters).size * each + letters.length);
}

/** @param {string} text @returns {number} size of the set from which its characters are */
function alphabet(text) {
  let size = 0;
  if (/[a-z]/.test(text)) size += 26;
  if (/[A-Z]/.test(text)) size += 26;
  if (/[0-9]/.test(text)) size += 10;
  if (/[^A-Za-z0-9]/.test(text)) size += 33;
  return Math.max(size, 10);
}
