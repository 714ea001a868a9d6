/** Whether this network lets the media through: what can be gathered, and whether data goes out to a relay and back. */

/**
 * @typedef {object} NetworkReport
 * @property {boolean} direct  there is an address of this machine
 * @property {boolean} seen  a server has told how we are seen from outside
 * @property {boolean | null} relay  a relay has given us an address; null: there is none to try
 * @property {number | null} roundTrip  ms of data through the relay and back; null: none came back, or none was tried
 */

const GATHER_MS = 6000;
const ECHO_MS = 6000;

/**
 * @param {RTCConfiguration} ice as the call uses it
 * @returns {Promise<NetworkReport>}
 */
export async function testNetwork(ice) {
  const kinds = await gather(ice);
  const hasRelay = (ice.iceServers ?? []).some(({ urls }) => [urls].flat().some((url) => url.startsWith("turn")));
  const relay = hasRelay ? kinds.has("relay") : null;
  return { direct: kinds.has("host"), seen: kinds.has("srflx"), relay, roundTrip: relay ? await echo(ice) : null };
}

/** @param {RTCConfiguration} ice @returns {Promise<Set<string>>} the types of candidates that were found in time */
async function gather(ice) {
  const pc = new RTCPeerConnection(ice);
  /** @type {Set<string>} */
  const kinds = new Set();
  const done = new Promise((resolve) => {
    pc.onicecandidate = ({ candidate }) => {
      if (candidate?.type) kinds.add(candidate.type);
      if (!candidate) resolve(undefined);
    };
  });
  pc.createDataChannel("gather");
  await pc.setLocalDescription();
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, GATHER_MS))]);
  pc.close();
  return kinds;
}

/** Two ends in this page that meet at relays. @param {RTCConfiguration} ice @returns {Promise<number | null>} ms there and back */
async function echo(ice) {
  const relayed = /** @type {RTCConfiguration} */ ({ ...ice, iceTransportPolicy: "relay" });
  const near = new RTCPeerConnection(relayed);
  const far = new RTCPeerConnection(relayed);
  const late = new Promise((resolve) => setTimeout(() => resolve(null), ECHO_MS));
  try {
    return /** @type {number | null} */ (await Promise.race([there(near, far), late]));
  } catch {
    return null;
  } finally {
    near.close();
    far.close();
  }
}

/** @param {RTCPeerConnection} near @param {RTCPeerConnection} far @returns {Promise<number>} ms */
async function there(near, far) {
  near.onicecandidate = ({ candidate }) => void far.addIceCandidate(candidate ?? undefined).catch(() => {});
  far.onicecandidate = ({ candidate }) => void near.addIceCandidate(candidate ?? undefined).catch(() => {});
  far.ondatachannel = ({ channel }) => (channel.onmessage = ({ data }) => channel.send(data));
  const channel = near.createDataChannel("echo");
  await near.setLocalDescription();
  await far.setRemoteDescription(/** @type {RTCSessionDescription} */ (near.localDescription));
  await far.setLocalDescription();
  await near.setRemoteDescription(/** @type {RTCSessionDescription} */ (far.localDescription));
  await new Promise((resolve) => (channel.onopen = resolve));
  const sent = performance.now();
  const back = new Promise((resolve) => (channel.onmessage = resolve));
  channel.send("echo");
  await back;
  return performance.now() - sent;
}
