/* The demo page: who is asking, the real widget, and why each turn came out as it did. */

const VISITOR = "visitor";
const REFRESH_MS = 120; // several items of one turn arrive together

const EXAMPLES = [
  ["I was charged twice for invoice INV-2041", "Dana was; details are collected for a person"],
  ["Cancel my account", "Mia on a trial, Grace on a contract"],
  ["My MFA code is not accepted", "Sam: a checklist, step by step"],
  ["How do I set up SSO?", "Olivia has Okta, Jonas Entra ID, Leo is no admin"],
  ["Changes do not reach Jira. Is there an outage?", "the status page is asked before anything else"],
];

/** From the mildest to the strictest. */
const EFFECTS = {
  allow: ["Allowed", "go"],
  not_yet: ["Not yet", "wait"],
  refuse: ["Refused", "stop"],
  escalate: ["To a person", "stop"],
};

const words = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null)); // strings become text, never markup
  return node;
}

async function ask(path, body) {
  const how = body && { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await fetch(path, how);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** One customer with a widget and the reasons beside it. */
class Lane {
  #timer = null;
  #shown = 0; // the latest refresh, so that an older answer does not overwrite a newer one
  #said = new Map(); // turn id → the customer's words
  #open = new Map(); // turn id → whether the visitor of the page has opened or closed it

  constructor(customers, label, customer, chosen) {
    Object.assign(this, { customers, label, customer, chosen });
    this.select = h(
      "select",
      { onchange: () => this.become(this.select.value) },
      ...customers.map(({ id, name, plan }) =>
        h("option", { value: id, selected: id === customer }, plan ? `${name} (${plan})` : name),
      ),
    );
    this.about = h("p");
    this.chooser = h("div", { class: "chooser" }, h("label", {}, h("span", {}, label), this.select), this.about);
    this.chat = document.createElement("handrail-chat");
    this.chat.dataset.mode = "inline";
    this.chat.token = async () =>
      this.customer === VISITOR ? null : (await ask("demo/token", { customer_id: this.customer })).token;
    this.chat.addEventListener("handrail:message", ({ detail }) => this.#told(detail));
    this.chat.addEventListener("handrail:status", () => this.#soon());
    this.name = h("h2", { class: "lane-name" });
    this.mail = h("p", { class: "mail", role: "status", hidden: true });
    const again = h("button", { class: "quiet", type: "button", onclick: () => this.restart() }, "New conversation");
    this.turns = h("div", { class: "turns" });
    this.node = h(
      "section",
      { class: "lane" },
      h(
        "div",
        { class: "talk" },
        this.name,
        h("div", { class: "frame" }, this.chat),
        h("div", { class: "below" }, this.mail, again),
      ),
      h(
        "section",
        { class: "trace", "aria-label": "Reasons" },
        h("h2", {}, "Why"),
        h("p", {}, "What each stage decided, newest turn first, from the log."),
        this.turns,
      ),
    );
    this.#describe();
    this.#show([]);
  }

  get person() {
    return this.customers.find(({ id }) => id === this.customer);
  }

  become(customer) {
    this.customer = customer;
    this.#clear();
    this.#describe();
    this.chosen();
    return this.chat.refresh();
  }

  restart() {
    this.#clear();
    return this.chat.restart();
  }

  #clear() {
    clearTimeout(this.#timer);
    this.#shown += 1;
    this.#said.clear();
    this.#open.clear();
    this.mail.hidden = true;
    this.#show([]);
  }

  #describe() {
    this.about.textContent = this.person.about;
    this.name.textContent = this.person.name;
    this.node.setAttribute("aria-label", `${this.person.name}: conversation and reasons`);
  }

  #told({ role, turn_id: turn, text, live }) {
    if (role === "customer" && turn) this.#said.set(turn, text);
    if (role === "bot" && live) this.#post();
    this.#soon();
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), REFRESH_MS);
  }

  async #refresh() {
    const { conversationId: id } = this.chat;
    if (!id) return;
    const mine = ++this.#shown;
    const turns = await this.chat.read(`demo/conversations/${id}/turns`).catch(() => null);
    if (turns && mine === this.#shown) this.#show(turns);
  }

  /** The codes that Fernwell "sends" by e-mail: nothing leaves the machine, so they are shown here. */
  async #post() {
    if (this.customer === VISITOR) return;
    const { code } = await this.chat.read("demo/code").catch(() => ({ code: null }));
    this.mail.hidden = !code || code === this.mail.dataset.used;
    if (this.mail.hidden) return;
    const use = () => {
      this.mail.dataset.used = code;
      this.mail.hidden = true;
      this.chat.send(code);
    };
    this.mail.replaceChildren(
      h("span", {}, "E-mail from Fernwell: your code is ", h("b", {}, code)),
      h("button", { class: "quiet", type: "button", onclick: use }, "Send it"),
    );
  }

  #show(turns) {
    if (!turns.length) {
      this.turns.replaceChildren(
        h("p", { class: "empty" }, "Nothing has been said yet. Pick a message on the left, or write your own."),
      );
      return;
    }
    const latest = turns.at(-1).turn_id;
    this.turns.replaceChildren(...turns.toReversed().map((turn) => this.#turn(turn, turn.turn_id === latest)));
  }

  #turn({ turn_id: id, reasons, decisions }, latest) {
    const titles = new Map(reasons.map(({ code, title }) => [code, title]));
    const said = this.#said.get(id) ?? "Not a message: a button, an operator or the clock";
    const seen = reasons.filter(({ code }) => /^(SEG|RISK)_/.test(code));
    const open = this.#open.get(id) ?? latest;
    // Not `toggle`: that also tells of details that are put into the page open.
    const toggled = (event) => this.#open.set(id, !event.currentTarget.parentElement.open);
    return h(
      "details",
      { class: "turn", "data-turn": id, open },
      h(
        "summary",
        { onclick: toggled },
        h("span", { class: "words", dir: "auto" }, said),
        badge(weightiest(decisions)),
      ),
      h(
        "div",
        { class: "inside" },
        seen.length
          ? h(
              "ul",
              { class: "seen", "aria-label": "What policy saw" },
              ...seen.map(({ title }) => h("li", {}, title.replace(/^Segment /, ""))),
            )
          : null,
        h("div", { class: "steps" }, ...decisions.map((each) => step(each, titles))),
        h(
          "details",
          { class: "all" },
          h("summary", {}, `All ${reasons.length} reason codes`),
          codes(
            reasons.map(({ code }) => code),
            titles,
          ),
        ),
      ),
    );
  }
}

const codes = (list, titles) =>
  h(
    "ul",
    { class: "reasons" },
    ...list.map((code) => h("li", {}, h("code", {}, code), titles.get(code) ?? words(code.toLowerCase()))),
  );

function step({ stage, subject, effect, reasons, rules, obligations }, titles) {
  const by = [
    ["by", rules],
    ["then", obligations.map(words)],
  ].filter(([, list]) => list.length);
  return h(
    "section",
    { class: "step", "data-stage": stage },
    h("h3", {}, words(stage), subject === "turn" ? null : h("small", {}, subject)),
    h(
      "div",
      {},
      badge(effect),
      codes(reasons, titles),
      ...by.map(([label, list]) => h("p", { class: "by" }, h("b", {}, `${label} `), list.join(", "))),
    ),
  );
}

function badge(effect) {
  const [text, tone] = EFFECTS[effect] ?? [words(effect), "wait"];
  return h("span", { class: `effect ${tone}` }, text);
}

/** The effect that shaped the turn: the strictest of all stages. */
function weightiest(decisions) {
  const order = Object.keys(EFFECTS);
  return decisions.map(({ effect }) => effect).sort((a, b) => order.indexOf(b) - order.indexOf(a))[0] ?? "allow";
}

async function begin() {
  const [found] = await Promise.all([ask("demo/customers"), customElements.whenDefined("handrail-chat")]);
  const customers = [
    ...found,
    { id: VISITOR, name: "Anonymous visitor", plan: "", about: "somebody who is not signed in" },
  ];
  const lanes = [];
  const place = document.querySelector(".lanes");
  const choosers = document.querySelector(".choosers");
  const compare = document.querySelector("#compare");
  const remember = () => history.replaceState(null, "", `#${lanes.map(({ customer }) => customer).join(",")}`);

  const add = (customer) => {
    const known = customers.some(({ id }) => id === customer) ? customer : customers[0].id;
    const lane = new Lane(customers, lanes.length ? "Second customer" : "Customer", known, remember);
    lanes.push(lane);
    choosers.append(lane.chooser);
    place.append(lane.node);
    place.classList.toggle("two", lanes.length > 1);
    remember();
    return lane;
  };

  compare.addEventListener("change", () => {
    if (compare.checked) return void add(lanes[0].customer === "grace" ? "mia" : "grace");
    const lane = lanes.pop();
    lane.chooser.remove();
    lane.node.remove();
    place.classList.remove("two");
    remember();
  });
  const [first = "dana", second] = location.hash.slice(1).split(",").filter(Boolean);
  add(first);
  if (second) {
    compare.checked = true;
    add(second);
  }
  const say = (text) => Promise.all(lanes.map(({ chat }) => chat.send(text)));
  document
    .querySelector(".examples")
    .append(
      ...EXAMPLES.map(([text, note]) =>
        h("li", {}, h("button", { type: "button", onclick: () => say(text) }, text, h("small", {}, note))),
      ),
    );
}

begin();
