/** Search the items. */
import { asQuery, get } from "../api.js";
import { by, empty, h, table } from "../dom.js";
import { filters } from "../filters.js";
import { itemRow } from "../items.js";
import { ask } from "../notices.js";
import { save } from "../saving.js";
import { listing } from "../showing.js";
import { taxonomyIfThere } from "../taxonomy.js";
import { t } from "../texts.js";

const form = by("filters");
const asked = new URLSearchParams(location.search).get("category") ?? "";

const shelves = await taxonomyIfThere();
const sorted = [...shelves.values()].sort((a, b) => a.label.localeCompare(b.label));
by("category").append(...sorted.map((shelf) => h("option", { value: shelf.code }, shelf.label)));
if (asked && !shelves.has(asked)) by("category").append(h("option", { value: asked }, asked));

/** @type {{now: () => void} | null} */
let list = null;
const chosen = filters(form, () => list?.now());

/** @param {any[]} items */
function draw(items) {
  const columns = [{ label: t("items.product") }, { label: t("items.category") }, { label: t("common.confidence"), number: true }, { label: t("items.state") }, { label: t("items.at") }];
  return table(t("items.title"), columns, items.map((item) => itemRow(item, shelves)));
}

const none = () => empty(t("items.empty"), t(Object.keys(chosen()).length ? "items.empty_filtered" : "items.empty_text"));
list = listing(by("list"), (cursor, signal) => get("/api/v1/items", { ...chosen(), cursor }, { signal }), draw, none);

const FORMATS = [["csv", "CSV"], ["jsonl", "JSONL"], ["parquet", "Parquet"]];

/** Ask what to export, and save it as a file. */
function exportItems() {
  const choice = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string[][]} */ options) => h("div", { class: "field" }, h("label", { for: name }, label), h("select", { id: name, name }, options.map(([value, text]) => h("option", { value }, text))));
  const fields = h("div", { class: "form" }, choice("what", t("items.export_what"), [["items", t("items.title")], ["verdicts", t("items.export_verdicts")]]), choice("format", t("items.export_format"), FORMATS));
  return ask({
    title: t("items.export"),
    text: fields,
    yes: t("items.export"),
    run: async (form) => {
      const [what, format] = [form.get("what"), form.get("format")];
      await save(`/api/v1/export${asQuery({ what, format })}`, `aisle-${what}.${format}`);
    },
  });
}
document.getElementById("exports")?.append(h("button", { class: "button", type: "button", on: { click: exportItems } }, t("items.export")));
