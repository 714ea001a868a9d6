/** The peer connection to the media server: one audio transceiver, we always offer. Decides nothing (recovery.js does). */

/** @typedef {import("./wire.js").IceServer} IceServer */
/** @typedef {import("./wire.js").JoinReply} JoinReply */

/** Servers older than this are asked for anew before the next restart: theirs may be the fault. */
const SERVERS_MS = 60_000;
/** So long the server has for its own goodbye. */
const PARTING_MS = 2000;

/**
 * @typedef {object} MediaHandlers
 * @property {(generation: number, connection: RTCPeerConnectionState, ice: RTCIceConnectionState) => void} state
 * @property {(stream: MediaStream) => void} remote  the mix that the media server sends
 */

export class Media {
  #handlers;
  /** @type {RTCConfiguration} */
  #ice = {};
  #iceAt = 0;
  /** @type {RTCPeerConnection | null} */
  #pc = null;
  /** @type {RTCRtpTransceiver | null} */
  #audio = null;
  /** @type {MediaStreamTrack | null} */
  #track = null;

  /** @param {MediaHandlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** @returns {RTCPeerConnectionState | "none"} */
  get state() {
    return this.#pc?.connectionState ?? "none";
  }

  /** @returns {RTCConfiguration} */
  get ice() {
    return this.#ice;
  }

  /**
   * What the next fresh connection, or ICE restart, uses.
   * @param {Pick<JoinReply, "ice_servers" | "ice_policy">} join
   * @param {number} now ms
   */
  setIce(join, now) {
    this.#ice = rtcConfiguration(join);
    this.#iceAt = now;
  }

  /** Whether it may be time for other servers, or other credentials for them. @param {number} now ms @returns {boolean} */
  isIceOld(now) {
    return Boolean(this.#ice.iceServers?.length) && now - this.#iceAt >= SERVERS_MS;
  }

  /**
   * Drops the old peer connection and makes a new one.
   * @param {number} generation told in every report of its state
   * @returns {Promise<string>} the SDP offer. Candidates are not waited for: the server learns our addresses from our checks
   */
  async fresh(generation) {
    this.close();
    const pc = new RTCPeerConnection({ ...this.#ice, bundlePolicy: "max-bundle" });
    this.#pc = pc;
    const report = () => this.#handlers.state(generation, pc.connectionState, pc.iceConnectionState);
    pc.onconnectionstatechange = report;
    pc.ontrack = (event) => this.#handlers.remote(new MediaStream([event.track]));
    this.#audio = pc.addTransceiver(this.#track ?? "audio", { direction: this.#track ? "sendrecv" : "recvonly" });
    return offerOf(pc);
  }

  /**
   * Offers an ICE restart, with whatever else has changed, on the present peer connection.
   * @returns {Promise<string>} the SDP offer
   */
  async restart() {
    const pc = this.#pc;
    if (!pc) throw new DOMException("There is no peer connection.", "InvalidStateError");
    // An earlier offer that was never answered would stand in the way.
    if (pc.signalingState === "have-local-offer") await pc.setLocalDescription({ type: "rollback" });
    pc.setConfiguration({ ...this.#ice, bundlePolicy: "max-bundle" });
    pc.restartIce();
    return offerOf(pc);
  }

  /** @param {string} sdp the answer to the last offer */
  async accept(sdp) {
    await this.#pc?.setRemoteDescription({ type: "answer", sdp });
  }

  /**
   * Sends this microphone from now on.
   * @param {MediaStreamTrack | null} track
   * @returns {Promise<boolean>} whether a new offer is needed, because nothing was sent so far
   */
  async setTrack(track) {
    this.#track = track;
    if (!this.#audio || !this.#pc) return false;
    const listening = this.#audio.direction === "recvonly";
    if (track && listening) this.#audio.direction = "sendrecv";
    await this.#audio.sender.replaceTrack(track);
    return track !== null && listening;
  }

  /** @returns {Promise<Array<Record<string, any>>>} the peer connection's statistics; empty if there is none */
  async stats() {
    const report = await this.#pc?.getStats();
    return report ? [...report.values()] : [];
  }

  close() {
    this.#let()?.close();
  }

  /**
   * The server ends the leg, and for the records its reason counts: nothing is sent or heard from now on, but the goodbye is left
   * to the server for a while.
   */
  part() {
    const pc = this.#let();
    if (!pc) return;
    for (const { sender, receiver } of pc.getTransceivers()) {
      void sender.replaceTrack(null);
      receiver.track.stop();
    }
    setTimeout(() => pc.close(), PARTING_MS);
  }

  /** @returns {RTCPeerConnection | null} the one that was ours */
  #let() {
    const pc = this.#pc;
    this.#pc = null;
    this.#audio = null;
    if (pc) pc.onconnectionstatechange = pc.ontrack = null;
    return pc;
  }
}

/** @param {RTCPeerConnection} pc @returns {Promise<string>} */
async function offerOf(pc) {
  await pc.setLocalDescription();
  return pc.localDescription?.sdp ?? "";
}

/** @param {Pick<JoinReply, "ice_servers" | "ice_policy">} given @returns {RTCConfiguration} */
export function rtcConfiguration({ ice_servers, ice_policy }) {
  return { iceServers: ice_servers.map(toRtcIceServer), iceTransportPolicy: ice_policy };
}

/**
 * @param {IceServer} server absent credentials come as null, which RTCIceServer would take for the text "null"
 * @returns {RTCIceServer}
 */
function toRtcIceServer(server) {
  return {
    urls: server.urls,
    ...(server.username === null ? {} : { username: server.username }),
    ...(server.credential === null ? {} : { credential: server.credential }),
  };
}
