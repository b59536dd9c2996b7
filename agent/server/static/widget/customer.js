/* Who the customer is, and what is asked of the server in that name. */

import { AnotherCustomer, Api, Refusal, newKey } from "./api.js";
import { Memory } from "./memory.js";

const NOBODY = "nobody";
const GONE = new Set(["unknown_conversation", "credential_missing"]);
const AGAIN_MS = 10_000; // a conversation that is gone twice within this time is no accident

/** Whether the server knows no such conversation of this customer. */
export const gone = (error) => error instanceof Refusal && GONE.has(error.code);

/** A JSON body with its header. */
export const json = (body) => ({ body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

/** The customer of this page with the conversation that belongs to them. Both may change at any time. */
export class Customer {
  #subject = null;
  #former = null; // who it was before nobody could tell
  #attempts = 0; // to find out who it is: an answer that comes late is an old one
  #opening = null; // a conversation that is being opened
  #emptied = 0; // when the conversation was found gone
  memory = null; // which conversation: shared by the tabs
  letters = null; // what is on its way: each tab's own

  /**
   * `on`: load() when there is another conversation to show, or none; known() and unknown(error) when somebody, or
   * nobody, can tell who the customer is; follow() when there may be a conversation to follow.
   */
  constructor(server, siteKey, source, on) {
    this.api = new Api(server, siteKey, source);
    this.on = on;
  }

  get name() {
    return this.#subject;
  }

  get conversation() {
    return this.memory?.record.conversation ?? null;
  }

  get path() {
    return `v1/conversations/${this.conversation}`;
  }

  /** Ask the page again who it is. */
  async refresh() {
    this.api.forget();
    await this.identify();
  }

  /** Find out who the customer is, and show that customer's conversation. */
  async identify() {
    const attempt = ++this.#attempts;
    const found = await this.api.subject().then(
      (subject) => ({ subject }),
      (error) => ({ error }),
    );
    if (attempt !== this.#attempts) return;
    if (found.error) return this.lose(found.error);
    if (found.subject !== this.#subject) this.#become(found.subject);
    this.on.known();
    this.on.follow();
  }

  #become(subject) {
    // What was written while nobody could tell who writes is the customer's, unless somebody else was here before.
    const same = this.#subject === NOBODY && [null, subject].includes(this.#former);
    const { letters = [] } = same ? this.letters.record : {};
    const name = (kind) => ["handrail", kind, this.api.server, this.api.siteKey ?? "", subject].join("|");
    this.#subject = subject;
    this.#opening = null;
    this.memory = new Memory(() => localStorage, name("conversation"));
    this.letters = new Memory(() => sessionStorage, name("letters"));
    if (letters.length) this.letters.keep({ letters: [...(this.letters.record.letters ?? []), ...letters] });
    this.on.load();
  }

  /** Nobody can tell who the customer is: meanwhile nothing is shown of anybody's conversation. */
  lose(error) {
    if (this.#subject !== NOBODY) {
      this.#former = this.#subject;
      this.#subject = NOBODY;
      this.#opening = null;
      this.memory = new Memory(() => null, NOBODY);
      this.letters = new Memory(() => null, NOBODY);
      this.on.load();
    }
    this.on.unknown(error);
  }

  /** This browser forgets the conversation, which stays with the company. */
  forget() {
    this.#opening = null;
    this.memory.clear();
    this.letters.clear();
    this.on.load();
  }

  /** The server knows no such conversation of this customer: erased, or the customer is another one by now. */
  async startOver() {
    const again = Date.now() - this.#emptied < AGAIN_MS;
    this.#emptied = Date.now();
    const before = this.#subject;
    await this.refresh();
    if (this.#subject !== before) return;
    if (again) this.letters.clear();
    this.memory.clear();
    this.on.load();
  }

  /** A request as this customer, with the key of the conversation if it is a visitor's. */
  call(method, path, options = {}) {
    return this.api.call(method, path, { as: this.#subject, visitorKey: this.memory.record.visitor, ...options });
  }

  /** A request about the conversation, of the customer `as`. A conversation that has gone is replaced by a new one. */
  async ask(path, { headers, ...options } = {}, key = newKey(), as = this.#subject) {
    for (let again = false; ; again = true) {
      await this.#open();
      if (as !== this.#subject && as !== NOBODY) throw new AnotherCustomer("The customer has changed.");
      try {
        const sent = { headers: { ...headers, "Idempotency-Key": key }, ...options };
        return await (await this.call("POST", this.path + path, sent)).json();
      } catch (error) {
        if (error instanceof AnotherCustomer) await this.identify();
        if (again || !gone(error)) throw error;
        await this.startOver();
      }
    }
  }

  /** Open a conversation unless there is one: not before somebody has something to say. */
  async #open() {
    if (this.#subject === NOBODY) await this.refresh();
    if (!this.conversation) await (this.#opening ??= this.#begin().finally(() => (this.#opening = null)));
  }

  async #begin() {
    const { memory } = this;
    const opened = await (await this.call("POST", "v1/conversations", json({ channel: "web" }))).json();
    memory.keep({
      conversation: opened.conversation_id,
      visitor: opened.visitor_key ?? undefined,
      done: false,
      seen: 0,
    });
    if (memory === this.memory) this.on.follow();
  }
}
