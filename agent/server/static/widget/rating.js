/* The rating at the end. */

import { newKey } from "./api.js";
import { h, icon } from "./nodes.js";

/** A form with one to five stars and a comment. `send(score, comment)` stores it; what it raises is told. */
export function ratingCard({ t, reason }, send) {
  const id = newKey();
  const state = h("p", { class: "state", role: "alert", hidden: true });
  const tell = (text) => {
    state.hidden = false;
    state.textContent = text;
  };
  const star = (score) =>
    h(
      "label",
      {},
      h("input", { class: "vh", type: "radio", name: id, value: score }),
      h("span", { class: "vh" }, t("rating_star", { score })),
      icon("star"),
    );
  const comment = h("textarea", { id, rows: "2", maxlength: "1000", dir: "auto" });
  const submit = async (event) => {
    event.preventDefault();
    const score = Number(event.currentTarget.querySelector("input:checked")?.value);
    if (!score) return tell(t("rating_pick"));
    try {
      await send(score, comment.value.trim());
    } catch (error) {
      tell(reason(error));
    }
  };
  return h(
    "form",
    { class: "card rating", "aria-label": t("rating_title"), onsubmit: submit },
    h("fieldset", {}, h("legend", {}, t("rating_title")), h("div", { class: "stars" }, ...[1, 2, 3, 4, 5].map(star))),
    h("label", { class: "ask", for: id }, t("rating_comment")),
    comment,
    h("footer", {}, h("button", { class: "solid", type: "submit" }, t("rating_send"))),
    state,
  );
}
