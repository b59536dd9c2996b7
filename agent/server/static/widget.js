/*
 * Puts the chat widget of Handrail into a page:
 *
 *   <script src="https://support.example.com/widget.js" data-site-key="..." defer></script>
 *
 * The widget itself is in widget/*.js, plain modules that need no build step. docs/widget.md has attributes, events
 * and what a Content-Security-Policy has to allow.
 */
(() => {
  "use strict";
  const script = document.currentScript;
  const given = { ...script?.dataset };
  const home = script?.src || new URL("widget.js", location.href).href;
  const page = (window.Handrail ??= {}); // the page may have put `token` there before

  const loaded = import(new URL("widget/chat.js", home).href).then(({ HandrailChat }) => {
    HandrailChat.defaults = given;
    if (!customElements.get("handrail-chat")) customElements.define("handrail-chat", HandrailChat);
  });

  /** The element that the page has, or else a new one; a script with `data-auto="false"` makes none. */
  page.chat = loaded.then(() => {
    const present = document.querySelector("handrail-chat"); // a deferred script and its imports run after parsing
    if (present || given.auto === "false") return present;
    return document.body.appendChild(document.createElement("handrail-chat"));
  });
  for (const name of ["open", "close", "send", "restart", "refresh"]) {
    page[name] = async (...values) => (await page.chat)?.[name](...values);
  }
})();
