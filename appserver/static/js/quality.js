/** How good the media connection is, from two snapshots of the peer connection's statistics. Pure. */

/**
 * @typedef {object} Snapshot
 * @property {number} at  ms
 * @property {number | null} rtt  s
 * @property {number} received  packets
 * @property {number} lost  packets
 * @property {number} jitter  s
 * @property {number | null} remoteLoss  fraction of what we send that the server misses
 */

/** @typedef {"good" | "fair" | "poor"} Grade */
/** @typedef {{ grade: Grade, rtt: number | null, loss: number, jitter: number }} Quality  ms, fraction, ms */

/** Worst values of a grade: round trip ms, loss as fraction, jitter ms. */
const LIMITS = Object.freeze([
  { grade: /** @type {Grade} */ ("good"), rtt: 250, loss: 0.02, jitter: 40 },
  { grade: /** @type {Grade} */ ("fair"), rtt: 500, loss: 0.08, jitter: 100 },
]);

/**
 * @param {Iterable<Record<string, any>>} stats of an RTCStatsReport
 * @param {number} at ms
 * @returns {Snapshot}
 */
export function snapshot(stats, at) {
  /** @type {Snapshot} */
  const result = { at, rtt: null, received: 0, lost: 0, jitter: 0, remoteLoss: null };
  for (const one of stats) {
    if (one.type === "candidate-pair" && one.nominated && typeof one.currentRoundTripTime === "number") result.rtt = one.currentRoundTripTime;
    if (one.type === "remote-inbound-rtp" && one.kind === "audio") result.remoteLoss = one.fractionLost ?? null;
    if (one.type === "inbound-rtp" && one.kind === "audio") {
      result.received += one.packetsReceived ?? 0;
      result.lost += one.packetsLost ?? 0;
      result.jitter = Math.max(result.jitter, one.jitter ?? 0);
    }
  }
  return result;
}

/**
 * @param {Snapshot} before
 * @param {Snapshot} after of the same peer connection
 * @returns {Quality}
 */
export function quality(before, after) {
  const lost = Math.max(0, after.lost - before.lost);
  const expected = lost + Math.max(0, after.received - before.received);
  const loss = Math.max(expected ? lost / expected : 0, after.remoteLoss ?? 0);
  const rtt = after.rtt === null ? null : after.rtt * 1000;
  const jitter = after.jitter * 1000;
  const fits = LIMITS.find((limit) => (rtt ?? 0) <= limit.rtt && loss <= limit.loss && jitter <= limit.jitter);
  return { grade: fits?.grade ?? "poor", rtt, loss, jitter };
}
