/* The element <handrail-chat>: what the page may do, what the customer does, and who is told what. */

import { AnotherCustomer, NoToken, newKey } from "./api.js";
import { Customer, gone, json } from "./customer.js";
import { Feed } from "./feed.js";
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
  #customer = null;
  #panel = null;
  #story = null;
  #feed = null;
  #outbox = null;
  #started = null;
  #wish = null; // the key under which a person is being asked for
  #asking = 0; // such requests in flight
  #after = 0; // number of the last item told
  #unread = 0;
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
    return this.#customer?.conversation ?? null;
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
    this.#customer.forget();
    this.#panel.refocus();
  }

  /** Ask the page again who the customer is: to be called after signing in or out. */
  async refresh() {
    await this.#started;
    await this.#customer.refresh();
  }

  /** GET something of the server with the credentials of this conversation. */
  async read(path) {
    return (await this.#customer.call("GET", path)).json();
  }

  /* --------------------------------------------------------------------------------------------- beginning */

  async #start() {
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const server = this.dataset.server || new URL("../", import.meta.url).href;
    const source = () => (this.token ?? window.Handrail?.token)?.();
    this.#customer = new Customer(server.replace(/\/?$/, "/"), this.dataset.siteKey, source, {
      load: () => this.#load(),
      known: () => this.#panel.error("identity"),
      unknown: (error) => this.#panel.error("identity", this.#panel.reason(error), () => this.refresh()),
      follow: () => this.#follow(),
    });
    // Without an answer the widget speaks English, and still says what to do.
    const config = await this.#customer.api.config().catch(() => ({}));
    this.config = { ...config, name: this.dataset.name || config.name };
    const inline = this.dataset.mode === "inline";
    this.#panel = new Panel(root, { inline, config: this.config, contact: this.dataset.contact, on: this.#on });
    await this.#customer.identify();
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
    ticked: (message) => this.#customer.memory.record.ticks?.[message] ?? [],
    tick: (message, step, checked) => {
      const ticks = this.#customer.memory.record.ticks ?? {};
      const others = (ticks[message] ?? []).filter((each) => each !== step);
      this.#customer.memory.keep({ ticks: { ...ticks, [message]: checked ? [...others, step] : others } });
    },
  };

  /** Show the conversation that is remembered, from its beginning. */
  #load() {
    this.#unfollow();
    this.#outbox?.stop();
    this.#story?.end();
    this.#wish = null;
    this.#after = this.#unread = 0;
    this.#panel.unread(0);
    this.#panel.composer.asking(false);
    this.#story = new Story(this.#panel, this.config, {
      restart: () => this.restart(),
      again: (letter) => this.#outbox.again(letter),
      arrived: (key) => this.#outbox.arrived(key),
      changed: (status) => this.#changed(status),
    });
    const { name, letters } = this.#customer;
    this.#outbox = new Outbox(
      letters,
      (letter) => this.#deliver(letter, name),
      (letter) => this.#story.letter(letter),
    );
    if (!this.conversationId) this.#story.settle(0);
    this.#follow();
  }

  /* --------------------------------------------------------------------------------------------- following */

  /** Follow the feed of a conversation that is not over, or that somebody looks at. */
  #follow() {
    const customer = this.#customer;
    const wanted = customer.conversation && this.isConnected && (!customer.memory.record.done || this.#panel.visible);
    if (this.#feed || !wanted) return;
    this.#feed = new Feed((...request) => customer.call(...request), customer.path, this.#after, {
      items: (batch) => this.#told(batch),
      expired: () => customer.api.forget(),
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
      if (item.role !== "customer" && seq > (this.#customer.memory.record.seen ?? 0)) this.#unread += 1;
      this.#emit("message", { ...item, live });
    }
    this.#read();
  }

  /** What is on the screen has been seen. */
  #read() {
    if (this.#panel.visible) {
      this.#unread = 0;
      if (this.#after > (this.#customer.memory.record.seen ?? 0)) this.#customer.memory.keep({ seen: this.#after });
    }
    this.#panel.unread(this.#unread);
  }

  #changed(status) {
    const done = status === "resolved";
    if (done !== Boolean(this.#customer.memory.record.done)) this.#customer.memory.keep({ done });
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
    if (error instanceof AnotherCustomer) this.#customer.identify();
    else if (gone(error)) this.#customer.startOver();
    else if (error instanceof NoToken || error.status === 401) this.#customer.lose(error);
    else this.#panel.error("feed", this.#panel.reason(error), () => this.#follow());
  }

  #looked() {
    clearTimeout(this.#timers.hidden);
    if (document.hidden) {
      this.#timers.hidden = setTimeout(() => this.#unfollow(), HIDDEN_MS);
    } else if (this.#customer.memory) {
      this.#follow();
      this.#feed?.nudge();
      this.#read();
    }
  }

  /** Another tab has opened a conversation, begun a new one, or read this one. */
  #elsewhere({ key }) {
    if (!this.#customer.memory || (key !== null && key !== this.#customer.memory.name)) return;
    const { conversation } = this.#customer.memory.record;
    const record = this.#customer.memory.reread();
    if (key === null || record.conversation !== conversation) return this.#load();
    if ((record.seen ?? 0) >= this.#after) this.#panel.unread((this.#unread = 0));
  }

  /* ---------------------------------------------------------------------------------------------- requests */

  async #deliver({ text, key }, as) {
    const turn = await this.#customer.ask("/messages", json({ text }), key, as);
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
    const as = this.#customer.name;
    this.#panel.error("person");
    this.#panel.composer.asking(true);
    this.#panel.toEnd();
    const post = () => (
      (this.#asking += 1),
      this.#customer.ask("/handoff", {}, key, as).finally(() => (this.#asking -= 1))
    );
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
    const [key, as] = [newKey(), this.#customer.name];
    const told = this.#story.upload(key, file);
    const type = file.type || "application/octet-stream";
    const headers = { "Content-Type": type, "X-File-Name": encodeURIComponent(file.name) };
    const send = async () => {
      told.sending();
      try {
        told.done(await patiently(() => this.#customer.ask("/files", { body: file, headers, seconds: 120 }, key, as)));
      } catch (error) {
        told.failed(`${this.#panel.t("not_sent")} ${this.#panel.reason(error)}`, send);
      }
    };
    await send();
  }

  async #download(file) {
    const response = await this.#customer.call("GET", `${this.#customer.path}/files/${file.file_id}`);
    const url = URL.createObjectURL(await response.blob());
    h("a", { href: url, download: file.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  async #rate(score, comment) {
    await this.#customer.ask("/rating", json(comment ? { score, comment } : { score }));
    this.#story.rated(score);
  }

  #emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(`handrail:${name}`, { bubbles: true, composed: true, detail }));
  }
}
