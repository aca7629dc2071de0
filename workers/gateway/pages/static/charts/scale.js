/** From figures to places on a picture, and the round numbers beside it. */
import { language, number, percent } from "../texts.js";

/** @typedef {{from: number, to: number, at: (value: number) => number, ticks: number[]}} Scale */

/**
 * @param {number} from @param {number} to The smallest and greatest value.
 * @param {number} start @param {number} end Where they come to, in pixels.
 * @param {number} [about] How many ticks.
 * @param {boolean} [whole] Whether values are counts, and ticks too.
 * @returns {Scale}
 */
export function linear(from, to, start, end, about = 4, whole = false) {
  const step = whole ? Math.max(1, round((to - from || 1) / about, [1, 2, 5, 10])) : round((to - from || 1) / about, [1, 2, 2.5, 5, 10]);
  const low = Math.floor(from / step) * step;
  const high = Math.max(Math.ceil(to / step - 1e-9) * step, low + step);
  const ticks = [];
  for (let tick = low; tick <= high + step / 2; tick += step) ticks.push(Number(tick.toPrecision(12)));
  return { from: low, to: high, ticks, at: (value) => start + ((value - low) / (high - low)) * (end - start) };
}

/** @param {number} from @param {number} to Milliseconds. @param {number} start @param {number} end @param {number} about @returns {Scale} */
export function temporal(from, to, start, end, about) {
  const last = to > from ? to : from + 1;
  const ticks = Array.from({ length: about }, (_, index) => from + ((last - from) * (index + 0.5)) / about);
  return { from, to: last, ticks, at: (value) => start + ((value - from) / (last - from)) * (end - start) };
}

/** The nearest of some figures times a power of ten that is not smaller. @param {number} step @param {number[]} figures */
function round(step, figures) {
  const power = 10 ** Math.floor(Math.log10(step));
  return (figures.find((one) => one * power >= step * 0.999) ?? 10) * power;
}

/** @param {number} at @param {number} span Milliseconds shown in all. */
export function whenWords(at, span) {
  const style = span > 2 * 86_400_000 ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(language, /** @type {any} */ (style)).format(new Date(at));
}

/** @param {number} value @param {"count" | "share"} unit */
export function amount(value, unit) {
  return unit === "share" ? percent(value, value > 0 && value < 0.1 ? 1 : 0) : number(value, 1);
}
