/** How large the tiles of a stage are, so that they fill it without jumping about. Pure. */

export const GAP = 12;
const MIN = Object.freeze({ width: 148, height: 126 });
const MAX = Object.freeze({ width: 520, height: 380 });
/** Width to height: beyond these a tile looks like a tower or a ribbon. */
const TALLEST = 0.85;
const WIDEST = 1.6;
/** Of the smaller side of a tile. */
const FACE = 0.38;
const FACES = Object.freeze({ least: 48, most: 136 });

/** @typedef {{ width: number, height: number, face: number, scrolls: boolean }} Fit  all px; `face`: diameter of the avatar */

/**
 * @param {number} count of tiles
 * @param {number} width of the stage, px
 * @param {number} height of the stage, px
 * @returns {Fit} the size with the largest tiles; if even the smallest don't fit, the stage scrolls
 */
export function fitTiles(count, width, height) {
  let best = { width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const tile = tileOf(columns, Math.ceil(count / columns), width, height);
    if (tile.width * tile.height > best.width * best.height) best = tile;
  }
  if (best.width > 0) return { ...best, face: faceOf(best), scrolls: false };
  const columns = Math.max(1, Math.floor((width + GAP) / (MIN.width + GAP)));
  const least = { width: Math.max(0, share(width, columns)), height: MIN.height };
  return { ...least, face: faceOf(least), scrolls: true };
}

/**
 * @param {number} columns
 * @param {number} rows
 * @param {number} width
 * @param {number} height
 * @returns {{ width: number, height: number }} nothing if they would be too small
 */
function tileOf(columns, rows, width, height) {
  const room = { width: share(width, columns), height: share(height, rows) };
  if (room.width < MIN.width || room.height < MIN.height) return { width: 0, height: 0 };
  const tall = Math.min(room.height, MAX.height, room.width / TALLEST);
  const wide = Math.min(room.width, MAX.width, tall * WIDEST);
  return { width: Math.floor(wide), height: Math.floor(Math.min(tall, wide / TALLEST)) };
}

/**
 * @param {number} width of the stage, px
 * @param {number} height of the stage, px
 * @param {number} most
 * @returns {number} of tiles that are seen at once without scrolling; two at least
 */
export function tilesSeen(width, height, most) {
  const columns = Math.floor((width + GAP) / (MIN.width + GAP));
  const rows = Math.floor((height + GAP) / (MIN.height + GAP));
  return Math.min(most, Math.max(2, columns * rows));
}

/** @param {number} whole @param {number} parts */
function share(whole, parts) {
  return Math.floor((whole - GAP * (parts - 1)) / parts);
}

/** @param {{ width: number, height: number }} tile */
function faceOf({ width, height }) {
  return Math.round(Math.min(FACES.most, Math.max(FACES.least, FACE * Math.min(width, height))));
}
