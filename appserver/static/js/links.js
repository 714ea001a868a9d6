/** Links in what people write: text goes in, pieces of text and addresses come out. Nothing else becomes a link. Pure. */

/** @typedef {{ text: string, href: string | null }} Piece */

const ADDRESS = /https?:\/\/[^\s<>"']+/giu;
/** Ends of sentences, which do not belong to an address. */
const TAIL = /[.,;:!?)\]}»”’]+$/u;

/** @param {string} text @returns {Piece[]} in their order; together they are the text */
export function pieces(text) {
  /** @type {Piece[]} */
  const found = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    if (!isWeb(address)) continue;
    if (match.index > at) found.push({ text: text.slice(at, match.index), href: null });
    found.push({ text: address, href: address });
    at = match.index + address.length;
  }
  if (at < text.length) found.push({ text: text.slice(at), href: null });
  return found;
}

/** @param {string} address @returns {string} without the end of a sentence; a bracket that was opened in it stays */
function trimmed(address) {
  const tail = TAIL.exec(address)?.[0] ?? "";
  if (tail.startsWith(")") && address.includes("(")) return address.slice(0, address.length - tail.length + 1);
  return address.slice(0, address.length - tail.length);
}

/** @param {string} address */
function isWeb(address) {
  return URL.canParse(address) && ["http:", "https:"].includes(new URL(address).protocol);
}
