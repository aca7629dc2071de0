/** Items as rows and words. */
import { badge, h } from "./dom.js";
import { ago, percent, t, time, word } from "./texts.js";

const KINDS = /** @type {Record<string, string>} */ ({ pending: "warn", judged: "accent", classified: "good", "dead-letter": "bad" });

/** @param {string} state */
export function stateBadge(state) {
  return badge(word("items.state", state), KINDS[state] ?? "");
}

/** @param {any} item */
export function titleOf(item) {
  return item.product?.title ?? item.product?.description?.slice(0, 120) ?? t("common.no_title");
}

/** @param {any} item @param {Map<string, import("./taxonomy.js").Shelf>} shelves */
export function categoryOf(item, shelves) {
  const category = item.decision?.category ?? (item.decision ? null : item.prediction?.category);
  if (!category) return item.decision ? word("common.verdict", "rejected") : "–";
  return shelves.get(category.code)?.label ?? category.label;
}

/** @param {any} item @param {Map<string, import("./taxonomy.js").Shelf>} shelves */
export function itemRow(item, shelves) {
  const at = item.product?.published_at ?? item.prediction?.classified_at;
  return h(
    "tr",
    { class: "link" },
    h("td", {}, h("a", { class: "title", href: `/items/${item.event_id}` }, titleOf(item)), h("span", { class: "muted small break" }, item.product_id ?? "")),
    h("td", {}, categoryOf(item, shelves)),
    h("td", { class: "number" }, item.prediction ? percent(item.prediction.confidence) : ""),
    h("td", {}, stateBadge(item.state)),
    h("td", {}, h("time", { datetime: at ?? "", title: time(at) }, ago(at))),
  );
}
