/* Everything on the screen. */

import { NoToken, Refusal, Unreachable } from "./api.js";
import { Bubble } from "./bubble.js";
import { Composer } from "./composer.js";
import { h, icon } from "./nodes.js";
import { ratingCard } from "./rating.js";
import { TEXTS, fill } from "./texts.js";

const SMALL = "(max-width: 520px), (max-height: 480px)"; // as in style.js
const CLOSE_MS = 300_000; // messages of one author within five minutes stand under one heading
const NEAR_END = 80; // pixels

/** Launcher and panel. It knows how things look and nothing of where they come from. */
export class Panel {
  #stick = true;
  #errors = new Map();

  /**
   * `config` is what GET /v1/widget answers. `on` is what the customer does: open, close, send(text), person,
   * attach(file), download(file), rate(score, comment), tick(message, index, checked), ticked(message).
   */
  constructor(root, { inline, config, contact, on }) {
    Object.assign(this, { root, inline, contact, on });
    this.name = config.name || "Support";
    this.language = config.languages?.[0] ?? "en";
    this.texts = { ...TEXTS, ...config.texts };
    this.t = (name, values) => fill(this.texts[name] ?? name, { company: this.name, ...values });
    this.reason = this.reason.bind(this);
    // The reader's own way to write times, where it is in the language of the words.
    const locale = navigator.languages.find((each) => each.startsWith(this.language)) ?? this.language;
    const hours = { hour: "numeric", minute: "2-digit" };
    this.clock = new Intl.DateTimeFormat(locale, hours);
    this.day = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", ...hours });
    this.composer = new Composer(this.t, config.message_characters ?? 8000, on);
    this.#build();
  }

  #build() {
    const { t, on } = this;
    this.badge = h("span", { class: "badge", hidden: true });
    this.launcher = h(
      "button",
      { class: "launcher", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: on.open },
      icon("chat"),
      this.badge,
    );
    this.stripe = h("div", { class: "strip", role: "status", hidden: true });
    this.rows = h("div", { role: "log", "aria-live": "off", "aria-label": t("log") });
    this.dots = h(
      "div",
      { class: "dots", hidden: true },
      h("span", { class: "vh" }, t("typing")),
      h("i"),
      h("i"),
      h("i"),
    );
    const intro = h("div", { class: "intro" }, h("h3", {}, t("intro_title")), h("p", {}, t("intro")));
    // It scrolls, so the keyboard must be able to get there.
    this.log = h(
      "div",
      { class: "log", tabindex: "0", role: "group", "aria-label": t("log"), onscroll: () => this.#scrolled() },
      intro,
      this.rows,
      this.dots,
    );
    this.newest = h(
      "button",
      { class: "newest", type: "button", hidden: true, onclick: () => (this.toEnd(), this.refocus()) },
      icon("down"),
      t("newest"),
    );
    this.frame = h(
      this.inline ? "section" : "dialog",
      {
        class: this.inline ? "panel inline" : "panel",
        "aria-labelledby": "name",
        lang: this.language,
        onkeydown: (event) => this.#pressed(event),
        oncancel: (event) => (event.preventDefault(), on.close()),
      },
      this.#head(),
      this.stripe,
      h("div", { class: "middle" }, this.log, this.newest),
      this.composer.node,
    );
    // The keyboard of a phone, the strip, a longer message being written: what was at the end stays there.
    new ResizeObserver(() => this.#stick && this.toEnd()).observe(this.log);
    this.root.replaceChildren(...(this.inline ? [this.frame] : [this.launcher, this.frame]));
    this.unread(0);
  }

  #head() {
    const { t, on } = this;
    this.face = h("div", { class: "face", "aria-hidden": "true" });
    this.line = h("p", { class: "disclosure" });
    const close = h(
      "button",
      { class: "plain", type: "button", "aria-label": t("close"), title: t("close"), onclick: on.close },
      icon("close"),
    );
    const who = h("div", { class: "who" }, h("h2", { id: "name" }, this.name), this.line);
    return h("div", { class: "head" }, this.face, who, this.inline ? null : close);
  }

  get focused() {
    return this.root.activeElement;
  }

  get visible() {
    return (this.inline || this.frame.open) && !document.hidden;
  }

  /** Where the focus goes when what had it is gone. On touch screens the field would bring up the keyboard. */
  refocus() {
    (matchMedia("(hover: hover)").matches ? this.composer.field : this.log).focus({ preventScroll: true });
  }

  show() {
    if (this.inline || this.frame.open) return;
    // On a small screen the panel covers the page, so the page must not be reachable behind it.
    if (matchMedia(SMALL).matches) this.frame.showModal();
    else this.frame.show();
    this.launcher.hidden = true;
    this.launcher.setAttribute("aria-expanded", "true");
    this.toEnd();
    this.refocus();
  }

  hide() {
    if (this.inline || !this.frame.open) return;
    this.frame.close();
    this.launcher.hidden = false;
    this.launcher.setAttribute("aria-expanded", "false");
    this.launcher.focus();
  }

  #pressed(event) {
    if (event.key !== "Escape" || this.inline || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    this.on.close();
  }

  unread(count) {
    this.badge.hidden = count === 0;
    this.badge.textContent = count > 9 ? "9+" : String(count);
    this.launcher.setAttribute("aria-label", this.t(count ? "launcher_unread" : "launcher", { count }));
  }

  /** Who the customer talks to. `person` is the name of a person, null for the machine. */
  header(line, person = null) {
    this.line.textContent = line;
    this.line.classList.toggle("human", person !== null);
    this.face.classList.toggle("human", person !== null);
    this.face.replaceChildren(person ? person.charAt(0).toUpperCase() : icon("spark"));
  }

  /** The line below the header: a place in the queue, or trouble with the connection. */
  strip(text, symbol = "clock", trouble = false) {
    this.stripe.hidden = !text;
    this.stripe.classList.toggle("trouble", trouble);
    if (this.stripe.textContent === text) return; // read out only when it changes
    this.stripe.replaceChildren(...(text ? [icon(symbol), h("span", {}, text)] : []));
  }

  /** Whether additions are read out: not while the stored part of a conversation is loaded. */
  announce(on) {
    this.rows.setAttribute("aria-live", on ? "polite" : "off");
  }

  message(message) {
    const bubble = new Bubble(this, message);
    this.put(bubble);
    return bubble;
  }

  /** A bubble at the end; one that is there already moves. */
  put(bubble) {
    bubble.node.remove();
    const last = this.rows.lastElementChild?.bubble;
    const sameHead = last && last.author === bubble.author && last.message.role === bubble.message.role;
    const soon = sameHead && Date.parse(bubble.message.at) - Date.parse(last.message.at) < CLOSE_MS;
    bubble.head(!soon);
    this.#add(bubble.node);
  }

  notice(text, symbol, ...actions) {
    const node = h("div", { class: "notice" }, icon(symbol), h("span", {}, text), ...actions);
    this.#add(node);
    return node;
  }

  action(name, work) {
    return h("button", { class: "text-button", type: "button", onclick: work }, this.t(name));
  }

  /** A problem and what to do about it. One of each kind at a time; without `text` it is over. */
  error(kind, text = null, again = null) {
    this.#errors.get(kind)?.remove();
    this.#errors.delete(kind);
    if (!text) return;
    const node = this.notice(text, "alert");
    node.classList.add("error");
    if (again) node.append(this.action("try_again", again));
    if (this.contact) node.append(h("span", {}, this.t("contact", { contact: this.contact })));
    this.#errors.set(kind, node);
    this.#follow(node);
  }

  rating() {
    const card = ratingCard(this, this.on.rate);
    this.#add(card);
    return card;
  }

  /** What went wrong, for the customer: the server's own hints are written for programmers. */
  reason(error) {
    if (error instanceof Refusal && this.texts[`error_${error.code}`]) return this.t(`error_${error.code}`);
    if (error instanceof NoToken || error.status === 401) return this.t("sign_in");
    return this.t(error instanceof Unreachable ? "unreachable" : "error_other");
  }

  typing(active) {
    if (this.dots.hidden === !active) return;
    this.dots.hidden = !active;
    if (active) this.#follow(this.dots);
  }

  time(at) {
    const then = new Date(at);
    return (then.toDateString() === new Date().toDateString() ? this.clock : this.day).format(then);
  }

  clear() {
    this.rows.replaceChildren();
    this.#errors.clear();
    this.typing(false);
    this.toEnd();
  }

  toEnd() {
    this.#stick = true;
    this.newest.hidden = true;
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** A bubble that has got another part. */
  grown(bubble) {
    if (this.#stick && bubble.node === this.rows.lastElementChild) this.#follow(bubble.node);
  }

  #add(node) {
    this.rows.append(node);
    this.#follow(node);
  }

  /** Keep to the end, unless the customer has scrolled up to read. A long message is shown from its beginning. */
  #follow(node) {
    if (!this.#stick) {
      if (node !== this.dots) this.newest.hidden = false;
      return;
    }
    this.log.scrollTop = this.log.scrollHeight;
    if (node.offsetHeight > this.log.clientHeight - 48) this.log.scrollTop = node.offsetTop - 12;
    this.#stick = true; // also at the beginning of a long message
  }

  #scrolled() {
    this.#stick = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END;
    if (this.#stick) this.newest.hidden = true;
  }
}
