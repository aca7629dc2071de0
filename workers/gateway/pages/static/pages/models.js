/** Which models there are, which is in service, and trainings. */
import { get } from "../api.js";
import { badge, by, empty, h, put, table } from "../dom.js";
import { compare } from "../models/compare.js";
import { noShadow, promote, rollback, shadow } from "../models/decide.js";
import { retrain } from "../models/runs.js";
import { listing } from "../showing.js";
import { ago, number, t, time } from "../texts.js";

const mayAct = document.body.dataset.role === "admin";
/** @type {string[]} */
let picked = [];
/** @type {any} */
let told = null;

/** @param {any[]} models */
function draw(models) {
  drawActions();
  const columns = [{ label: t("models.version") }, { label: t("items.state") }, { label: t("models.accuracy"), number: true }, { label: t("models.f1"), number: true }, { label: t("models.rows"), number: true }, { label: t("models.made") }, { label: "" }];
  return table(t("models.list"), columns, models.map(row));
}

/** @param {any} model */
function row(model) {
  const { version, metrics } = model;
  const box = h("input", { type: "checkbox", checked: picked.includes(version), disabled: Boolean(model.broken), "aria-label": t("models.pick", { version }) });
  box.addEventListener("change", () => pick(version));
  const figure = (/** @type {string[]} */ names, /** @type {string} */ label) => {
    const name = names.find((one) => metrics?.[one] !== undefined);
    return h("td", { class: "number", "data-label": label }, name ? number(metrics[name], 3, 3) : "");
  };
  return h(
    "tr",
    {},
    h("td", {}, h("label", { class: "check" }, box, h("span", { class: "mono break" }, version)), model.broken ? h("span", { class: "small muted" }, model.broken) : null, report(model)),
    h("td", {}, marks(model)),
    figure(["accuracy"], t("models.accuracy")),
    figure(["weighted_f1", "f1_weighted"], t("models.f1")),
    h("td", { class: "number", "data-label": t("models.rows") }, model.rows === null ? "" : number(model.rows)),
    h("td", {}, model.made ? h("time", { datetime: model.made, title: time(model.made) }, ago(model.made)) : ""),
    h("td", { class: "actions-cell" }, h("span", { class: "row" }, actions(model))),
  );
}

/** @param {any} model */
function marks(model) {
  return [
    model.state === "champion" ? badge(t("models.champion"), "good") : null,
    model.state === "previous" ? badge(t("models.previous")) : null,
    model.challenger ? badge(t("models.challenger"), "accent") : null,
    model.broken ? badge(t("models.broken"), "bad") : null,
  ];
}

/** @param {any} model */
function report({ version, report: link }) {
  if (!link) return null;
  const href = `/models/${encodeURIComponent(version)}/report`;
  return h("div", { class: "small" }, h("a", { class: "report", href, "aria-label": `${t("models.report")}: ${version}` }, t("models.report")));
}

/** @param {any} model */
function actions(model) {
  const button = (/** @type {string} */ text, /** @type {() => Promise<boolean>} */ run) => h("button", { class: "button small", type: "button", "aria-label": `${text}: ${model.version}`, on: { click: async () => { if (await run()) list.now(); } } }, text);
  if (!mayAct || model.broken || model.state === "champion") return [];
  const tried = model.challenger ? button(t("models.no_shadow"), () => noShadow(model.version)) : button(t("models.shadow"), () => shadow(model.version));
  return [tried, button(t("models.promote"), () => promote(model.version, told.champion?.version))];
}

/** @param {string} version */
function pick(version) {
  picked = picked.includes(version) ? picked.filter((one) => one !== version) : [...picked, version].slice(-2);
  by("compare").disabled = picked.length !== 2;
  document.querySelectorAll("#list input[type=checkbox]").forEach((/** @type {any} */ box) => {
    box.checked = picked.includes(box.closest("label").textContent);
  });
}

function drawActions() {
  const { champion } = told;
  put(by("notes"), told.untold ? h("p", { class: "notice warn" }, told.untold) : "", told.pinned ? h("p", { class: "notice warn" }, t("models.pinned")) : "");
  if (!mayAct) return;
  put(
    by("actions"),
    champion?.previous ? h("button", { class: "button danger", type: "button", on: { click: async () => { if (await rollback(champion.version, champion.previous)) list.now(); } } }, t("models.rollback")) : "",
    h("button", { class: "button main", type: "button", on: { click: retrain } }, t("models.retrain")),
  );
}

by("compare").addEventListener("click", () => compare(picked[0], picked[1]));

const none = () => { drawActions(); return empty(t("models.empty"), t("models.empty_text")); };
const list = listing(by("list"), async (cursor, signal) => (told = await get("/api/v1/models", { cursor }, { signal })), draw, none);
