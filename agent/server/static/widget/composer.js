/* Where the customer writes. */

import { h, icon } from "./nodes.js";
import { length } from "./texts.js";

/** The field with its tools: attach a file, talk to a person, send. */
export class Composer {
  /** `on`: send(text), attach(file), person(). `limit` in characters. */
  constructor(t, limit, on) {
    Object.assign(this, { t, limit, on });
    this.field = h("textarea", {
      id: "message",
      rows: "1",
      dir: "auto",
      placeholder: t("placeholder"),
      "aria-describedby": "count",
      oninput: () => this.#typed(),
      onkeydown: (event) => this.#pressed(event),
      onpaste: (event) => this.#pasted(event),
    });
    this.count = h("p", { class: "count", id: "count", role: "status" });
    this.file = h("input", { type: "file", hidden: true, "aria-label": t("attach"), onchange: () => this.#picked() });
    this.label = h("span", {}, t("person_button"));
    this.person = h(
      "button",
      { class: "person-button", type: "button", onclick: () => on.person() },
      icon("person"),
      this.label,
    );
    // `aria-disabled`, not `disabled`: the button keeps its place in the order of the keyboard.
    this.submit = h(
      "button",
      { class: "send", type: "submit", "aria-label": t("send"), title: t("send"), "aria-disabled": "true" },
      icon("send"),
    );
    const attach = h(
      "button",
      {
        class: "plain",
        type: "button",
        "aria-label": t("attach"),
        title: t("attach"),
        onclick: () => this.file.click(),
      },
      icon("clip"),
    );
    const tools = h(
      "div",
      { class: "tools" },
      attach,
      this.file,
      this.person,
      h("span", { class: "grow" }),
      this.submit,
    );
    const box = h(
      "div",
      { class: "box" },
      h("label", { class: "vh", for: "message" }, t("message")),
      this.field,
      tools,
    );
    this.node = h(
      "form",
      { class: "composer", onsubmit: (event) => (event.preventDefault(), this.#send()) },
      box,
      this.count,
    );
  }

  /** Whether a person is being asked for. The button works meanwhile, and always. */
  asking(busy) {
    this.person.setAttribute("aria-busy", String(busy));
    this.label.textContent = this.t(busy ? "person_asking" : "person_button");
  }

  #typed() {
    this.field.style.blockSize = "auto";
    this.field.style.blockSize = `${this.field.scrollHeight}px`;
    const left = this.limit - length(this.field.value);
    let words = "";
    if (left < 0) words = this.t("characters_over", { count: -left });
    else if (left <= Math.min(500, this.limit / 5)) words = this.t("characters_left", { count: left });
    this.count.textContent = words;
    this.count.classList.toggle("over", left < 0);
    this.field.setAttribute("aria-invalid", String(left < 0));
    this.submit.setAttribute("aria-disabled", String(left < 0 || !this.field.value.trim()));
  }

  #pressed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #send() {
    if (this.submit.getAttribute("aria-disabled") === "true") return;
    this.on.send(this.field.value.trim());
    this.field.value = "";
    this.#typed();
    this.field.focus();
  }

  #picked() {
    for (const file of this.file.files) this.on.attach(file);
    this.file.value = "";
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    for (const file of files) this.on.attach(file);
  }
}
