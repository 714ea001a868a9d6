/** Drives a machine in real time: carries out its actions and wakes it at its deadline. */

/**
 * @template Action
 * @typedef {object} Machine
 * @property {() => Action[]} actions
 * @property {() => number | null} deadline
 * @property {(now: number) => void} timer
 */

/** @template Action */
export class Driver {
  #machine;
  #perform;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Machine<Action>} machine
   * @param {(action: Action) => void} perform
   */
  constructor(machine, perform) {
    this.#machine = machine;
    this.#perform = perform;
  }

  /** @param {(now: number) => void} change of the machine; its actions are carried out before this returns */
  step(change) {
    change(performance.now());
    try {
      for (const action of this.#machine.actions()) this.#perform(action);
    } finally {
      this.#arm();
    }
  }

  /** No more wake-ups. */
  stop() {
    clearTimeout(this.#timer);
  }

  #arm() {
    clearTimeout(this.#timer);
    const deadline = this.#machine.deadline();
    if (deadline === null) return;
    this.#timer = setTimeout(() => this.step((now) => this.#machine.timer(now)), Math.max(0, deadline - performance.now()));
  }
}
