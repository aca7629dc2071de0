/** What the model said of a product, drawn; and its words, with those that decided marked. */
import { badge, h } from "./dom.js";
import { readable } from "./readable.js";
import { placeOf } from "./taxonomy.js";
import { number, percent, t, word } from "./texts.js";

/** @typedef {import("./taxonomy.js").Shelf} Shelf */
/** @typedef {{text: string, kind: string, field: string, contribution: number, spans: {start: number, end: number}[]}} Term */

/**
 * The likeliest categories as bars.
 * @param {{code: string, label: string, probability: number}[]} top
 * @param {Map<string, Shelf>} shelves
 * @param {number} [most]
 */
export function bars(top, shelves, most = 5) {
  return h("ol", { class: "bars" }, top.slice(0, most).map((one, index) => {
    const shelf = shelves.get(one.code);
    return h(
      "li",
      { class: `bar ${index === 0 ? "first" : ""}` },
      h("span", { class: "break" }, shelf?.label ?? one.label, " ", h("span", { class: "theme small" }, placeOf(shelf, one.code))),
      h("span", {}, percent(one.probability, one.probability < 0.0995 ? 1 : 0)),
      h("span", { class: "track", "aria-hidden": "true", css: { "--part": `${(100 * one.probability).toFixed(1)}%` } }, h("span")),
    );
  }));
}

/**
 * The facts of a prediction beside its bars.
 * @param {any} prediction
 */
export function facts(prediction) {
  const notes = prediction.notes ?? [];
  /** @type {[string, any][]} */
  const rows = [
    [t("common.decided_by"), word("common.stage", prediction.decided_by)],
    [t("common.used"), (prediction.modalities ?? []).map((/** @type {string} */ one) => word("common.part", one)).join(", ") || "–"],
    [t("common.model"), `${prediction.model.name} ${prediction.model.version}`],
  ];
  if (notes.length) rows.push([t("common.notes"), h("ul", {}, notes.map((/** @type {string} */ one) => h("li", {}, one)))]);
  return h("dl", { class: "facts" }, rows.map(([label, value]) => [h("dt", {}, label), h("dd", {}, value)]));
}

/** @param {any} prediction */
export function sureness(prediction) {
  if (prediction.decided_by === "reviewer") return badge(t("common.by_person"), "accent");
  return prediction.needs_review ? badge(t("common.unsure"), "warn") : badge(t("common.sure"), "good");
}

/**
 * The words that spoke for a category, the strongest first.
 * @param {Term[]} terms
 */
export function spokenWords(terms) {
  const spoke = speaking(terms);
  const texts = [...new Map(spoke.map((one) => [one.text, one])).values()].slice(0, 12);
  return h("ul", { class: "row" }, texts.map((one) => h("li", {}, h("span", { class: `badge ${isStrong(one, spoke) ? "accent" : ""}`, title: number(one.contribution, 2) }, one.text))));
}

/** Those that speak for it, the strongest first. @param {Term[]} terms */
function speaking(terms) {
  return terms.filter((one) => one.contribution > 0).sort((a, b) => b.contribution - a.contribution);
}

/** @param {Term} one @param {Term[]} spoke */
const isStrong = (one, spoke) => one.contribution > spoke[0].contribution / 2;

/**
 * A text with the words marked that spoke for the category.
 * @param {string} text
 * @param {"title" | "description"} field Which of the product's texts it is.
 * @param {Term[]} terms
 * @returns {(Node | string)[]}
 */
export function marked(text, field, terms) {
  const chars = field === "description" ? readable(text) : Array.from(text); // spans count code points
  const strength = new Uint8Array(chars.length);
  const spoke = speaking(terms);
  for (const one of spoke.filter((term) => term.field === field && term.kind !== "start")) {
    for (const { start, end } of one.spans) {
      for (let at = start; at < Math.min(end, chars.length); at += 1) strength[at] = Math.max(strength[at], isStrong(one, spoke) ? 2 : 1);
    }
  }
  /** @type {(Node | string)[]} */
  const out = [];
  for (let from = 0, to = 0; from < chars.length; from = to) {
    while (to < chars.length && strength[to] === strength[from]) to += 1;
    const part = chars.slice(from, to).join("");
    out.push(strength[from] ? h("mark", { class: strength[from] === 1 ? "weak" : undefined }, part) : part);
  }
  return out;
}
