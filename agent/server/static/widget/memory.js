/* What this browser remembers. */

/** One record under one name. Without storage (blocked, private) it lasts as long as the page. */
export class Memory {
  /** `storage` is asked for each time, because asking may raise. */
  constructor(storage, name) {
    Object.assign(this, { storage, name, record: {} });
    this.reread();
  }

  /** What is stored now; another tab may have written. */
  reread() {
    try {
      this.record = JSON.parse(this.storage().getItem(this.name)) ?? {};
    } catch {
      // blocked, or nobody's JSON: what this page knows still holds
    }
    return this.record;
  }

  keep(changes) {
    this.record = { ...this.record, ...this.reread(), ...changes };
    try {
      this.storage().setItem(this.name, JSON.stringify(this.record));
    } catch {
      // blocked or full: see above
    }
  }

  clear() {
    this.record = {};
    try {
      this.storage().removeItem(this.name);
    } catch {
      // see above
    }
  }
}
