/** Telephones of a call's room: dialled, keyed into, hung up, answered. Shows faults as toasts; results come as events. */

import { answerRing, callOut, endCall, sendDigits } from "./api.js";
import { Driver } from "./driver.js";
import { applyCallEvent, expireLines, linesDeadline, withoutRing } from "./lines.js";
import { codeOf } from "./problem.js";
import * as store from "./store.js";
import { callFault } from "./text.js";

/** @typedef {<Result>(send: (token: string) => Promise<Result>) => Promise<Result>} Authorized  with a token that holds */

export class Phone {
  #room;
  #authorized;
  #driver = new Driver(new Clockwork(), () => {});

  /**
   * @param {string} room
   * @param {Authorized} authorized
   */
  constructor(room, authorized) {
    this.#room = room;
    this.#authorized = authorized;
  }

  /** @param {import("./wire.js").RoomEvent} event */
  happened(event) {
    this.#driver.step((now) => (store.lines.value = applyCallEvent(store.lines.peek(), event, now)));
  }

  /**
   * @param {string} to number or address
   * @returns {Promise<string | null>} what went wrong, as a sentence
   */
  async dial(to) {
    try {
      const info = await this.#authorized((token) => callOut(this.#room, token, { to }));
      const { id, state, status, reason, name, participant, user_data, headers } = info;
      // The first event may have been faster than the answer.
      if (!store.lines.peek().calls.has(id)) this.happened({ type: "call", topic: "", seq: 0, call: id, state, status, reason, name, participant, user_data, headers });
      return null;
    } catch (error) {
      return callFault(codeOf(error));
    }
  }

  /** @param {string} call its id, or the participant as which its telephone is here */
  hangUp(call) {
    return this.#attempt(() => this.#authorized((token) => endCall(this.#room, token, call)));
  }

  /**
   * @param {string} call its id, or the participant as which its telephone is here
   * @param {string} digits
   */
  press(call, digits) {
    return this.#attempt(() => this.#authorized((token) => sendDigits(this.#room, token, call, digits)));
  }

  /**
   * @param {string} call
   * @param {import("./wire.js").RingAnswer["action"]} action
   */
  answer(call, action) {
    store.lines.value = withoutRing(store.lines.peek(), call);
    return this.#attempt(() => this.#authorized((token) => answerRing(token, call, action)));
  }

  stop() {
    this.#driver.stop();
  }

  /** @param {() => Promise<unknown>} act */
  async #attempt(act) {
    try {
      await act();
    } catch (error) {
      store.toast(callFault(codeOf(error)), "warning");
    }
  }
}

/** Lets lines go when their time is over. */
class Clockwork {
  /** @returns {never[]} */
  actions() {
    return [];
  }

  deadline() {
    return linesDeadline(store.lines.peek());
  }

  /** @param {number} now */
  timer(now) {
    store.lines.value = expireLines(store.lines.peek(), now);
  }
}
