/* The element <handrail-chat>: identity, requests, and who is told what. */

import { AnotherCustomer, Api, NoToken, Refusal, newKey } from "./api.js";
import { Feed } from "./feed.js";
import { Memory } from "./memory.js";
import { h } from "./nodes.js";
import { Outbox } from "./outbox.js";
import { Panel } from "./panel.js";
import { patiently } from "./patience.js";
import { Story } from "./story.js";
import { STYLES } from "./style.js";

const FILE_BYTES = 5 * 1024 * 1024;
const HIDDEN_MS = 60_000; // a browser has about six connections per host: tabs that nobody sees give theirs back
const LOST_MS = 1_500; // a reconnection that is faster is nobody's business
const BACK_MS = 3_000;
const FEED_MS = 2_500; // how long the feed may take once the request has its answer
const AGAIN_MS = 10_000; // a conversation that is gone twice within this time is no accident
const NOBODY = "nobody";
const GONE = new Set(["unknown_conversation", "credential_missing"]);

const gone = (error) => error instanceof Refusal && GONE.has(error.code);
const json = (body) => ({ body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

const sheet = new CSSStyleSheet(); // allowed by a strict Content-Security-Policy, unlike a style element
sheet.replaceSync(STYLES);

/**
 * Attributes: docs/widget.md. Events, all bubbling: `handrail:open`, `handrail:close`, `handrail:status` {status},
 * `handrail:message` {message_id, role, text, turn_id, live}.
 */
export class HandrailChat extends HTMLElement {
  /** Attributes for elements that do not have their own. */
  static defaults = {};

  /** Returns the customer's token, or a promise of it. Unset: `window.Handrail.token`; neither: a visitor. */
  token = undefined;
  #api = null;
  #panel = null;
  #story = null;
  #feed = null;
  #outbox = null;
  #subject = null; // who the customer is
  #memory = null; // which conversation: shared by the tabs
  #letters = null; // what is on its way: each tab's own
  #started = null;
  #opening = null; // a conversation that is being opened
  #wish = null; // the key under which a person is being asked for
  #asking = 0; // such requests in flight
  #after = 0; // number of the last item told
  #unread = 0;
  #emptied = 0; // when a conversation was found gone
  #timers = {};
  #listening = null;

  connectedCallback() {
    for (const [name, value] of Object.entries(HandrailChat.defaults)) this.dataset[name] ??= value;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    document.addEventListener("visibilitychange", () => this.#looked(), { signal });
    addEventListener("storage", (event) => this.#elsewhere(event), { signal });
    addEventListener("online", () => (this.#feed?.nudge(), this.#outbox?.resume()), { signal });
    this.#started = this.#started ? this.#started.then(() => this.#follow()) : this.#start();
  }

  disconnectedCallback() {
    this.#listening.abort();
    this.#unfollow();
  }

  /* ------------------------------------------------------------------------------------ what the page may do */

  /** Settled when the widget is there. */
  get ready() {
    return this.#started;
  }

  get conversationId() {
    return this.#memory?.record.conversation ?? null;
  }

  get status() {
    return this.#story?.status ?? "bot";
  }

  async open() {
    await this.#started;
    this.#panel.show();
    this.#follow();
    this.#read();
    this.#emit("open");
  }

  async close() {
    await this.#started;
    this.#panel.hide();
    this.#emit("close");
  }

  /** Say something as the customer. */
  async send(text) {
    await this.#started;
    if (!text.trim()) return;
    this.#panel.toEnd();
    this.#outbox.add(text.trim());
  }

  /** Begin a new conversation. The former one stays with the company; this browser forgets it. */
  async restart() {
    await this.#started;
    this.#memory.clear();
    this.#letters.clear();
    this.#load();
    this.#panel.refocus();
  }

  /** Ask the page again who the customer is: to be called after signing in or out. */
  async refresh() {
    await this.#started;
    this.#api.forget();
    await this.#identify();
  }

  /** GET something of the server with the credentials of this conversation. */
  async read(path) {
    return (await this.#call("GET", path)).json();
  }

  /* --------------------------------------------------------------------------------------------- beginning */

  async #start() {
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const server = this.dataset.server || new URL("../", import.meta.url).href;
    const source = () => (this.token ?? window.Handrail?.token)?.();
    this.#api = new Api(server.replace(/\/?$/, "/"), this.dataset.siteKey, source);
    // Without an answer the widget speaks English, and still says what to do.
    const config = await this.#api.config().catch(() => ({}));
    this.config = { ...config, name: this.dataset.name || config.name };
    const inline = this.dataset.mode === "inline";
    this.#panel = new Panel(root, { inline, config: this.config, contact: this.dataset.contact, on: this.#on });
    await this.#identify();
    if (this.dataset.open !== undefined) this.#panel.show();
  }

  /** What the customer does on the panel. */
  #on = {
    open: () => this.open(),
    close: () => this.close(),
    send: (text) => this.send(text),
    person: () => this.#askForPerson(),
    attach: (file) => this.#attach(file),
    download: (file) => this.#download(file),
    rate: (score, comment) => this.#rate(score, comment),
    ticked: (message) => this.#memory.record.ticks?.[message] ?? [],
    tick: (message, step, checked) => {
      const ticks = this.#memory.record.ticks ?? {};
      const others = (ticks[message] ?? []).filter((each) => each !== step);
      this.#memory.keep({ ticks: { ...ticks, [message]: checked ? [...others, step] : others } });
    },
  };

  /** Find out who the customer is, and show that customer's conversation. */
  async #identify() {
    let subject;
    try {
      subject = await this.#api.subject();
    } catch (error) {
      return this.#nobody(error);
    }
    if (subject !== this.#subject) this.#become(subject);
    this.#panel.error("identity");
    this.#follow();
  }

  #become(subject) {
    // What was written while nobody knew who writes is the present customer's.
    const { letters = [] } = this.#subject === NOBODY ? this.#letters.record : {};
    const name = (kind) => ["handrail", kind, this.#api.server, this.#api.siteKey ?? "", subject].join("|");
    this.#subject = subject;
    this.#memory = new Memory(() => localStorage, name("conversation"));
    this.#letters = new Memory(() => sessionStorage, name("letters"));
    if (letters.length) this.#letters.keep({ letters: [...(this.#letters.record.letters ?? []), ...letters] });
    this.#load();
  }

  /** Nobody can tell who the customer is: meanwhile nothing is shown of anybody's conversation. */
  #nobody(error) {
    if (this.#subject !== NOBODY) {
      this.#subject = NOBODY;
      this.#memory = new Memory(() => null, NOBODY);
      this.#letters = new Memory(() => null, NOBODY);
      this.#load();
    }
    this.#panel.error("identity", this.#panel.reason(error), () => this.refresh());
  }

  /** Show the conversation that is remembered, from its beginning. */
  #load() {
    this.#unfollow();
    this.#outbox?.stop();
    this.#story?.end();
    this.#opening = this.#wish = null;
    this.#after = this.#unread = 0;
    this.#panel.unread(0);
    this.#panel.composer.asking(false);
    this.#story = new Story(this.#panel, this.config, {
      restart: () => this.restart(),
      again: (letter) => this.#outbox.again(letter),
      arrived: (key) => this.#outbox.arrived(key),
      changed: (status) => this.#changed(status),
    });
    const subject = this.#subject;
    this.#outbox = new Outbox(this.#letters, (letter) => this.#deliver(letter, subject), (letter) => this.#story.letter(letter));
    if (!this.conversationId) this.#story.settle(0);
    this.#follow();
  }

  /* --------------------------------------------------------------------------------------------- following */

  /** Follow the feed of a conversation that is not over, or that somebody looks at. */
  #follow() {
    const { conversation, done } = this.#memory.record;
    if (this.#feed || !conversation || !this.isConnected || (done && !this.#panel.visible)) return;
    const call = (...request) => this.#call(...request);
    this.#feed = new Feed(call, `v1/conversations/${conversation}`, this.#after, {
      items: (batch) => this.#told(batch),
      expired: () => this.#api.forget(),
      connection: (connected) => this.#connection(connected),
      refused: (error) => this.#refused(error),
    });
  }

  #unfollow() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    this.#feed?.stop();
    this.#feed = null;
  }

  #told(batch) {
    const { live } = this.#story;
    this.#story.take(batch);
    this.#after = this.#feed.after;
    for (const { seq, item } of batch) {
      if (item.event !== "message.completed") continue;
      if (item.role !== "customer" && seq > (this.#memory.record.seen ?? 0)) this.#unread += 1;
      this.#emit("message", { ...item, live });
    }
    this.#read();
  }

  /** What is on the screen has been seen. */
  #read() {
    if (this.#panel.visible) {
      this.#unread = 0;
      if (this.#after > (this.#memory.record.seen ?? 0)) this.#memory.keep({ seen: this.#after });
    }
    this.#panel.unread(this.#unread);
  }

  #changed(status) {
    const done = status === "resolved";
    if (done !== Boolean(this.#memory.record.done)) this.#memory.keep({ done });
    this.#emit("status", { status });
  }

  #connection(connected) {
    if (!connected) {
      this.#timers.lost ??= setTimeout(() => this.#story.link("lost"), LOST_MS);
      return;
    }
    clearTimeout(this.#timers.lost);
    this.#timers.lost = null;
    this.#panel.error("feed");
    this.#outbox.resume();
    if (!this.#story.lost) return;
    this.#story.link("back");
    this.#timers.back = setTimeout(() => this.#story.lost || this.#story.link(null), BACK_MS);
  }

  #refused(error) {
    this.#unfollow();
    if (error instanceof AnotherCustomer) return void this.#identify();
    if (gone(error)) return void this.#startOver();
    if (error instanceof NoToken || error.status === 401) return this.#nobody(error);
    this.#panel.error("feed", this.#panel.reason(error), () => this.#follow());
  }

  /** The server knows no such conversation of this customer: erased, or the customer is another one by now. */
  async #startOver() {
    const again = Date.now() - this.#emptied < AGAIN_MS;
    this.#emptied = Date.now();
    const before = this.#subject;
    await this.refresh();
    if (this.#subject !== before) return;
    this.#memory.clear();
    if (again) this.#letters.clear();
    this.#load();
  }

  #looked() {
    clearTimeout(this.#timers.hidden);
    if (document.hidden) {
      this.#timers.hidden = setTimeout(() => this.#unfollow(), HIDDEN_MS);
    } else if (this.#memory) {
      this.#follow();
      this.#feed?.nudge();
      this.#read();
    }
  }

  /** Another tab has opened a conversation, begun a new one, or read this one. */
  #elsewhere({ key }) {
    if (!this.#memory || (key !== null && key !== this.#memory.name)) return;
    const { conversation } = this.#memory.record;
    const record = this.#memory.reread();
    if (key === null || record.conversation !== conversation) return this.#load();
    if ((record.seen ?? 0) >= this.#after) this.#panel.unread((this.#unread = 0));
  }

  /* ---------------------------------------------------------------------------------------------- requests */

  #call(method, path, options = {}) {
    return this.#api.call(method, path, { as: this.#subject, visitorKey: this.#memory.record.visitor, ...options });
  }

  /** The path of the conversation, which is opened when there is none: not before somebody has something to say. */
  async #conversation() {
    if (this.#subject === NOBODY) await this.refresh();
    if (!this.conversationId) await (this.#opening ??= this.#begin().finally(() => (this.#opening = null)));
    return `v1/conversations/${this.conversationId}`;
  }

  async #begin() {
    const memory = this.#memory;
    const opened = await (await this.#call("POST", "v1/conversations", json({ channel: "web" }))).json();
    memory.keep({ conversation: opened.conversation_id, visitor: opened.visitor_key ?? undefined, done: false, seen: 0 });
    if (memory === this.#memory) this.#follow();
  }

  /** A request about this conversation, of the customer `as`. A conversation that has gone is replaced by a new one. */
  async #ask(path, { headers, ...options } = {}, key = newKey(), as = this.#subject) {
    for (let again = false; ; again = true) {
      const conversation = await this.#conversation();
      if (as !== this.#subject && as !== NOBODY) throw new AnotherCustomer("The customer has changed.");
      try {
        const sent = { headers: { ...headers, "Idempotency-Key": key }, ...options };
        return await (await this.#call("POST", conversation + path, sent)).json();
      } catch (error) {
        if (error instanceof AnotherCustomer) await this.#identify();
        if (again || !gone(error)) throw error;
        await this.#startOver();
      }
    }
  }

  async #deliver({ text, key }, as) {
    const turn = await this.#ask("/messages", json({ text }), key, as);
    this.#answered(turn);
    return turn;
  }

  /** Show an answer that the feed does not bring. */
  #answered(turn) {
    const story = this.#story;
    const show = () => story === this.#story && story.standIn(turn, !this.#feed?.connected);
    if (this.#feed?.connected) setTimeout(show, FEED_MS);
    else show();
  }

  /** The button for a person: one wish, however often it is pressed, until it is granted or has failed for good. */
  async #askForPerson() {
    await this.#started;
    if (this.#asking) return; // on the way this very moment
    const key = (this.#wish ??= newKey());
    this.#panel.error("person");
    this.#panel.composer.asking(true);
    this.#panel.toEnd();
    const post = () => ((this.#asking += 1), this.#ask("/handoff", {}, key).finally(() => (this.#asking -= 1)));
    try {
      this.#answered(await patiently(post));
      this.#wish = null;
    } catch (error) {
      this.#panel.error("person", this.#panel.reason(error), () => this.#askForPerson());
    }
    if (!this.#asking) this.#panel.composer.asking(false);
  }

  async #attach(file) {
    this.#panel.error("file");
    if (file.size > FILE_BYTES) return this.#panel.error("file", this.#panel.t("file_too_large", { file: file.name }));
    const key = newKey();
    const told = this.#story.upload(key, file);
    const headers = { "Content-Type": file.type || "application/octet-stream", "X-File-Name": encodeURIComponent(file.name) };
    const send = async () => {
      told.sending();
      try {
        told.done(await patiently(() => this.#ask("/files", { body: file, headers, seconds: 120 }, key)));
      } catch (error) {
        told.failed(`${this.#panel.t("not_sent")} ${this.#panel.reason(error)}`, send);
      }
    };
    await send();
  }

  async #download(file) {
    const response = await this.#call("GET", `${await this.#conversation()}/files/${file.file_id}`);
    const url = URL.createObjectURL(await response.blob());
    h("a", { href: url, download: file.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  async #rate(score, comment) {
    await this.#ask("/rating", json(comment ? { score, comment } : { score }));
    this.#story.rated(score);
  }

  #emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(`handrail:${name}`, { bubbles: true, composed: true, detail }));
  }
}
