/** Waiting at a room's door: a session that hears of itself alone, until a host has decided. */

import { eventsUrl } from "./address.js";
import { joinRoom } from "./api.js";
import { Signaling } from "./signaling.js";
import { endingOf, reasonOf } from "./text.js";

/** @typedef {import("./wire.js").JoinReply} JoinReply */

/**
 * @typedef {object} WaitingHandlers
 * @property {(reply: JoinReply) => void} admitted  with the place in the room; called once
 * @property {(reason: import("./text.js").EndReason) => void} end  called once
 */

export class Waiting {
  #room;
  #name;
  #token;
  #handlers;
  #over = false;
  #signaling;

  /**
   * @param {JoinReply} reply
   * @param {string} name display name
   * @param {WaitingHandlers} handlers
   */
  constructor(reply, name, handlers) {
    this.#room = reply.room.id;
    this.#name = name;
    this.#token = reply.token;
    this.#handlers = handlers;
    this.#signaling = new Signaling(eventsUrl(reply.events_path), reply.token, {
      status: () => {},
      welcome: () => {},
      event: (event) => this.#happened(event),
      end: (reason) => this.#finish(() => handlers.end(reason)),
      refresh: () => this.#again(),
      finalRefusal: (code) => (code === "room-unknown" || code === "room-locked" || code.startsWith("token-") ? reasonOf(code) : null),
    });
  }

  start() {
    this.#signaling.start();
  }

  leave() {
    this.#finish(() => this.#handlers.end("left"));
  }

  /** @param {import("./wire.js").RoomEvent} event */
  #happened(event) {
    if (event.type === "closed") this.#finish(() => this.#handlers.end(endingOf(event.reason)));
    if (event.type === "admitted") this.#signaling.renew();
  }

  /** Asks for the place once more; there may be one now. @returns {Promise<string>} a token for further waiting */
  async #again() {
    const reply = await joinRoom(this.#room, this.#name, this.#token);
    this.#token = reply.token;
    if (!reply.waiting) this.#finish(() => this.#handlers.admitted(reply));
    return reply.token;
  }

  /** @param {() => void} tell */
  #finish(tell) {
    if (this.#over) return;
    this.#over = true;
    this.#signaling.leave();
    tell();
  }
}
