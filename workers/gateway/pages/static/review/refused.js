/** Verdicts that were not taken: told until somebody has read it, with the ways to decide anyway and to try again. */
import { Problem } from "../api.js";
import { h } from "../dom.js";
import { t, word } from "../texts.js";

/** @typedef {import("../outbox.js").Outbox} Outbox */
/** @typedef {import("../outbox.js").Refused} Refused */
/** @typedef {import("../outbox.js").Refusal} Refusal */

/** The oldest that can be decided anyway. @param {Outbox} outbox */
export const overtaken = (outbox) => outbox.refused.find((one) => one.rows.some((row) => row.why.stands));

/**
 * Show what was refused; nothing is drawn again that is there already, so that the keyboard stays where it is.
 * @param {Element} place @param {Outbox} outbox @param {(code: string) => string} labelOf
 */
export function drawRefused(place, outbox, labelOf) {
  const all = outbox.refused;
  const there = new Map(Array.from(place.children, (one) => [/** @type {HTMLElement} */ (one).dataset.key, one]));
  for (const [key, one] of there) if (!all.some((refused) => keyOf(refused) === key)) one.remove();
  place.append(...all.filter((one) => !there.has(keyOf(one))).map((one) => notice(one, outbox, labelOf)));
}

/** Of what is shown: another when some rows are gone. @param {Refused} refused */
const keyOf = (refused) => `${refused.key}/${refused.rows.length}`;

/** @param {Refused} refused @param {Outbox} outbox @param {(code: string) => string} labelOf */
function notice(refused, outbox, labelOf) {
  const can = refused.rows.some((row) => row.why.stands);
  const anyway = h("button", { class: "button small", type: "button", on: { click: () => outbox.anyway(refused) } }, t("review.anyway"), " ", h("kbd", {}, "d"));
  const again = h("button", { class: "button small", type: "button", on: { click: () => outbox.again(refused) } }, t("common.again"));
  const leave = h("button", { class: "button small", type: "button", on: { click: () => outbox.read(refused) } }, t(can ? "review.leave" : "common.close"));
  return h(
    "div",
    { class: "notice bad", "data-key": keyOf(refused) },
    h("ul", {}, refused.rows.map((row) => h("li", {}, h("strong", {}, t("review.refused", { title: row.title })), " ", whyOf(row, labelOf)))),
    can ? anyway : null,
    refused.rows.every((row) => row.why.stands) ? null : again,
    leave,
  );
}

/** @param {Refusal} row @param {(code: string) => string} labelOf */
function whyOf({ verdict, why }, labelOf) {
  if (!why.stands) return new Problem(422, { type: why.code, detail: why.detail }).words;
  const said = (/** @type {{verdict: string, code?: string}} */ one) => [word("common.verdict", one.verdict), one.code && labelOf(one.code)].filter(Boolean).join(": ");
  return t("review.overtaken", { who: why.stands.by ?? "", theirs: said(why.stands), mine: said(verdict) });
}
