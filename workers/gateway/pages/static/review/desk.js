/** Draws the item that is looked at. */
import { marked } from "../answer.js";
import { by, h, put } from "../dom.js";
import { placeOf } from "../taxonomy.js";
import { ago, percent, t } from "../texts.js";

/** @typedef {import("./queue.js").Card} Card */
/** @typedef {import("../taxonomy.js").Shelf} Shelf */

/**
 * @param {Card} card
 * @param {Map<string, Shelf>} shelves
 * @param {(code: string) => void} choose
 */
export function draw(card, shelves, choose) {
  const { item } = card;
  const { product, prediction } = item;
  drawPhoto(card);
  drawTexts(card);
  card.explained.then(() => { if (card.terms.length && by("photo").dataset.of === item.event_id) drawTexts(card); });
  put(by("item-facts"), [item.product_id, ago(product?.published_at), product?.submitted_by].filter(Boolean).join(" · "));
  by("item-text").hidden = !product?.description;
  by("item-text").scrollTop = 0;
  put(by("options"), prediction.top.slice(0, 5).map((/** @type {any} */ one, /** @type {number} */ index) => option(one, index, shelves, choose)));
}

/** @param {Card} card */
function drawTexts({ item, terms }) {
  const { title, description } = item.product ?? {};
  put(by("item-title"), title ? marked(title, "title", terms) : t("common.no_title"));
  put(by("item-text"), description ? marked(description, "description", terms) : "");
  by("item-spoke").textContent = terms.some((one) => one.contribution > 0) ? t("review.marked") : "";
}

/** @param {Card} card */
function drawPhoto(card) {
  const place = by("photo");
  const there = Boolean(card.item.product?.photo?.link);
  place.dataset.of = card.item.event_id;
  if (card.image) return show(card.image);
  put(place, there ? "" : t("common.no_photo"));
  card.photo.then((image) => {
    if (place.dataset.of !== card.item.event_id || !there) return;
    if (image) show(image);
    else put(place, t("review.photo_away"));
  });

  /** @param {HTMLImageElement} image */
  function show(image) {
    image.alt = card.item.product?.title ?? t("classify.preview");
    put(place, image);
  }
}

/** @param {any} one @param {number} index @param {Map<string, Shelf>} shelves @param {(code: string) => void} choose */
function option(one, index, shelves, choose) {
  const shelf = shelves.get(one.code);
  return h(
    "li",
    {},
    h(
      "button",
      { class: `option ${index === 0 ? "first" : ""}`, type: "button", on: { click: () => choose(one.code) } },
      h("kbd", {}, index + 1),
      h("span", { class: "label" }, shelf?.label ?? one.label, h("small", {}, placeOf(shelf, one.code))),
      h("span", { class: "part" }, percent(one.probability, one.probability < 0.0995 ? 1 : 0)),
    ),
  );
}
