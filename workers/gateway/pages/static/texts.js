/** What the page says: texts, numbers and times in the page's language. */

/** @typedef {string | {one: string, other: string}} Text */

export const language = document.documentElement.lang === "fr" ? "fr" : "en";

/** @type {Record<string, Record<string, Text>>} */
const texts = (await import(`./texts.${language}.js`)).default;
const plurals = new Intl.PluralRules(language);

/**
 * A text by `section.key`; of one that depends on a number, the form for `values.n`.
 * @param {string} key
 * @param {Record<string, string | number>} [values] For what stands in braces.
 * @returns {string}
 */
export function t(key, values = {}) {
  const [section, name] = key.split(".");
  const found = texts[section]?.[name];
  if (found === undefined) return key;
  const form = typeof found === "string" ? found : plurals.select(Number(values.n)) === "one" ? found.one : found.other;
  return form.replace(/\{(\w+)\}/g, (_, field) => {
    const value = values[field];
    return typeof value === "number" ? number(value) : String(value ?? "");
  });
}

/**
 * The word for a value that the API gives, such as a state; the value itself where there is none.
 * @param {string} prefix `section.prefix`, before an underscore and the value.
 * @param {string | null | undefined} value
 */
export function word(prefix, value) {
  const key = `${prefix}_${String(value ?? "").replaceAll("-", "_")}`;
  const found = t(key);
  return found === key ? String(value ?? "") : found;
}

/** @param {number} value @param {number} [digits] Most decimals. @param {number} [least] Fewest. */
export function number(value, digits = 1, least = 0) {
  return new Intl.NumberFormat(language, { minimumFractionDigits: least, maximumFractionDigits: digits }).format(value);
}

/** @param {number | null | undefined} share Between 0 and 1. @param {number} [digits] */
export function percent(share, digits = 0) {
  if (share === null || share === undefined) return "–";
  return new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(share);
}

/** @param {string | number | Date | null | undefined} at */
export function time(at) {
  if (!at) return "–";
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));
}

/** @param {string | number | Date} at */
export function clock(at) {
  return new Intl.DateTimeFormat(language, { timeStyle: "medium" }).format(new Date(at));
}

const UNITS = /** @type {const} */ ([["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]]);

/** How long ago, or how soon. @param {string | number | Date | null | undefined} at */
export function ago(at) {
  if (!at) return "–";
  const seconds = (new Date(at).getTime() - Date.now()) / 1000;
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return words.format(0, "minute") && t("common.just_now");
}
