/**
 * When to make, restart or drop the media connection: a machine without I/O, with a table of what each peer state does in each phase.
 *
 * call.js carries out its actions: `fresh` makes a new RTCPeerConnection and offers without a leg, `restart` offers an ICE restart on
 * the leg, `rejoin` asks the application server for a place (and so for a media server) again.
 */

import { backoff } from "./backoff.js";

/**
 * idle: nothing yet · waiting: a fresh leg is wanted, but there is no signalling or the last try failed · offering: fresh offer sent ·
 * connecting: answered, ICE and DTLS under way · connected · shaky: just disconnected, may heal by itself · broken: a restart is wanted, but
 * there is no signalling · restarting: restart offered or under way · stopped
 * @typedef {"idle" | "waiting" | "offering" | "connecting" | "connected" | "shaky" | "broken" | "restarting" | "stopped"} Phase
 */

/**
 * @typedef {{ do: "fresh", offer: number, generation: number }
 *   | { do: "restart", offer: number, leg: string }
 *   | { do: "drop" }
 *   | { do: "rejoin" }
 *   | { do: "phase", phase: Phase }
 *   | { do: "end", reason: import("./text.js").EndReason }} RecoveryAction
 */

/** @typedef {"up" | "shake" | "restart" | "again"} Move */

export const SHAKY_MS = 2000;
export const CONNECT_MS = 10_000;
export const RESTART_MS = 5000;
/** Offers that the media server refuses for what they say, before the call gives up. */
export const MAX_REFUSALS = 3;
/** After so many failures in a row, and after every so many more, the application server is asked for a place again. */
export const REJOIN_EVERY = 5;

/** @type {Readonly<Record<string, Partial<Record<Phase, Move>>>>} state of the peer connection -> phase -> move; absent: nothing */
const MOVES = Object.freeze({
  connected: { connecting: "up", shaky: "up", broken: "up", restarting: "up" },
  disconnected: { connected: "shake" },
  "failed-ice": { connected: "restart", shaky: "restart", connecting: "again", restarting: "again" },
  "failed-dtls": { connected: "again", shaky: "again", broken: "again", connecting: "again", restarting: "again" },
});

/** Refusals that no other try would change, with what the person reads then. */
const FINAL = Object.freeze(/** @type {Record<string, import("./text.js").EndReason>} */ ({ "room-full": "room-full" }));
const OFFER_FAULTS = new Set(["sdp-invalid", "sdp-no-usable-media", "bad-request", "invalid-body"]);
const NO_SIGNALLING = new Set(["disconnected"]);
/** Our own leg ended for these reasons while we stay in the room: it wants a new one. */
export const LEG_LOST = new Set(["ice-timeout", "dtls-failed", "media-timeout", "owner-gone", "draining"]);

export class Recovery {
  /** @type {Phase} */
  phase = "idle";
  /** @type {string | null} */
  leg = null;
  /** Counts peer connections, so that news of an old one is known as such. */
  generation = 0;
  /** Number of the last offer; an answer to another one is of no interest. */
  offer = 0;
  #signalling = false;
  #failures = 0;
  #refusals = 0;
  #answered = false;
  #changed = false;
  /** @type {number | null} */
  #until = null;
  #random;
  /** @type {RecoveryAction[]} */
  #actions = [];

  /** @param {() => number} random for the jitter */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /** @returns {RecoveryAction[]} what to do now, in order; each is given once */
  actions() {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** @returns {number | null} when `timer` wants to be called */
  deadline() {
    return this.#until;
  }

  /**
   * Signalling stands.
   * @param {string | null} leg our own in the welcome's roster
   * @param {number} now
   */
  welcomed(leg, now) {
    if (this.phase === "stopped") return;
    this.#signalling = true;
    const alive = this.leg !== null && leg === this.leg;
    if (!alive || this.phase === "idle" || this.phase === "waiting" || this.phase === "offering") this.#fresh();
    else if (this.phase === "broken") this.#restart(now);
  }

  signallingLost() {
    this.#signalling = false;
  }

  /** The server wants a fresh offer. */
  renegotiate() {
    if (this.phase === "stopped" || this.phase === "idle") return;
    if (this.#signalling) this.#fresh();
    else this.#enter("waiting", null);
  }

  /** Our leg has ended at the media server, says an event. */
  legLost() {
    if (["connecting", "connected", "shaky", "broken", "restarting"].includes(this.phase)) this.renegotiate();
  }

  /** What we send has changed (a microphone came): offers anew on the same leg, at once or when the offer under way is done. @param {number} now */
  changed(now) {
    this.#changed = true;
    if (this.phase === "connected") this.#restart(now);
  }

  /**
   * @param {number} offer that was answered
   * @param {string} leg
   * @param {number} now
   */
  answered(offer, leg, now) {
    if (offer !== this.offer) return;
    this.leg = leg;
    this.#answered = true;
    this.#refusals = 0;
    if (this.phase === "offering") this.#enter("connecting", now + CONNECT_MS);
    else if (this.phase === "restarting") this.#until = now + RESTART_MS;
  }

  /**
   * @param {number} offer that came to nothing
   * @param {string} code why
   * @param {number} now
   */
  offerFailed(offer, code, now) {
    if (offer !== this.offer) return;
    if (this.phase === "restarting") return NO_SIGNALLING.has(code) ? this.#enter("broken", null) : this.#fresh();
    if (this.phase !== "offering") return;
    if (NO_SIGNALLING.has(code)) return this.#enter("waiting", null);
    const final = FINAL[code] ?? (OFFER_FAULTS.has(code) && ++this.#refusals >= MAX_REFUSALS ? "incompatible" : undefined);
    if (final) return this.#end(final);
    this.#retry(now);
    if (code === "room-unknown" || this.#failures % REJOIN_EVERY === 0) this.#actions.push({ do: "rejoin" });
  }

  /**
   * The peer connection has changed its state.
   * @param {number} generation
   * @param {string} connection RTCPeerConnection.connectionState
   * @param {string} ice RTCPeerConnection.iceConnectionState
   * @param {number} now
   */
  peer(generation, connection, ice, now) {
    if (generation !== this.generation) return;
    const state = connection === "failed" ? (ice === "failed" ? "failed-ice" : "failed-dtls") : connection;
    const move = MOVES[state]?.[this.phase];
    if (move === undefined || (this.phase === "restarting" && !this.#answered)) return;
    if (move === "up") this.#up(now);
    else if (move === "shake") this.#enter("shaky", now + SHAKY_MS);
    else if (move === "restart") this.#restart(now);
    else this.#retry(now);
  }

  /** @param {number} now */
  timer(now) {
    if (this.#until === null || now < this.#until) return;
    if (this.phase === "shaky") this.#restart(now);
    else if (this.phase === "waiting") this.#fresh();
    else if (this.phase === "connecting" || this.phase === "restarting") this.#retry(now);
  }

  /** The call is over. */
  stop() {
    if (this.phase === "stopped") return;
    this.#actions.push({ do: "drop" });
    this.#enter("stopped", null);
  }

  /** @param {number} now */
  #up(now) {
    this.#failures = 0;
    this.#enter("connected", null);
    if (this.#changed) this.#restart(now);
  }

  /** A fresh peer connection and leg, now or once there is signalling. */
  #fresh() {
    if (!this.#signalling) return this.#enter("waiting", null);
    this.leg = null;
    this.#answered = this.#changed = false;
    this.generation += 1;
    this.offer += 1;
    this.#enter("offering", null);
    this.#actions.push({ do: "fresh", offer: this.offer, generation: this.generation });
  }

  /** @param {number} now */
  #restart(now) {
    if (!this.#signalling) return this.#enter("broken", null);
    if (this.leg === null) return this.#retry(now);
    this.#answered = this.#changed = false;
    this.offer += 1;
    this.#enter("restarting", null);
    this.#actions.push({ do: "restart", offer: this.offer, leg: this.leg });
  }

  /** A fresh leg after a pause that grows with the failures. @param {number} now */
  #retry(now) {
    this.#enter("waiting", now + backoff(this.#failures++, this.#random));
  }

  /** @param {import("./text.js").EndReason} reason */
  #end(reason) {
    this.stop();
    this.#actions.push({ do: "end", reason });
  }

  /**
   * @param {Phase} phase
   * @param {number | null} until
   */
  #enter(phase, until) {
    this.#until = until;
    if (phase === this.phase) return;
    this.phase = phase;
    this.#actions.push({ do: "phase", phase });
  }
}
