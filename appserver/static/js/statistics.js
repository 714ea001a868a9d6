/** How the connection was in the last two minutes, from snapshots of the peer connection's statistics. Pure. */

/**
 * What has been carried so far.
 * @typedef {object} Tally
 * @property {number} at  ms
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number} lost  packets that did not come
 * @property {number} received  packets
 * @property {number} jitter  s
 * @property {number | null} rtt  s
 * @property {number | null} remoteLoss  fraction of ours that the server misses
 * @property {string} way  how the media goes, in words
 */

/** @typedef {{ at: number, loss: number, jitter: number, delay: number | null, down: number, up: number }} Point  loss %, jitter and delay ms, down and up kbit/s */
/** @typedef {"loss" | "jitter" | "delay" | "down" | "up"} Figure */

export const SPAN_MS = 120_000;

/**
 * @param {Iterable<Record<string, any>>} stats of an RTCStatsReport
 * @param {number} at ms
 * @returns {Tally}
 */
export function tally(stats, at) {
  const all = [...stats];
  const audio = (/** @type {string} */ type) => all.filter((one) => one.type === type && one.kind === "audio");
  const sum = (/** @type {Record<string, any>[]} */ list, /** @type {string} */ field) => list.reduce((total, one) => total + (one[field] ?? 0), 0);
  const pair = all.find((one) => one.type === "candidate-pair" && one.nominated);
  const incoming = audio("inbound-rtp");
  return {
    at,
    bytesIn: sum(incoming, "bytesReceived"),
    bytesOut: sum(audio("outbound-rtp"), "bytesSent"),
    lost: sum(incoming, "packetsLost"),
    received: sum(incoming, "packetsReceived"),
    jitter: Math.max(0, ...incoming.map((one) => one.jitter ?? 0)),
    rtt: typeof pair?.currentRoundTripTime === "number" ? pair.currentRoundTripTime : null,
    remoteLoss: audio("remote-inbound-rtp")[0]?.fractionLost ?? null,
    way: wayOf(all.find((one) => one.id === pair?.localCandidateId)),
  };
}

/** @param {Record<string, any> | undefined} candidate the local one that is in use @returns {string} */
function wayOf(candidate) {
  if (!candidate) return "not known";
  const over = String(candidate.relayProtocol ?? candidate.protocol ?? "").toUpperCase();
  return candidate.candidateType === "relay" ? `through a relay, ${over}` : `direct, ${over}`;
}

/**
 * @param {Tally} before
 * @param {Tally} after of the same peer connection
 * @returns {Point}
 */
export function point(before, after) {
  const seconds = Math.max(0.001, (after.at - before.at) / 1000);
  const lost = Math.max(0, after.lost - before.lost);
  const expected = lost + Math.max(0, after.received - before.received);
  const rate = (/** @type {number} */ bytes) => Math.max(0, (bytes * 8) / 1000 / seconds);
  return {
    at: after.at,
    loss: 100 * Math.max(expected ? lost / expected : 0, after.remoteLoss ?? 0),
    jitter: after.jitter * 1000,
    delay: after.rtt === null ? null : after.rtt * 1000,
    down: rate(after.bytesIn - before.bytesIn),
    up: rate(after.bytesOut - before.bytesOut),
  };
}

/**
 * @param {readonly Point[]} points
 * @param {Point} next
 * @returns {readonly Point[]} those of the last two minutes
 */
export function withPoint(points, next) {
  return [...points.filter(({ at }) => at > next.at - SPAN_MS), next];
}

/**
 * @param {readonly Point[]} points
 * @param {Figure} figure
 * @returns {{ now: number, mean: number, worst: number } | null} null: nothing was measured
 */
export function summary(points, figure) {
  const values = points.map((one) => one[figure]).filter((value) => value !== null);
  if (!values.length) return null;
  return { now: values.at(-1) ?? 0, mean: values.reduce((total, value) => total + value, 0) / values.length, worst: Math.max(...values) };
}

/**
 * A line of the figure over the two minutes, as an SVG path.
 * @param {readonly Point[]} points
 * @param {Figure} figure
 * @param {number} width
 * @param {number} height
 * @param {number} top the value at the upper edge
 * @returns {string}
 */
export function line(points, figure, width, height, top) {
  const end = points.at(-1)?.at ?? 0;
  const steps = points.flatMap((one) => {
    const value = one[figure];
    if (value === null) return [];
    const x = width * (1 - (end - one.at) / SPAN_MS);
    const y = height * (1 - Math.min(1, value / top));
    return [`${x.toFixed(1)} ${y.toFixed(1)}`];
  });
  return steps.length ? `M${steps.join("L")}` : "";
}
