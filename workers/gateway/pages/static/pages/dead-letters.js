/** What could not be classified, and what to do about it. */
import { get, post } from "../api.js";
import { badge, by, empty, h, put, table } from "../dom.js";
import { filters } from "../filters.js";
import { ask, open, problemNotice, say } from "../notices.js";
import { listing } from "../showing.js";
import { ago, number, t, time, word } from "../texts.js";

const PATH = "/api/v1/dead-letters";
const KINDS = /** @type {Record<string, string>} */ ({ open: "bad", retried: "warn", predicted: "good" });
const mayAct = document.body.dataset.role === "admin";
/** @type {Set<string>} */
const picked = new Set();

/** @type {{now: () => Promise<void>} | null} */
let list = null;
const chosen = filters(by("filters"), () => { picked.clear(); list?.now(); });

/** @param {any[]} letters */
function draw(letters) {
  drawActions(letters);
  const columns = [{ label: t("items.product") }, { label: t("dead_letters.why") }, { label: t("items.state") }, { label: t("dead_letters.attempts"), number: true }, { label: t("items.at") }];
  return table(t("dead_letters.title"), columns, letters.map(row));
}

/** @param {any} letter */
function row(letter) {
  const name = letter.product_id ?? letter.event_id;
  const box = h("input", { type: "checkbox", checked: picked.has(letter.event_id), "aria-label": t("dead_letters.pick", { name }) });
  box.addEventListener("change", () => {
    picked[/** @type {HTMLInputElement} */ (box).checked ? "add" : "delete"](letter.event_id);
    drawActions();
  });
  const link = h("button", { class: "quiet break", type: "button", on: { click: () => show(letter) } }, name);
  return h(
    "tr",
    {},
    h("td", {}, h("span", { class: "check" }, mayAct ? box : null, link)),
    h("td", {}, h("span", { class: "title" }, letter.message), h("span", { class: "muted small" }, `${word("dead_letters.stage", letter.stage)} · ${letter.error_class}`)),
    h("td", {}, badge(word("dead_letters.state", letter.state), KINDS[letter.state] ?? "")),
    h("td", { class: "number", "data-label": t("dead_letters.attempts") }, number(letter.attempts)),
    h("td", {}, h("time", { datetime: letter.at, title: time(letter.at) }, ago(letter.at))),
  );
}

/** @type {any[]} */
let known = [];
/** @param {any[]} [letters] */
function drawActions(letters) {
  known = letters ?? known;
  if (!mayAct) return;
  const n = picked.size;
  by("actions").hidden = !known.length;
  put(
    by("actions"),
    h("button", { class: "button", type: "button", on: { click: () => { n ? picked.clear() : known.forEach((one) => picked.add(one.event_id)); list?.now(); drawActions(); } } }, t(n ? "dead_letters.none" : "dead_letters.all")),
    h("button", { class: "button", type: "button", disabled: !n, on: { click: () => act("drop") } }, t("dead_letters.drop")),
    h("button", { class: "button main", type: "button", disabled: !n, on: { click: () => act("retry") } }, n ? t("dead_letters.retry_n", { n }) : t("dead_letters.retry")),
  );
}

/** @param {"retry" | "drop"} what */
async function act(what) {
  /** @type {any} */
  let told = null;
  const why = h("div", { class: "field" }, h("label", { for: "why" }, t("dead_letters.because")), h("input", { id: "why", name: "why", maxlength: 500 }));
  const done = await ask({
    title: t(what === "retry" ? "dead_letters.retry_title" : "dead_letters.drop_title", { n: picked.size }),
    text: h("div", { class: "stack" }, h("p", {}, t(what === "retry" ? "dead_letters.retry_text" : "dead_letters.drop_text")), why),
    yes: t(what === "retry" ? "dead_letters.retry" : "dead_letters.drop"),
    run: async (form) => {
      told = await post(`${PATH}/${what}`, { event_ids: [...picked], why: String(form.get("why") ?? "").trim() || null });
    },
  });
  if (!done) return;
  picked.clear();
  say([t("dead_letters.done", { n: told.done }), ...told.refused.map((/** @type {any} */ one) => one.why).slice(0, 2)].join(" "));
  list?.now();
}

/** @param {any} letter */
async function show(letter) {
  const place = h("div", { class: "stack" }, h("p", { class: "waits" }, t("common.loading")));
  const close = h("button", { class: "button", type: "button" }, t("common.close"));
  const dialog = open(letter.product_id ?? letter.event_id, [place, h("div", { class: "foot-row" }, h("a", { class: "button", href: `/items/${letter.event_id}` }, t("item.title")), close)]);
  close.addEventListener("click", () => dialog.close());
  try {
    const full = await get(`${PATH}/${letter.event_id}`);
    const facts = [[t("dead_letters.why"), full.message], [t("dead_letters.stage"), `${word("dead_letters.stage", full.stage)} · ${full.error_class}`], [t("dead_letters.place"), `${full.topic} ${full.partition}:${full.offset}`], [t("items.at"), time(full.at)]];
    for (const one of full.actions) facts.push([word("dead_letters.state", one.action), [one.by, time(one.at), one.why].filter(Boolean).join(" · ")]);
    put(place, h("dl", { class: "facts" }, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])), full.value ? h("pre", { class: "secret scroll", tabindex: 0 }, full.value.text ?? full.value.base64) : h("p", { class: "muted" }, t("dead_letters.no_value")));
  } catch (error) {
    put(place, problemNotice(error));
  }
}

const none = () => { drawActions([]); return empty(t("dead_letters.empty"), t("dead_letters.empty_text")); };
list = listing(by("list"), (cursor, signal) => get(PATH, { ...chosen(), cursor }, { signal }), draw, none);
