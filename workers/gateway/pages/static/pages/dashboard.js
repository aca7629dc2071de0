/** The figures over time. */
import { get } from "../api.js";
import { draw } from "../charts/chart.js";
import { badge, by, empty, h, put } from "../dom.js";
import { showing } from "../showing.js";
import { taxonomyIfThere } from "../taxonomy.js";
import { ago, clock, number, percent, t, word } from "../texts.js";

const EVERY_MS = 10_000;
const place = by("figures");
/** @type {any} */
let told = null;
const shelves = await taxonomyIfThere();

/** @type {Record<string, HTMLElement>} */
const cards = {};
for (const name of ["flow", "groups", "accuracy", "corrections", "confidence", "classes", "checks"]) cards[name] = h("section", { class: "card" });
const tiles = h("dl", { class: "figures" });
const page = h("div", { class: "stack" }, tiles, h("div", { class: "charts" }, Object.values(cards)));

showing(place, async (signal) => {
  told = await get("/api/v1/figures", {}, { signal });
  if (!page.isConnected) put(place, page);
  render();
}, { every: EVERY_MS });
showing(cards.checks, drawChecks, { every: 6 * EVERY_MS });
by("span").addEventListener("change", () => told && render());

function render() {
  by("at").textContent = t("dashboard.at", { at: clock(told.at) });
  const away = Object.entries(told.away).map(([name, why]) => h("p", { class: "notice warn", role: "status" }, h("strong", {}, word("dashboard.part", name)), " ", why));
  put(by("away"), away);
  drawTiles();
  drawFlow();
  drawAnswers();
  drawVerdicts();
}

function drawTiles() {
  const { flow, answers, verdicts, waiting } = told;
  const lag = flow?.groups.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.lag, 0);
  const lastHour = flow?.predictions.minutes.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0);
  const dead = flow?.dead_letters.hours.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0);
  const ms = (/** @type {number | null | undefined} */ value) => (value === null || value === undefined ? "–" : [number(Math.round(value)), h("small", {}, " ms")]);
  const count = (/** @type {number | undefined} */ value) => (value === undefined ? "–" : number(value));
  const tile = (/** @type {string} */ name, /** @type {any} */ value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  put(
    tiles,
    tile(t("dashboard.last_hour"), count(lastHour)),
    tile(t("dashboard.p50"), ms(answers?.latency.p50_ms)),
    tile(t("dashboard.p95"), ms(answers?.latency.p95_ms)),
    tile(t("dashboard.lag"), count(lag)),
    tile(t("dashboard.dead"), count(dead)),
    tile(t("dashboard.waiting"), waiting ? number(waiting.items) + (waiting.more ? "+" : "") : "–"),
    tile(t("dashboard.accuracy"), percent(verdicts?.accuracy, 1)),
    tile(t("dashboard.correction_rate"), percent(verdicts?.correction_rate, 1)),
  );
}

function drawFlow() {
  const { flow } = told;
  if (!flow) return nothing(cards.flow, t("dashboard.flow"), "flow"), nothing(cards.groups, t("dashboard.groups"), "flow");
  const span = by("span").value;
  const parts = flow.predictions[span];
  const width = span === "minutes" ? 60_000 : 3_600_000;
  const points = parts.map((/** @type {any} */ part, /** @type {number} */ index) => ({ x: Date.parse(part.since), x2: Date.parse(part.since) + width, values: [part.count, flow.dead_letters[span][index]?.count ?? 0] }));
  const yLabel = t(span === "minutes" ? "dashboard.per_minute" : "dashboard.per_hour");
  show(cards.flow, { title: t("dashboard.flow"), kind: "bar", series: [t("dashboard.predictions"), t("dashboard.dead_letters")], points, time: true, unit: "count", xLabel: t("dashboard.time"), yLabel });
  const rows = flow.groups.map((/** @type {any} */ group) => h("details", {}, h("summary", { class: "row between" }, h("span", { class: "mono" }, group.group), h("strong", {}, number(group.lag))), h("dl", { class: "facts small" }, group.partitions.map((/** @type {any} */ one) => [h("dt", { class: "mono" }, `${one.topic} ${one.partition}`), h("dd", {}, one.lag === null ? "–" : number(one.lag))]))));
  put(cards.groups, h("h2", {}, t("dashboard.groups")), h("p", { class: "muted small" }, t("dashboard.groups_text")), h("div", { class: "stack" }, rows.length ? rows : h("p", { class: "muted" }, t("dashboard.no_groups"))));
}

function drawAnswers() {
  const { answers } = told;
  if (!answers) return nothing(cards.confidence, t("dashboard.confidence"), "answers"), nothing(cards.classes, t("dashboard.classes"), "answers");
  const title = `${t("dashboard.confidence")} (${t("dashboard.looked", { n: answers.looked_at.of })})`;
  const points = answers.confidence.map((/** @type {any} */ bin) => ({ x: bin.low, x2: bin.high, label: `${percent(bin.low)} – ${percent(bin.high)}`, values: [bin.count, bin.needs_review] }));
  show(cards.confidence, { title, kind: "bar", series: [t("dashboard.all"), t("common.unsure")], points, unit: "count", xLabel: t("common.confidence"), yLabel: t("dashboard.predictions") });
  const top = answers.classes.slice(0, 12);
  const most = Math.max(...top.map((/** @type {any} */ one) => one.count), 1);
  const total = answers.classes.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0);
  const bar = (/** @type {any} */ one) => h("li", { class: "bar first" }, h("a", { class: "break", href: `/items?category=${encodeURIComponent(one.code)}` }, shelves.get(one.code)?.label ?? one.label), h("span", {}, `${number(one.count)} · ${percent(one.count / total)}`), h("span", { class: "track", "aria-hidden": "true", css: { "--part": `${(100 * one.count) / most}%` } }, h("span")));
  put(cards.classes, h("h2", {}, t("dashboard.classes")), top.length ? h("ol", { class: "bars" }, top.map(bar)) : empty(t("dashboard.empty"), t("dashboard.empty_text")));
}

function drawVerdicts() {
  const { verdicts } = told;
  if (!verdicts) return nothing(cards.accuracy, t("dashboard.accuracy_days"), "verdicts"), nothing(cards.corrections, t("dashboard.correction_days"), "verdicts");
  const marks = verdicts.model_changes.map((/** @type {any} */ one) => ({ x: Date.parse(one.at), label: t("dashboard.changed", { version: one.version }) }));
  const days = (/** @type {(day: any) => number | null} */ value) => verdicts.days.map((/** @type {any} */ day) => ({ x: Date.parse(day.day), values: [value(day)] }));
  const common = { kind: /** @type {const} */ ("line"), time: true, unit: /** @type {const} */ ("share"), xLabel: t("dashboard.days"), marks, most: 1 };
  show(cards.accuracy, { ...common, title: t("dashboard.accuracy_days"), series: [t("dashboard.accuracy")], points: days((day) => day.accuracy), yLabel: t("dashboard.accuracy") });
  show(cards.corrections, { ...common, title: t("dashboard.correction_days"), series: [t("dashboard.correction_rate")], points: days((day) => day.correction_rate), yLabel: t("dashboard.correction_rate") });
}

/** @param {AbortSignal} signal */
async function drawChecks(signal) {
  const { checks, reports } = await get("/api/v1/drift", {}, { signal });
  const check = (/** @type {any} */ one) => h("li", { class: "row between" }, h("span", {}, word("dashboard.check", one.kind), " ", h("time", { class: "muted small", datetime: one.at }, ago(one.at))), badge(t(one.alert ? "dashboard.checks_alert" : "dashboard.checks_fine"), one.alert ? "bad" : "good"), h("ul", { class: "small muted wide" }, Object.values(one.causes).map((why) => h("li", { class: "break" }, String(why)))));
  const link = (/** @type {any} */ one) => h("li", {}, h("a", { href: `/drift/${one.day}/${one.name}` }, `${one.day} ${one.name}`));
  put(
    cards.checks,
    h("h2", {}, t("dashboard.checks")),
    checks.length ? h("ul", { class: "stack" }, checks.map(check)) : h("p", { class: "muted stack" }, t("dashboard.checks_none")),
    reports.length ? h("details", { class: "below" }, h("summary", { class: "small" }, t("dashboard.reports")), h("ul", { class: "small" }, reports.slice(0, 30).map(link))) : null,
  );
}

/** What each card shows now, so that it is drawn anew only when that changes. @type {WeakMap<HTMLElement, string>} */
const shown = new WeakMap();

/** @param {HTMLElement} card @param {import("../charts/chart.js").Chart} chart */
function show(card, chart) {
  const state = JSON.stringify(chart);
  if (shown.get(card) === state) return;
  shown.set(card, state);
  if (chart.points.length) draw(card, chart);
  else put(card, h("h2", {}, chart.title), empty(t("dashboard.empty"), t("dashboard.empty_text")));
}

/** @param {HTMLElement} card @param {string} title @param {string} part */
function nothing(card, title, part) {
  shown.delete(card);
  put(card, h("h2", {}, title), empty(t("dashboard.away"), told.away[part] ?? ""));
}
