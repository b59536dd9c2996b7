/* One message on the screen. */

import { newKey } from "./api.js";
import { h, icon } from "./nodes.js";
import { bytes, readable } from "./texts.js";

const ITEM = /^(\d{1,2}\.|[-•]) /;

/** A message. Sources, steps and offers may arrive after the text. */
export class Bubble {
  /** `message`: role, text, at, name of a person, message_id, turn_id, file; all but the role may be missing. */
  constructor(panel, message) {
    this.panel = panel;
    this.message = message;
    this.content = h("div", { class: "bubble", dir: "auto" });
    this.delivery = h("div", { class: "delivery", hidden: true });
    this.node = h("div", { class: `row ${message.role}` }, this.content, this.delivery);
    this.node.bubble = this;
    this.fill();
  }

  get author() {
    const { role, name } = this.message;
    if (role === "customer") return this.panel.t("you");
    return role === "operator" ? name || this.panel.t("person") : this.panel.name;
  }

  /** Who and when, above the first of several messages by the same author. */
  head(first) {
    this.node.classList.toggle("first", first);
    this.node.querySelector(":scope > .meta")?.remove();
    if (!first) return;
    const { role, at } = this.message;
    const mine = role === "customer";
    const meta = h("div", { class: "meta" });
    // The bubble names its author for screen readers already.
    if (!mine) meta.append(h("b", { "aria-hidden": "true" }, this.author));
    if (!mine) meta.append(h("span", { class: "tag" }, this.panel.t(role === "operator" ? "person" : "ai")));
    if (at) meta.append(h("time", { datetime: at }, this.panel.time(at)));
    this.node.prepend(meta);
  }

  /** The text, line by line. Lines that the checklist or the list of sources shows better are left to them. */
  fill() {
    const { text, steps = [], sources = [], file } = this.message;
    const author = h("span", { class: "vh" }, `${this.author}: `);
    if (file) return this.content.replaceChildren(author, this.#file(file));
    const list = steps.length ? this.#steps(steps) : null;
    const parts = [];
    for (const line of text.split("\n")) {
      if (list && line.startsWith("- ") && steps.includes(line.slice(2))) {
        if (!parts.includes(list)) parts.push(list);
      } else if (!namesSources(line, sources)) {
        parts.push(h("span", { class: ITEM.test(line) ? "line item" : "line" }, line));
      }
    }
    while (parts.at(-1)?.textContent === "") parts.pop();
    if (list && !parts.includes(list)) parts.push(list);
    if (sources.length) parts.push(this.#sources(sources));
    this.content.replaceChildren(author, ...parts);
  }

  #steps(items) {
    const { on } = this.panel;
    const id = this.message.message_id;
    const ticked = on.ticked(id);
    const step = (item, index) => {
      const tick = (event) => on.tick(id, index, event.target.checked);
      const box = h("input", { type: "checkbox", checked: ticked.includes(index), onchange: tick });
      return h("li", {}, h("label", {}, box, h("span", {}, item)));
    };
    return h("ul", { class: "steps" }, ...items.map(step));
  }

  #sources(sources) {
    const items = sources.map((each) =>
      h("li", { "data-document": each.doc_id }, icon("book"), h("span", {}, each.title)),
    );
    return h("div", { class: "sources" }, this.panel.t("sources"), h("ul", {}, ...items));
  }

  #file(file) {
    const label = this.panel.t("download", { file: file.name });
    const save = () => this.panel.on.download(file);
    return h(
      "div",
      { class: "attachment" },
      icon("file"),
      h("span", {}, file.name, h("small", {}, bytes(file.size))),
      file.file_id
        ? h("button", { class: "plain", type: "button", "aria-label": label, onclick: save }, icon("down"))
        : null,
    );
  }

  /** Short answers to choose from. */
  replies(replies) {
    if (this.card) return; // the card's buttons are the answers to a confirmation
    const pick = (text) =>
      h("button", { class: "pill", type: "button", dir: "auto", onclick: () => this.panel.on.send(text) }, text);
    this.offers?.remove();
    this.offers = h("div", { class: "replies" }, ...replies.map(pick));
    this.node.append(this.offers);
  }

  /** The card with the exact call that a yes lets run. */
  confirm({ tool, title, arguments: shown, expires_at: until }) {
    const { t, on } = this.panel;
    const id = newKey();
    // These two words are sent whatever the language of the buttons: the server understands them always.
    const button = (word, look) => h("button", { class: look, type: "button", onclick: () => on.send(word) }, t(word));
    this.offers?.remove();
    this.offers = null;
    this.buttons = [button("yes", "solid"), button("no", "outline")];
    this.state = h(
      "p",
      { class: "state", hidden: !until },
      until ? t("confirm_until", { time: this.panel.time(until) }) : "",
    );
    const rows = shown.flatMap(({ name, content }) => [
      h("dt", {}, readable(name)),
      h("dd", { dir: "auto" }, typeof content === "string" ? content : JSON.stringify(content)),
    ]);
    this.card = h(
      "section",
      { class: "card confirm", "aria-labelledby": id, "data-tool": tool },
      h("header", {}, h("small", {}, t("confirm")), h("h3", { id }, title)),
      h("dl", {}, ...rows),
      h("footer", {}, ...this.buttons),
      this.state,
    );
    this.node.append(this.card);
    const left = until ? Date.parse(until) - Date.now() : Infinity;
    if (left <= 0) this.close("confirm_expired");
    else if (left < 2 ** 31) this.timer = setTimeout(() => this.close("confirm_expired"), left);
  }

  /** What was offered can no longer be taken up: answered (`answer`: in these words), overtaken or expired. */
  close(outcome, answer = "") {
    if ([this.offers, this.card].some((part) => part?.contains(this.panel.focused))) this.panel.refocus();
    this.offers?.remove();
    this.offers = null;
    if (!this.buttons) return;
    clearTimeout(this.timer);
    for (const button of this.buttons) button.disabled = true;
    this.buttons = null;
    const said = { yes: "confirm_yes", no: "confirm_no" }[answer.trim().toLowerCase()];
    this.state.hidden = false;
    this.state.textContent = this.panel.t(said ?? outcome);
  }

  /** How far a message of the customer has got; `again` offers another try. */
  deliver(text, again = null) {
    this.delivery.hidden = !text;
    this.delivery.classList.toggle("failed", again !== null);
    const parts = [h("span", {}, text ?? "")];
    if (again)
      parts.push(h("button", { class: "text-button", type: "button", onclick: again }, this.panel.t("try_again")));
    this.delivery.replaceChildren(...parts);
  }
}

/** Whether a line of the text does nothing but name the sources, as in "Source: Set up single sign-on". */
function namesSources(line, sources) {
  if (!sources.length || !sources.every(({ title }) => line.includes(title))) return false;
  const rest = sources.reduce((left, { title }) => left.replace(title, ""), line);
  return rest.length <= 12 + 3 * sources.length;
}
