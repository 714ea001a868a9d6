/** Whether this network lets the media through: what the browser may use by itself, and by which ways relays are reached. */

/** @typedef {"udp" | "tcp" | "tls"} Way */
/**
 * @typedef {object} NetworkReport
 * @property {boolean} direct  the browser has an address to send from, of this machine or as a server sees it
 * @property {{ way: Way, ms: number | null }[]} relays  ms until a relay has given us an address; null: none did. Empty: there is none to try
 */

const PATIENCE_MS = 6000;
/** @type {readonly [Way, RegExp][]} RFC 7065: UDP where nothing is said */
const WAYS = [
  ["udp", /^turn:(?!.*transport=tcp)/],
  ["tcp", /^turn:.*transport=tcp/],
  ["tls", /^turns:/],
];

/**
 * @param {RTCConfiguration} ice as the call uses it
 * @returns {Promise<NetworkReport>}
 */
export async function testNetwork({ iceServers = [] }) {
  const [direct, ...found] = await Promise.all([
    firstCandidate({ iceServers: only(iceServers, /^stuns?:/) }),
    ...waysOf(iceServers).map(async ({ way, servers }) => ({ way, ms: await firstCandidate({ iceServers: servers, iceTransportPolicy: "relay" }) })),
  ]);
  return { direct: direct !== null, relays: found };
}

/** What there is to try. @param {readonly RTCIceServer[]} servers @returns {{ way: Way, servers: RTCIceServer[] }[]} */
export function waysOf(servers) {
  return WAYS.map(([way, pattern]) => ({ way, servers: only(servers, pattern) })).filter((one) => one.servers.length > 0);
}

/** @param {readonly RTCIceServer[]} servers @param {RegExp} pattern @returns {RTCIceServer[]} those of its URLs that match */
function only(servers, pattern) {
  return servers.map((server) => ({ ...server, urls: [server.urls].flat().filter((url) => pattern.test(url)) })).filter(({ urls }) => urls.length > 0);
}

/**
 * The connection is kept until it has all its candidates: a place that a relay gives after that would stay taken for minutes.
 * @param {RTCConfiguration} ice
 * @returns {Promise<number | null>} ms until a candidate has come; null: none will, or none has in time
 */
async function firstCandidate(ice) {
  const pc = new RTCPeerConnection(ice);
  const began = performance.now();
  /** @type {Promise<number | null>} */
  const found = new Promise((resolve) => {
    const end = () => {
      resolve(null);
      pc.close();
    };
    const late = setTimeout(end, PATIENCE_MS);
    pc.onicecandidate = ({ candidate }) => {
      // The end is null, and in some browsers an empty one before that.
      if (candidate?.candidate) resolve(performance.now() - began);
      if (candidate) return;
      clearTimeout(late);
      end();
    };
  });
  pc.createDataChannel("test");
  await pc.setLocalDescription();
  return found;
}
