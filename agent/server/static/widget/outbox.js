/* Messages on their way. */

import { Unreachable, newKey } from "./api.js";
import { patiently } from "./patience.js";

/** Sends messages one after the other. Each keeps its idempotency key, so that a repeat is answered once. */
export class Outbox {
  #running = false;
  #stopped = false;

  /** `deliver(letter)` sends one; `show(letter)` is told of each change. What a former page left behind is sent. */
  constructor(memory, deliver, show) {
    Object.assign(this, { memory, deliver, show });
    this.letters = (memory.record.letters ?? []).map((letter) => ({ ...letter, state: "sending" }));
    for (const letter of this.letters) show(letter);
    this.#run();
  }

  add(text) {
    this.letters.push({ key: newKey(), text });
    this.#change(this.letters.at(-1), "sending");
    this.#run();
  }

  again(letter) {
    this.#change(letter, "sending");
    this.#run();
  }

  /** The network is back: what failed for want of it goes out again. */
  resume() {
    for (const letter of this.letters) if (letter.why instanceof Unreachable) this.again(letter);
  }

  /** The conversation has it, whatever became of the request. */
  arrived(key) {
    this.letters = this.letters.filter((letter) => letter.key !== key || letter.state !== "failed");
    this.#store();
  }

  stop() {
    this.#stopped = true;
  }

  #change(letter, state, more = { why: null }) {
    if (this.#stopped) return;
    Object.assign(letter, { state }, more);
    if (state === "sent") this.letters = this.letters.filter((each) => each !== letter);
    this.#store();
    this.show(letter);
  }

  #store() {
    this.memory.keep({ letters: this.letters.map(({ key, text }) => ({ key, text })) });
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    await null; // whoever made this outbox can tell where it is
    for (let letter; !this.#stopped && (letter = this.letters.find(({ state }) => state !== "failed"));) {
      try {
        const turn = await patiently(
          () => this.deliver(letter),
          () => this.#change(letter, "retrying"),
        );
        this.#change(letter, "sent", { turn });
      } catch (why) {
        this.#change(letter, "failed", { why });
      }
    }
    this.#running = false;
  }
}
