/* Waiting and trying again. */

import { Refusal, Unreachable } from "./api.js";

const TRIES = 5;
const LONGEST_S = 30; // a server that asks for a longer pause gets no repeat; the customer is told

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Doubles from one second to thirty, spread at random, so that a restarted server is not met by everybody at once. */
export const backoff = (failures) => Math.min(30_000, 1000 * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);

/** Repeats what may succeed a little later, a few times, with growing pauses; tells `retrying` before each. */
export async function patiently(work, retrying = () => {}) {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      const passing = error instanceof Unreachable || (error instanceof Refusal && error.passing);
      if (!passing || failures === TRIES || error.retryAfter > LONGEST_S) throw error;
      retrying();
      await sleep(Math.max(backoff(failures), (error.retryAfter ?? 0) * 1000));
    }
  }
}
