/** The categories, in the page's language. */
import { get } from "./api.js";
import { language } from "./texts.js";

/** @typedef {{code: string, label: string, theme: string, search: string}} Shelf */

/** @type {Promise<Map<string, Shelf>> | null} */
let shelves = null;

/**
 * All categories by code; asked for once.
 * @returns {Promise<Map<string, Shelf>>}
 */
export function taxonomy() {
  shelves ??= get("/api/v1/taxonomy", { lang: language })
    .then((told) => {
      const found = new Map(told.categories.map((/** @type {any} */ one) => [one.code, shelfOf(one)]));
      for (const other of told.languages.filter((/** @type {string} */ one) => one !== language)) alsoIn(other, found);
      return found;
    })
    .catch((error) => { shelves = null; throw error; });
  return shelves;
}

/** Let people search in another language than the page's too. @param {string} other @param {Map<string, Shelf>} found */
async function alsoIn(other, found) {
  const told = await get("/api/v1/taxonomy", { lang: other }).catch(() => ({ categories: [] }));
  for (const one of told.categories) {
    const shelf = found.get(one.code);
    if (shelf) shelf.search += ` ${plain([one.label, one.theme ?? ""].join(" "))}`;
  }
}

/** The categories, or none where they are away: labels then come from what is shown. */
export function taxonomyIfThere() {
  return taxonomy().catch(() => /** @type {Map<string, Shelf>} */ (new Map()));
}

/** @param {{code: string, label: string, theme: string | null}} one @returns {Shelf} */
function shelfOf({ code, label, theme }) {
  return { code, label, theme: theme ?? "", search: plain([code, label, theme ?? ""].join(" ")) };
}

/** A text as one searches for it: without accents and capitals. @param {string} text */
export function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("’", "'");
}

/**
 * The categories that all words of a search are in; those that begin so first.
 * @param {Map<string, Shelf>} shelves
 * @param {string} text
 * @returns {Shelf[]}
 */
export function search(shelves, text) {
  const words = plain(text).split(/\s+/).filter(Boolean);
  const found = [...shelves.values()].filter((shelf) => words.every((word) => shelf.search.includes(word)));
  const rank = (/** @type {Shelf} */ shelf) => (shelf.code === text.trim() ? 0 : plain(shelf.label).startsWith(words[0] ?? "") ? 1 : 2);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** What tells a category from others beside its label: its theme, if that says more, and its code. @param {Shelf | undefined} shelf @param {string} code */
export function placeOf(shelf, code) {
  const theme = shelf && shelf.theme !== shelf.label ? shelf.theme : "";
  return [theme, code].filter(Boolean).join(" · ");
}
