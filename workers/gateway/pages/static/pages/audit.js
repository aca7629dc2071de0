/** Who did what. */
import { get } from "../api.js";
import { by, empty, h, table } from "../dom.js";
import { filters } from "../filters.js";
import { listing } from "../showing.js";
import { t, time, word } from "../texts.js";

/** @type {{now: () => void} | null} */
let list = null;
const chosen = filters(by("filters"), () => list?.now());

/** @param {any[]} entries */
function draw(entries) {
  const columns = [{ label: t("audit.at") }, { label: t("audit.who") }, { label: t("audit.action") }, { label: t("audit.subject") }, { label: t("audit.change") }];
  return table(t("audit.title"), columns, entries.map(row));
}

/** @param {any} entry */
function row(entry) {
  return h(
    "tr",
    {},
    h("td", {}, h("time", { datetime: entry.at }, time(entry.at))),
    h("td", {}, h("span", { class: "break" }, entry.who), h("br"), h("span", { class: "muted small" }, entry.role ? word("common.role", entry.role) : "")),
    h("td", { class: "mono" }, entry.action),
    h("td", { class: "mono break" }, entry.subject),
    h("td", {}, change(entry)),
  );
}

/** @param {any} entry */
function change({ before, after, request_id: request }) {
  const part = (/** @type {string} */ label, /** @type {any} */ value) => (value === null || value === undefined ? null : [h("dt", {}, label), h("dd", { class: "mono" }, typeof value === "string" ? value : JSON.stringify(value, null, 1))]);
  return h("details", {}, h("summary", { class: "small" }, t("audit.details")), h("dl", { class: "facts" }, part(t("audit.before"), before), part(t("audit.after"), after), part(t("common.request_id"), request)));
}

list = listing(by("list"), (cursor, signal) => get("/api/v1/audit", { ...chosen(), cursor }, { signal }), draw, () => empty(t("audit.empty"), t("audit.empty_text")));
