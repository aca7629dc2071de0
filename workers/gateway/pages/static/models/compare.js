/** Two models side by side. */
import { get } from "../api.js";
import { by, h, put, table } from "../dom.js";
import { showing } from "../showing.js";
import { number, percent, t, word } from "../texts.js";

/** @type {{stop: () => void} | null} */
let shown = null;

/** @param {string} a @param {string} b */
export function compare(a, b) {
  shown?.stop();
  by("comparison").hidden = false;
  by("comparison").focus();
  put(by("compared"));
  shown = showing(by("compared"), async (signal) => draw(await get("/api/v1/models/compare", { a, b }, { signal })));
}

/** @param {any} told */
function draw({ first, second, same_rows: same, recalls, shadow, no_shadow: none }) {
  const names = [...new Set([...Object.keys(first.metrics), ...Object.keys(second.metrics)])];
  const columns = [{ label: t("models.measure") }, { label: first.version, number: true }, { label: second.version, number: true }, { label: t("models.difference"), number: true }];
  const rows = names.map((name) => line(word("models.metric", name), first.metrics[name], second.metrics[name]));
  const facts = [[t("models.rows"), first.data_rows, second.data_rows], [t("models.categories"), first.categories, second.categories], [t("models.size"), first.bundle_bytes / 1e6, second.bundle_bytes / 1e6]];
  rows.push(...facts.map(([name, a, b]) => h("tr", {}, h("td", {}, name), h("td", { class: "number" }, number(a)), h("td", { class: "number" }, number(b)), h("td", {}))));
  const moved = recalls.filter((/** @type {any} */ one) => one.first !== null && one.second !== null && one.first !== one.second).slice(0, 10);
  put(
    by("compared"),
    same ? "" : h("p", { class: "notice warn" }, t("models.other_rows")),
    table(t("models.comparison"), columns, rows),
    moved.length ? [h("h3", {}, t("models.recall")), table(t("models.recall"), [{ label: t("items.category") }, ...columns.slice(1)], moved.map((/** @type {any} */ one) => line(`${one.label} (${number(one.rows)})`, one.first, one.second)))] : "",
    h("h3", {}, t("models.in_shadow")),
    shadow ? shadowFacts(shadow) : h("p", { class: "muted" }, none ?? t("models.no_shadow_yet")),
  );
}

/** @param {string} name @param {number | undefined} a @param {number | undefined} b */
function line(name, a, b) {
  const known = a !== undefined && a !== null && b !== undefined && b !== null;
  const by = known ? b - a : 0;
  const show = (/** @type {number | undefined | null} */ one) => (one === undefined || one === null ? "–" : number(one, 3, Number.isInteger(one) ? 0 : 3));
  return h("tr", {}, h("td", {}, name), h("td", { class: "number" }, show(a)), h("td", { class: "number" }, show(b)), h("td", { class: "number" }, known ? `${by > 0 ? "+" : by < 0 ? "−" : "±"}${number(Math.abs(by), 3, known && Number.isInteger(a) && Number.isInteger(b) ? 0 : 3)}` : ""));
}

/** @param {any} shadow */
function shadowFacts(shadow) {
  const span = (/** @type {number} */ value, /** @type {any} */ interval) => `${percent(value, 1)} (${percent(interval.low, 1)} – ${percent(interval.high, 1)})`;
  const rows = [[t("models.shadow_products"), number(shadow.products)], [t("models.agreement"), span(shadow.agreement, shadow.agreement_interval)]];
  if (shadow.judged) rows.push([t("models.judged"), number(shadow.judged.products)], [t("models.first_right"), span(shadow.judged.champion_accuracy, shadow.judged.champion_interval)], [t("models.second_right"), span(shadow.judged.challenger_accuracy, shadow.judged.challenger_interval)], ["p", number(shadow.judged.p, 3)]);
  return h("dl", { class: "facts" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}
