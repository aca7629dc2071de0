/** One item with its history. */
import { Problem, ask as fetchBytes, call, get } from "../api.js";
import { bars, facts, marked, sureness } from "../answer.js";
import { by, h, put } from "../dom.js";
import { stateBadge, titleOf } from "../items.js";
import { ask } from "../notices.js";
import { showing } from "../showing.js";
import { taxonomyIfThere } from "../taxonomy.js";
import { percent, t, time, word } from "../texts.js";

const place = by("item");
const path = `/api/v1/items/${place.dataset.event}`;
const shelvesSoon = taxonomyIfThere();

const LOOKS = 4;
const PAUSE_MS = 700;

showing(place, async (signal) => {
  const item = await stored(signal);
  const [shelves, terms] = await Promise.all([shelvesSoon, termsIfAny()]);
  by("name").textContent = titleOf(item);
  put(place, h("div", { class: "item" }, h("div", { class: "stack" }, product(item, terms), dead(item)), h("div", { class: "stack" }, answer(item, shelves), history(item, shelves))));
});

/** The item; of one that was answered a moment ago the store may not know yet. @param {AbortSignal} signal */
async function stored(signal) {
  for (let looks = 1; ; looks += 1) {
    try {
      return await get(path, {}, { signal });
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404 || looks === LOOKS) throw error;
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    }
  }
}

/** @returns {Promise<import("../answer.js").Term[]>} */
function termsIfAny() {
  return get(`${path}/explanation`).then((told) => told.explanation?.terms ?? [], () => []);
}

/** @param {any} item @param {import("../answer.js").Term[]} terms */
function product(item, terms) {
  const { product } = item;
  if (!product) return h("div", { class: "card" }, h("p", { class: "muted" }, t("item.no_product")));
  const photo = h("div", {});
  if (product.photo?.link) picture(photo, product.photo.link);
  const rows = [[t("item.product_id"), item.product_id], [t("items.at"), time(product.published_at)], [t("item.by"), product.submitted_by], [t("item.photo"), product.photo?.error ?? product.photo?.uri]];
  const attributes = Object.entries(product.attributes ?? {}).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  return h(
    "section",
    { class: "card stack" },
    h("h2", {}, t("item.product")),
    photo,
    product.title ? h("p", {}, h("strong", {}, marked(product.title, "title", terms))) : null,
    product.description ? h("p", { class: "text" }, marked(product.description, "description", terms)) : null,
    h("dl", { class: "facts" }, [...rows, ...attributes].filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
  );
}

/** @param {HTMLElement} photo @param {string} link */
async function picture(photo, link) {
  try {
    const url = URL.createObjectURL(await (await fetchBytes(link)).blob());
    put(photo, h("img", { class: "photo", src: url, alt: t("classify.preview") }));
  } catch {
    put(photo, h("p", { class: "muted small" }, t("review.photo_away")));
  }
}

/** @param {any} item @param {any} shelves */
function answer(item, shelves) {
  const { prediction } = item;
  if (!prediction) return h("section", { class: "card" }, h("h2", {}, t("item.answer")), h("p", { class: "muted" }, word("items.state", item.state)));
  return h("section", { class: "card stack" }, h("div", { class: "card-head" }, h("h2", {}, t("item.answer")), h("span", { class: "row" }, item.state === "classified" ? sureness(prediction) : stateBadge(item.state))), bars(prediction.top, shelves), facts(prediction));
}

/** @param {any} item @param {Map<string, any>} shelves */
function history(item, shelves) {
  const { product, prediction, verdict, dead_letter: letter } = item;
  const label = (/** @type {any} */ code, /** @type {any} */ given) => shelves.get(code)?.label ?? given ?? code;
  /** @type {[string, string, string, string][]} */
  const events = [];
  if (product) events.push([product.published_at, "", t("item.published"), product.submitted_by ?? ""]);
  if (prediction) events.push([prediction.classified_at, "", t("item.classified", { label: label(prediction.category.code, prediction.category.label), share: percent(prediction.confidence) }), `${prediction.model.name} ${prediction.model.version}`]);
  if (letter) events.push([letter.at, "bad", t("item.failed", { stage: letter.stage }), letter.message]);
  if (verdict) events.push([verdict.at, "accent", [word("common.verdict", verdict.verdict), verdict.code && label(verdict.code, verdict.code)].filter(Boolean).join(": "), [verdict.by, verdict.note].filter(Boolean).join(" · ")]);
  events.sort((a, b) => a[0].localeCompare(b[0]));
  return h("section", { class: "card stack" }, h("h2", {}, t("item.history")), h("ol", { class: "history" }, events.map(([at, kind, what, more]) => h("li", { class: kind }, h("p", {}, what), more ? h("p", { class: "muted small break" }, more) : null, h("time", { class: "muted small", datetime: at }, time(at))))));
}

/** @param {any} item */
function dead({ dead_letter: letter }) {
  if (!letter) return null;
  return h("section", { class: "card stack" }, h("h2", {}, t("item.dead")), h("p", { class: "break" }, letter.message), h("p", { class: "muted small" }, `${letter.stage} · ${letter.error_class} · ${letter.attempts}`));
}

if (document.body.dataset.role === "admin") {
  const remove = async () => {
    const done = await ask({ title: t("item.remove_title"), text: t("item.remove_text"), yes: t("item.remove"), danger: true, run: () => call("DELETE", path) });
    if (done) location.assign("/items");
  };
  by("actions").append(h("button", { class: "button danger", type: "button", on: { click: remove } }, t("item.remove")));
}
