/* What has been told of a conversation, and what of it is on the screen. */

const SETTLE_MS = 300; // after this much quiet the stored part has been read, and news begins
const WITH_PERSON = new Set(["accepted", "human"]);

/**
 * Puts the items of a feed on the panel.
 *
 * INVARIANT: what is shown comes from the feed, so that a reload and another tab show the same. Messages and files on
 * their way are marked as such, and a `standIn` holds the place of what the feed has not brought yet.
 */
export class Story {
  status = "bot";
  person = null; // the name of the person who has the conversation
  live = false; // whether items are news
  #queue = null;
  #typing = false; // says the server
  #replying = false; // a message is on its way, and a machine will answer
  #link = null; // "lost" or "back"
  #bubbles = new Map(); // by message id, `file:id`; on the way by `letter:key`, `upload:key`; else `partial:`, `turn:`
  #answered = new Set(); // turns whose reply has been told
  #delivered = new Set(); // letters that the feed has brought
  #offer = null; // the bubble whose offers may still be taken up
  #closing = null;
  #card = null;
  #timer = null;

  /** `on`: restart(), again(letter), arrived(key of a letter), changed(status). */
  constructor(panel, config, on) {
    Object.assign(this, { panel, config, on });
    panel.clear();
    panel.announce(false);
    this.#update();
  }

  end() {
    clearTimeout(this.#timer);
  }

  /* -------------------------------------------------------------------------------------------- the feed */

  take(batch) {
    for (const { item } of batch) this.#told[item.event]?.(item); // kinds of a later version are passed over
    this.#update();
    if (!this.live) this.settle(SETTLE_MS);
  }

  /** From `ms` on, what comes is news. */
  settle(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.live = true;
      this.panel.announce(true);
      this.panel.toEnd();
    }, ms);
  }

  #told = {
    "message.delta": ({ message_id: id, text }) => this.#piece(id, text),
    "message.completed": (item) => (item.role === "customer" ? this.#said(item) : this.#answer(item)),
    typing: ({ active }) => (this.#typing = active),
    citation: ({ message_id: id, ...source }) =>
      this.#extend(id, ({ message }) => (message.sources = [...(message.sources ?? []), source])),
    checklist: ({ message_id: id, items }) => this.#extend(id, ({ message }) => (message.steps = items)),
    quick_replies: ({ message_id: id, replies }) =>
      this.#extend(id, (bubble) => (this.#offer = bubble).replies(replies)),
    "confirmation.requested": (item) => this.#extend(item.message_id, (bubble) => (this.#offer = bubble).confirm(item)),
    "handoff.requested": ({ team }) => this.panel.notice(this.panel.t("requested", { team }), "person"),
    "handoff.queued": (item) => (this.#queue = item),
    "handoff.accepted": ({ name }) => {
      this.person = name;
      this.panel.notice(this.panel.t("joined", { name }), "person");
    },
    "handoff.ended": ({ outcome }) => this.#left(outcome),
    status: ({ status }) => this.#turn(status),
    "rating.requested": () => {
      this.#card?.remove();
      this.#card = this.panel.rating();
    },
    "rating.given": ({ score }) => this.rated(score),
    "file.attached": (item) => this.#attached(item),
  };

  /** A part of a message that is still being told. Read out once, when it is whole. */
  #piece(id, text) {
    const bubble =
      this.#bubbles.get(`partial:${id}`) ?? this.#add(`partial:${id}`, { role: "bot", text: "", at: now() });
    bubble.node.classList.add("partial");
    bubble.node.setAttribute("aria-hidden", "true");
    bubble.message.text += text;
    bubble.fill();
    this.panel.grown(bubble);
  }

  #said(item) {
    if (this.#bubbles.has(item.message_id)) return;
    this.#over(item.text);
    const [key, bubble] = this.#expected(item) ?? [];
    if (!bubble) return void this.#add(item.message_id, item);
    this.#bubbles.delete(key);
    this.#bubbles.set(item.message_id, bubble);
    Object.assign(bubble.message, item);
    bubble.fill();
    bubble.deliver(null);
    this.panel.put(bubble);
    const letter = key.slice("letter:".length);
    this.#delivered.add(letter);
    this.on.arrived(letter);
  }

  /** The bubble on its way that this message is: of the same turn, else of the same words. */
  #expected({ turn_id: turn, text }) {
    const waiting = [...this.#bubbles].filter(([key]) => key.startsWith("letter:"));
    return (
      waiting.find(([, { message }]) => turn && message.turn_id === turn) ??
      waiting.find(([, { message }]) => message.text === text)
    );
  }

  #answer(item) {
    const { message_id: id, turn_id: turn, role, name } = item;
    if (this.#bubbles.has(id)) return;
    for (const key of [`partial:${id}`, `turn:${turn}`]) this.#drop(key);
    if (role === "bot") {
      this.#over();
      this.#typing = this.#replying = false;
      if (turn) this.#answered.add(turn);
    } else {
      this.person = name ?? this.person;
    }
    this.#add(id, item);
  }

  #extend(id, work) {
    const bubble = this.#bubbles.get(id);
    if (!bubble) return;
    work(bubble);
    bubble.fill();
    this.panel.grown(bubble);
  }

  #left(outcome) {
    if (outcome === "resolved") return; // the status says so too, also where a machine resolved it
    this.panel.notice(this.panel.t(outcome === "queued" ? "queued_again" : "returned_to_bot", this.#team()), "person");
    this.person = null;
  }

  #turn(status) {
    this.status = status;
    if (!WITH_PERSON.has(status)) this.person = null;
    else this.#typing = this.#replying = false;
    if (status === "resolved") {
      this.#closing?.remove();
      this.#closing = this.panel.notice(
        this.panel.t("resolved"),
        "check",
        this.panel.action("new_conversation", this.on.restart),
      );
    } else {
      this.#card?.remove(); // it goes on: too early to rate
      this.#card = null;
    }
    this.on.changed(status);
  }

  rated(score) {
    this.#card?.remove();
    this.#card = null;
    this.#drop("rating");
    this.#bubbles.set("rating", { node: this.panel.notice(this.panel.t("rating_thanks", { score }), "star") });
  }

  /* ------------------------------------------------------------------------------------- what is on its way */

  /** A letter of the outbox, at each change. */
  letter(letter) {
    const { key, text, state, why, turn } = letter;
    const { t } = this.panel;
    const name = `letter:${key}`;
    if (state === "sending") this.#replying = true;
    if (state === "sent" || state === "failed") this.#replying = false;
    let bubble = this.#bubbles.get(name);
    if (!bubble && state === "sending" && !this.#delivered.has(key)) {
      this.#over(text);
      bubble = this.#add(name, { role: "customer", text, at: now() });
    }
    if (bubble && state === "sent") this.#accepted(name, bubble, turn.turn_id);
    else if (state === "failed")
      bubble?.deliver(`${t("not_sent")} ${this.panel.reason(why)}`, () => this.on.again(letter));
    else bubble?.deliver(t(state));
    this.#update();
  }

  /** The request has its answer. The feed may be late, or may have brought it in other words (masked numbers). */
  #accepted(name, bubble, turn) {
    bubble.deliver(null);
    bubble.message.turn_id = turn;
    const told = [...this.#bubbles.values()].some(
      (each) => each !== bubble && each.message?.role === "customer" && each.message.turn_id === turn,
    );
    if (told) this.#drop(name);
  }

  /** The answer to a request, where the feed does not bring it. `speaks`: nothing better knows the status. */
  standIn(turn, speaks) {
    if (turn.reply && !this.#answered.has(turn.turn_id) && !this.#bubbles.has(`turn:${turn.turn_id}`)) {
      this.#over();
      const sources = turn.citations ?? [];
      const bubble = this.#add(`turn:${turn.turn_id}`, {
        role: "bot",
        text: turn.reply,
        at: now(),
        turn_id: turn.turn_id,
        sources,
      });
      const { confirmation: call, quick_replies: replies = [] } = turn;
      if (call) bubble.confirm({ title: call.tool, ...call, arguments: shown(call.arguments) });
      if (replies.length) bubble.replies(replies);
      this.#offer = bubble;
    }
    if (speaks) {
      this.status = turn.status;
      this.#queue = turn.handoff ?? this.#queue;
    }
    this.#update();
  }

  /** A file on its way. Returns how its upload is told: failed(text, again), sending(), done(answer). */
  upload(key, { name, size }) {
    const bubble = this.#add(`upload:${key}`, { role: "customer", text: "", at: now(), file: { name, size } });
    const sending = () => bubble.deliver(this.panel.t("uploading"));
    sending();
    return {
      sending,
      failed: (text, again) => bubble.deliver(text, again),
      done: (item) => this.#attached(item, `upload:${key}`),
    };
  }

  #attached(item, key = null) {
    const { file_id: id, name, size } = item;
    const mine = ([each, { message }]) =>
      each === key || (!key && each.startsWith("upload:") && message.file.name === name && message.file.size === size);
    const [upload, bubble] = [...this.#bubbles].find(mine) ?? [];
    if (this.#bubbles.has(`file:${id}`)) return upload === key && void this.#drop(key);
    if (!bubble) return void this.#add(`file:${id}`, { role: "customer", text: "", at: item.at, file: item });
    this.#bubbles.delete(upload);
    this.#bubbles.set(`file:${id}`, bubble);
    bubble.message.file = item;
    bubble.fill();
    bubble.deliver(null);
  }

  /* ------------------------------------------------------------------------------------------- the screen */

  get lost() {
    return this.#link === "lost";
  }

  /** The connection: "lost", "back" for a moment, or null. */
  link(state) {
    this.#link = state;
    this.#update();
  }

  #add(key, message) {
    const bubble = this.panel.message({ ...message });
    this.#bubbles.set(key, bubble);
    return bubble;
  }

  #drop(key) {
    this.#bubbles.get(key)?.node.remove();
    this.#bubbles.delete(key);
  }

  /** Whatever was offered is over: answered in these words, or overtaken. */
  #over(answer = "") {
    this.#offer?.close("confirm_over", answer);
    this.#offer = null;
  }

  #team() {
    return { team: this.#queue?.team ?? this.panel.name };
  }

  #update() {
    const { panel, config, person } = this;
    const { t } = panel;
    const human = WITH_PERSON.has(this.status);
    const name = person ?? t("person");
    if (human) panel.header(named(config.person_disclosure || t("person_disclosure"), name), name);
    else panel.header(this.status === "resolved" ? t("closed_disclosure") : config.disclosure || t("disclosure"));
    panel.typing(!human && this.status !== "queued" && (this.#typing || this.#replying));
    if (this.#link === "lost") panel.strip(t("offline"), "alert", true);
    else if (this.#link === "back") panel.strip(t("online"), "check");
    else panel.strip(this.status === "queued" && this.#queue ? this.#waiting() : "");
  }

  #waiting() {
    const { t } = this.panel;
    const { team, position, due_at: due, opens_at: opens } = this.#queue;
    const parts = [position ? t("queue_position", { team, position }) : t("queue_waiting", { team })];
    if (opens) parts.push(t("queue_closed", { time: this.panel.time(opens) }));
    else if (due && Date.parse(due) > Date.now()) parts.push(t("queue_due", { time: this.panel.time(due) }));
    return parts.join(" ");
  }
}

const now = () => new Date().toISOString();
const named = (text, name) => (text.includes("{name}") ? text.replaceAll("{name}", name) : `${name} · ${text}`);
const shown = (given) =>
  Array.isArray(given) ? given : Object.entries(given).map(([name, content]) => ({ name, content }));
