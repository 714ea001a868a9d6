/** The REST calls of a meeting, each with the token of the join. Every failure is a RequestError. */

import { call } from "./api.js";
import { once } from "./once.js";

/** @typedef {import("./wire.js").MeetingState} MeetingState */

export class MeetingApi {
  #base;
  #authorized;

  /**
   * @param {string} room
   * @param {import("./phone.js").Authorized} authorized
   */
  constructor(room, authorized) {
    this.#base = `/api/v1/rooms/${encodeURIComponent(room)}`;
    this.#authorized = authorized;
  }

  /** @returns {Promise<MeetingState>} */
  state() {
    return this.#ask("GET", "/meeting");
  }

  /** @param {Partial<import("./wire.js").MeetingPatch>} wish @returns {Promise<MeetingState>} */
  patch(wish) {
    return this.#ask("PATCH", "/meeting", wish);
  }

  /** For all. */
  end() {
    return this.#ask("POST", "/meeting/end");
  }

  /** @returns {Promise<import("./wire.js").Muted>} */
  muteAll() {
    return this.#ask("POST", "/mute-all", { hosts_too: false });
  }

  /** @param {boolean} raised the own one */
  hand(raised) {
    return this.#ask("PUT", "/hand", { raised });
  }

  /** @param {import("./wire.js").ReactionSend["emoji"]} emoji */
  react(emoji) {
    return this.#ask("POST", "/reactions", { emoji });
  }

  /** @param {string} participant @param {Partial<import("./wire.js").ParticipantPatch>} wish */
  change(participant, wish) {
    return this.#ask("PATCH", `/participants/${encodeURIComponent(participant)}`, wish);
  }

  /** @param {string} participant */
  remove(participant) {
    return this.#ask("DELETE", `/participants/${encodeURIComponent(participant)}`);
  }

  /** @param {string} participant @param {string} room */
  move(participant, room) {
    return this.#ask("POST", `/participants/${encodeURIComponent(participant)}/move`, { room });
  }

  /** @returns {Promise<import("./wire.js").LobbyList>} */
  lobby() {
    return this.#ask("GET", "/lobby");
  }

  /** @param {string} participant who waits */
  admit(participant) {
    return this.#ask("POST", `/lobby/${encodeURIComponent(participant)}`);
  }

  admitAll() {
    return this.#ask("POST", "/lobby");
  }

  /** @param {string} participant who waits */
  refuse(participant) {
    return this.#ask("DELETE", `/lobby/${encodeURIComponent(participant)}`);
  }

  /** @param {string | null} page of older ones; null: the latest @returns {Promise<import("./wire.js").ChatPage>} */
  messages(page) {
    return this.#ask("GET", `/messages${page ? `?page=${encodeURIComponent(page)}` : ""}`);
  }

  /** @param {string} text @param {string} nonce @returns {Promise<import("./wire.js").ChatMessage>} */
  say(text, nonce) {
    return this.#ask("POST", "/messages", { text, nonce });
  }

  /** @param {number} message */
  unsay(message) {
    return this.#ask("DELETE", `/messages/${message}`);
  }

  /** @returns {Promise<import("./wire.js").DialIn>} */
  dialIn() {
    return this.#ask("GET", "/dial-in");
  }

  /** @returns {Promise<import("./wire.js").InvitationList>} */
  invitations() {
    return this.#ask("GET", "/invitations");
  }

  /**
   * @param {Partial<import("./wire.js").InvitationCreate>} wish
   * @param {unknown} chosen the same for the same wish, whose end is a time that passes
   * @returns {Promise<import("./wire.js").InvitationMade>}
   */
  invite(wish, chosen) {
    return once.make(`${this.#base}/invitations`, wish, (body, key) => this.#ask("POST", "/invitations", body, key), chosen);
  }

  /** @param {string} invitation its id */
  uninvite(invitation) {
    return this.#ask("DELETE", `/invitations/${encodeURIComponent(invitation)}`);
  }

  /**
   * @param {string} method
   * @param {string} path behind that of the room
   * @param {Record<string, unknown>} [body]
   * @param {string} [key] under which the server makes it once
   * @returns {Promise<any>}
   */
  #ask(method, path, body, key) {
    return this.#authorized((token) => call(method, this.#base + path, body, token, key));
  }
}
