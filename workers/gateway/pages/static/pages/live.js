/** What is being classified, newest on top. */
import { asQuery } from "../api.js";
import { by, empty, h, put, table } from "../dom.js";
import { filters } from "../filters.js";
import { shortcut } from "../keyboard.js";
import { sureness } from "../answer.js";
import { follow } from "../stream.js";
import { taxonomyIfThere } from "../taxonomy.js";
import { clock, percent, t } from "../texts.js";

const MOST = 100;
const DRAW_MS = 250;
/** @type {any[]} */
let rows = [];
let came = 0;
let passed = 0;
let paused = false;
let open = false;
let due = 0;

const shelves = await taxonomyIfThere();
const sorted = [...shelves.values()].sort((a, b) => a.label.localeCompare(b.label));
by("category").append(...sorted.map((shelf) => h("option", { value: shelf.code }, shelf.label)));

function draw() {
  due = 0;
  const parts = [t(open ? "live.open" : "live.away"), t("live.came", { n: came })];
  if (passed) parts.push(t("live.passed", { n: passed }));
  if (paused) parts.push(t("live.paused"));
  by("said").textContent = parts.join(" · ");
  if (paused) return;
  if (!rows.length) return put(by("list"), empty(t("live.empty"), t("live.empty_text")));
  const columns = [{ label: t("live.at") }, { label: t("items.product") }, { label: t("items.category") }, { label: t("common.confidence"), number: true }, { label: t("items.state") }, { label: t("common.model") }];
  put(by("list"), table(t("live.title"), columns, rows.map(row)));
}

/** @param {any} one */
function row(one) {
  return h(
    "tr",
    {},
    h("td", {}, h("time", { datetime: one.classified_at }, clock(one.classified_at))),
    h("td", {}, h("a", { class: "break", href: `/items/${one.event_id}` }, one.product_id)),
    h("td", {}, shelves.get(one.category.code)?.label ?? one.category.label),
    h("td", { class: "number" }, percent(one.confidence)),
    h("td", {}, sureness(one)),
    h("td", { class: "mono muted" }, one.model.version),
  );
}

const soon = () => { due ||= window.setTimeout(draw, DRAW_MS); };

let stop = () => {};
const chosen = filters(by("filters"), start);

function start() {
  stop();
  rows = [];
  came = passed = 0;
  soon();
  stop = follow(`/api/v1/live${asQuery(chosen())}`, {
    event: (name, data) => {
      if (name !== "prediction") return;
      came += 1;
      passed += data.passed_over;
      rows = [data.prediction, ...rows].slice(0, MOST);
      soon();
    },
    state: (state) => { open = state === "open"; soon(); },
  });
}

function pause() {
  paused = !paused;
  by("pause").setAttribute("aria-pressed", String(paused));
  by("pause").firstChild.textContent = `${t(paused ? "live.go_on" : "live.pause")} `;
  draw();
}

by("pause").addEventListener("click", pause);
shortcut({ keys: ["p"], label: t("live.pause"), run: pause });
start();
