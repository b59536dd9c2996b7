/* Asking the server. */

/** A key that makes a request repeatable; also an id for elements. */
export const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** An answer of 400 or more: `code`, `message` and `hint` are for the reader, `retryAfter` in seconds. */
export class Refusal extends Error {
  constructor(status, code, message, hint = "", retryAfter = 0) {
    super(message);
    Object.assign(this, { status, code, hint, retryAfter });
  }

  static async of(response) {
    const { error } = await response.json().catch(() => ({}));
    const wait = Number(response.headers.get("retry-after")) || 0;
    return new Refusal(response.status, error?.code ?? "unknown", error?.message ?? "", error?.hint ?? "", wait);
  }

  /** Whether the very same request may succeed a little later. */
  get passing() {
    return this.status === 429 || this.status === 408 || this.status >= 500 || this.code === "busy";
  }
}

/** No answer: the network, the server or the browser's origin rules. */
export class Unreachable extends Error {}

/** The host page was asked for a token and failed. Never treated as an anonymous visitor. */
export class NoToken extends Error {}

/** The page's token is another customer's than the request was meant for. */
export class AnotherCustomer extends NoToken {}

/** The server, as one customer. */
export class Api {
  #token; // a promise: asked for once, by whoever needs it first

  /** `server` ends with a slash. `source` returns a token or a promise of one; nothing for a visitor. */
  constructor(server, siteKey, source) {
    Object.assign(this, { server, siteKey, source });
  }

  /** The customer's token, or "" for a visitor. */
  token() {
    this.#token ??= (async () => (await this.source()) || "")().catch((error) => {
      this.#token = undefined;
      throw new NoToken("The page could not get a token for this customer.", { cause: error });
    });
    return this.#token;
  }

  /** Ask for a new token the next time. */
  forget() {
    this.#token = undefined;
  }

  /** Who the customer is, "visitor" without a token. */
  async subject() {
    return subject(await this.token());
  }

  /** A request of the customer `as`. Raises Refusal, Unreachable, NoToken. A token that has expired is renewed once. */
  async call(method, path, { as, body, headers = {}, visitorKey, signal, seconds = 60 }) {
    for (let renewed = false; ; renewed = true) {
      const token = await this.token();
      // A token may change at any time: nothing is asked or said as somebody else.
      if (subject(token) !== as) throw new AnotherCustomer("The page's customer has changed.");
      const sent = { ...headers };
      if (this.siteKey) sent["X-Site-Key"] = this.siteKey;
      if (token) sent.Authorization = `Bearer ${token}`;
      else if (visitorKey) sent["X-Visitor-Key"] = visitorKey;
      const response = await this.#fetch(method, path, sent, body, signal ?? AbortSignal.timeout(seconds * 1000));
      if (response.ok) return response;
      const refusal = await Refusal.of(response);
      if (renewed || !token || !["token_expired", "invalid_token"].includes(refusal.code)) throw refusal;
      this.forget();
    }
  }

  /** What the widget shows and says. Needs no customer. */
  async config() {
    const headers = this.siteKey ? { "X-Site-Key": this.siteKey } : {};
    const response = await this.#fetch("GET", "v1/widget", headers, undefined, AbortSignal.timeout(10_000));
    return response.ok ? response.json() : {};
  }

  async #fetch(method, path, headers, body, signal) {
    const how = { credentials: "omit", cache: "no-store", redirect: "error" };
    try {
      return await fetch(this.server + path, { method, headers, body, signal, ...how });
    } catch (error) {
      throw new Unreachable("The server does not answer.", { cause: error });
    }
  }
}

/** Who a token is for. The server checks its signature; here it only keeps customers apart. */
function subject(token) {
  if (!token) return "visitor";
  try {
    const claims = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    return `customer:${JSON.parse(new TextDecoder().decode(Uint8Array.from(claims, (c) => c.charCodeAt(0)))).sub}`;
  } catch {
    return "customer:unknown"; // no JWT: the server will say so
  }
}
