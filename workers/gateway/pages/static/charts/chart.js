/** Charts as SVG: lines over time and bars, with axes, a value under the pointer or the arrow keys, and a table. */
import { h, put, svg } from "../dom.js";
import { t } from "../texts.js";
import { amount, linear, temporal, whenWords } from "./scale.js";

/** @typedef {{x: number, x2?: number, values: (number | null)[], label?: string}} Point */
/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {"line" | "bar"} kind
 * @property {string[]} series Names; of several bars the later stand in front.
 * @property {Point[]} points In order. `x` is milliseconds where `time`; `x2` is a bar's other end.
 * @property {boolean} [time]
 * @property {"count" | "share"} unit
 * @property {string} xLabel
 * @property {string} yLabel
 * @property {{x: number, label: string}[]} [marks] Moments marked by a line.
 * @property {number} [most] The axis' end, where it is known.
 * @property {number} [least] The axis' start, else 0.
 */

const HEIGHT = 220;
const MARGIN = { top: 28, right: 14, bottom: 34, left: 50 };

/**
 * Draw a chart, anew whenever its place changes its width.
 * @param {HTMLElement} place
 * @param {Chart} chart
 */
export function draw(place, chart) {
  const said = h("p", { class: "chart-said", role: "status", "aria-live": "polite" });
  const legend = chart.series.length > 1 ? h("ul", { class: "legend" }, chart.series.map((name, index) => h("li", { class: `s${index}` }, name))) : null;
  const canvas = h("div", { class: "canvas" });
  put(place, h("figure", { class: "chart" }, h("figcaption", {}, h("h2", {}, chart.title), legend), canvas, said, asTable(chart)));
  let at = -1;
  const paint = () => {
    const width = Math.max(canvas.clientWidth, 260);
    const picture = paintIn(width, chart, at);
    put(canvas, picture);
  };
  const choose = (/** @type {number} */ index) => {
    if (index === at) return;
    at = index;
    said.textContent = at < 0 ? "" : sentence(chart, at);
    paint();
  };
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${chart.title}. ${t("dashboard.chart_keys")}`);
  canvas.addEventListener("pointermove", (event) => choose(nearest(chart, canvas, event)));
  canvas.addEventListener("pointerleave", () => choose(-1));
  canvas.addEventListener("blur", () => choose(-1));
  canvas.addEventListener("keydown", (event) => {
    const last = chart.points.length - 1;
    const to = { ArrowRight: Math.min(at + 1, last), ArrowLeft: at < 0 ? last : Math.max(at - 1, 0), Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(to);
  });
  new ResizeObserver(paint).observe(canvas);
}

/** @param {Chart} chart @param {number} width */
function scales(chart, width) {
  const values = chart.points.flatMap((point) => point.values).filter((value) => value !== null);
  const [first, last] = [chart.points[0], chart.points[chart.points.length - 1]];
  const [start, end] = [MARGIN.left, width - MARGIN.right];
  const about = Math.max(2, Math.floor(width / 130));
  const inset = chart.kind === "line" && chart.points.length > 1 ? 6 : 0;
  const x = chart.time ? temporal(first.x, last.x2 ?? last.x, start + inset, end - inset, about) : linear(first.x, last.x2 ?? last.x, start, end, about);
  const y = linear(chart.least ?? 0, chart.most ?? Math.max(...values, 1e-9), HEIGHT - MARGIN.bottom, MARGIN.top, 4, chart.unit === "count");
  return { x, y };
}

/** @param {number} width @param {Chart} chart @param {number} at Which point is looked at; -1: none. */
function paintIn(width, chart, at) {
  const { x, y } = scales(chart, width);
  const span = x.to - x.from;
  const bottom = HEIGHT - MARGIN.bottom;
  const grid = y.ticks.map((tick) => [svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y.at(tick), y2: y.at(tick) }), svg("text", { class: "tick", x: MARGIN.left - 8, y: y.at(tick) + 4, "text-anchor": "end" }, amount(tick, chart.unit))]);
  const below = x.ticks.map((tick) => svg("text", { class: "tick", x: x.at(tick), y: bottom + 17, "text-anchor": "middle" }, chart.time ? whenWords(tick, span) : amount(tick, "share")));
  const labels = [svg("text", { class: "tick", x: width - MARGIN.right, y: HEIGHT - 2, "text-anchor": "end" }, chart.xLabel), svg("text", { class: "tick", x: 0, y: 10 }, chart.yLabel)];
  const marks = (chart.marks ?? []).filter((mark) => mark.x >= x.from && mark.x <= x.to).map((mark) => svg("g", { class: "mark" }, svg("title", {}, mark.label), svg("line", { x1: x.at(mark.x), x2: x.at(mark.x), y1: MARGIN.top, y2: bottom }), svg("path", { d: `M${x.at(mark.x) - 4} ${MARGIN.top}h8l-4 6z` })));
  const shapes = chart.kind === "bar" ? barsOf(chart, x, y, at) : linesOf(chart, x, y, at);
  const guide = at >= 0 && chart.kind === "line" ? svg("line", { class: "guide", x1: x.at(chart.points[at].x), x2: x.at(chart.points[at].x), y1: MARGIN.top, y2: bottom }) : null;
  return svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" }, grid, below, labels, guide, shapes, marks);
}

/** @param {Chart} chart @param {any} x @param {any} y @param {number} at */
function barsOf(chart, x, y, at) {
  return chart.series.flatMap((_, number) =>
    chart.points.map((point, index) => {
      const value = point.values[number] ?? 0;
      const left = x.at(point.x);
      const right = x.at(point.x2 ?? point.x);
      const gap = right - left > 8 ? 1 : 0;
      return svg("rect", { class: `bar s${number} ${index === at ? "at" : ""}`, x: left + gap, y: y.at(value), width: Math.max(right - left - 2 * gap, 1), height: Math.max(y.at(0) - y.at(value), 0), rx: Math.min(2, (right - left) / 4) });
    }),
  );
}

/** @param {Chart} chart @param {any} x @param {any} y @param {number} at */
function linesOf(chart, x, y, at) {
  return chart.series.flatMap((_, number) => {
    const there = chart.points.map((point, index) => ({ index, x: x.at(point.x), value: point.values[number] })).filter((one) => one.value !== null);
    const path = there.map((one, index) => `${index ? "L" : "M"}${one.x.toFixed(1)} ${y.at(one.value).toFixed(1)}`).join("");
    const dots = there.filter((one) => one.index === at || there.length < 25).map((one) => svg("circle", { class: `dot s${number}`, cx: one.x, cy: y.at(one.value), r: one.index === at ? 4.5 : 2.5 }));
    return [svg("path", { class: `line s${number}`, d: path }), ...dots];
  });
}

/** @param {Chart} chart @param {HTMLElement} canvas @param {PointerEvent} event */
function nearest(chart, canvas, event) {
  const box = canvas.getBoundingClientRect();
  const { x } = scales(chart, Math.max(canvas.clientWidth, 260));
  const place = event.clientX - box.left;
  const middle = (/** @type {Point} */ point) => x.at((point.x + (point.x2 ?? point.x)) / 2);
  let best = -1;
  chart.points.forEach((point, index) => { if (best < 0 || Math.abs(middle(point) - place) < Math.abs(middle(chart.points[best]) - place)) best = index; });
  return best;
}

/** @param {Chart} chart @param {Point} point */
const nameOf = (chart, point) => point.label ?? (chart.time ? whenWords(point.x, chart.points[chart.points.length - 1].x - chart.points[0].x) : amount(point.x, "share"));

/** @param {Chart} chart @param {number} at */
function sentence(chart, at) {
  const point = chart.points[at];
  const values = chart.series.map((name, index) => `${name} ${point.values[index] === null ? "–" : amount(/** @type {number} */ (point.values[index]), chart.unit)}`);
  const marks = (chart.marks ?? []).filter((mark) => mark.x >= point.x && mark.x < (chart.points[at + 1]?.x ?? Infinity)).map((mark) => mark.label);
  return [nameOf(chart, point), ...values, ...marks].join(" · ");
}

/** @param {Chart} chart */
function asTable(chart) {
  const rows = chart.points.map((point) => h("tr", {}, h("th", { scope: "row" }, nameOf(chart, point)), point.values.map((value) => h("td", { class: "number" }, value === null ? "–" : amount(value, chart.unit)))));
  const changes = (chart.marks ?? []).map((mark) => h("li", {}, `${whenWords(mark.x, Infinity)}: ${mark.label}`));
  return h("details", { class: "small" }, h("summary", {}, t("dashboard.as_table")), changes.length ? h("ul", {}, changes) : null, h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": chart.title }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, chart.xLabel), chart.series.map((name) => h("th", { scope: "col", class: "number" }, name)))), h("tbody", {}, rows))));
}
