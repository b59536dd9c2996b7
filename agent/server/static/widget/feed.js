/* Following one conversation. */

import { NoToken, Refusal } from "./api.js";
import { backoff, sleep } from "./patience.js";

const SILENCE_MS = 40_000; // the server says something at least every 15 s
const STEADY_MS = 5_000; // a connection that lasted this long was a good one

/** Follows a conversation's feed and resumes where it broke off. */
export class Feed {
  #stopped = false;
  #abort = null;
  #wake = null;
  connected = false;

  /**
   * `call(method, path, options)` asks the server. `after` is the number of the last item that is known. `on`:
   * items(batch), connection(connected, told again at each failure), expired(), refused(error), which ends it.
   */
  constructor(call, path, after, on) {
    Object.assign(this, { call, path, after, on });
    this.#run();
  }

  stop() {
    this.#stopped = true;
    this.#abort?.abort();
    this.#wake?.();
  }

  /** Try now, if it is waiting to. */
  nudge() {
    this.#wake?.();
  }

  async #run() {
    await null; // whoever made this feed can tell where it is
    for (let failures = 0; !this.#stopped;) {
      const began = Date.now();
      let pause = 0;
      try {
        await this.#follow();
      } catch (error) {
        if (this.#stopped) return;
        if (error instanceof NoToken || (error instanceof Refusal && !error.passing)) return this.on.refused(error);
        pause = (error.retryAfter ?? 0) * 1000;
      }
      if (this.#stopped) return;
      this.#tell(false);
      failures = Date.now() - began > STEADY_MS ? 1 : failures + 1;
      await Promise.race([sleep(Math.max(pause, backoff(failures))), new Promise((resolve) => (this.#wake = resolve))]);
    }
  }

  async #follow() {
    const abort = new AbortController();
    let silence = setTimeout(() => abort.abort(), SILENCE_MS);
    this.#abort = abort;
    try {
      const headers = { Accept: "text/event-stream", "Last-Event-ID": String(this.after) };
      const response = await this.call("GET", `${this.path}/events`, { headers, signal: abort.signal });
      this.#tell(true);
      for await (const batch of batches(response.body)) {
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);
        this.#take(batch);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  #take(batch) {
    if (this.#stopped) return;
    const fresh = batch.filter(({ seq }) => seq === null || seq > this.after);
    for (const { seq, item } of fresh) {
      if (seq !== null) this.after = seq;
      if (item.event === "error" && item.error?.code === "token_expired") this.on.expired(); // and the server ends the stream
    }
    if (fresh.length) this.on.items(fresh);
  }

  #tell(connected) {
    if (this.#stopped) return;
    this.connected = connected;
    this.on.connection(connected);
  }
}

/**
 * The server-sent events of a response, as they arrive: {seq, item}, where `seq` is null for what has no number. A
 * batch without events is a sign of life. Read by fetch and not by EventSource, which cannot send credentials as headers.
 */
async function* batches(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      yield blocks.map(parsed).filter(({ item }) => item !== null);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsed(block) {
  let seq = null;
  const lines = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, content] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "data") lines.push(content);
    else if (field === "id") seq = Number(content);
  }
  return { seq, item: lines.length ? JSON.parse(lines.join("\n")) : null };
}
