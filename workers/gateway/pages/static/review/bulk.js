/** Several items of the same kind with one decision, after a look at each. */
import { Problem, get, post } from "../api.js";
import { empty, h, put } from "../dom.js";
import { ask, problemNotice, say } from "../notices.js";
import { percent, t } from "../texts.js";

/**
 * Show what is similar to an item, and give those that stay ticked and that no colleague took meanwhile.
 * @param {any} item
 * @param {string} label The category that they get.
 * @param {(items: any[]) => void} accept
 */
export async function bulkAccept(item, label, accept) {
  const list = h("div", { class: "stack" }, h("p", { class: "waits" }, t("common.loading")));
  /** @type {any[]} */
  let similar = [];
  const loading = get(`/api/v1/items/${item.event_id}/similar`).then((told) => { similar = told.items; });
  const asked = ask({
    title: t("review.bulk_title", { label }),
    text: list,
    yes: t("review.bulk_do"),
    run: async (form) => {
      await loading;
      const chosen = form.getAll("event");
      const told = chosen.length ? await post("/api/v1/review/claim", { event_ids: chosen }) : { event_ids: [], skipped: 0 };
      const mine = new Set(told.event_ids);
      accept([item, ...similar.filter((one) => mine.has(one.event_id))]);
      if (told.skipped) say(t("review.bulk_skipped", { n: told.skipped }));
    },
  });
  try {
    await loading;
    put(list, similar.length ? [h("p", { class: "muted" }, t("review.bulk_text")), h("ul", { class: "similar" }, similar.map(row))] : empty(t("review.bulk_none"), t("review.bulk_none_text")));
  } catch (error) {
    if (error instanceof Problem) put(list, problemNotice(error));
    else throw error;
  }
  await asked;
}

/** @param {any} one */
function row(one) {
  return h("li", {}, h("label", { class: "check" }, h("input", { type: "checkbox", name: "event", value: one.event_id, checked: true }), h("span", { class: "break" }, one.product?.title || one.product?.description || t("common.no_title")), h("span", {}, percent(one.prediction?.confidence))));
}
