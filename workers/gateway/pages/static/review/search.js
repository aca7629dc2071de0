/** Search as one types over all categories: a combobox by the pattern of ARIA. */
import { h, put } from "../dom.js";
import { placeOf, search } from "../taxonomy.js";
import { t } from "../texts.js";

const MOST = 12;

/**
 * @param {HTMLInputElement} input
 * @param {HTMLElement} list
 * @param {() => Map<string, import("../taxonomy.js").Shelf>} shelves
 * @param {(code: string) => void} choose
 */
export function categorySearch(input, list, shelves, choose) {
  /** @type {import("../taxonomy.js").Shelf[]} */
  let found = [];
  let active = 0;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = () => {
    list.querySelectorAll("li").forEach((row, index) => row.setAttribute("aria-selected", String(index === active)));
    const row = list.children[active];
    if (!row) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  };
  const show = () => {
    found = input.value.trim() ? search(shelves(), input.value).slice(0, MOST) : [];
    active = 0;
    put(list, found.map((shelf, index) => h("li", { id: `found-${index}`, role: "option", on: { mousedown: (/** @type {Event} */ event) => event.preventDefault(), click: () => pick(index) } }, shelf.label, " ", h("small", {}, placeOf(shelf, shelf.code)))));
    const asked = Boolean(input.value.trim());
    if (asked && !found.length) put(list, h("li", { role: "option", "aria-disabled": "true" }, t("review.nothing_found")));
    list.hidden = !asked;
    input.setAttribute("aria-expanded", String(asked));
    mark();
  };
  const leave = () => { input.value = ""; close(); input.blur(); };
  const pick = (/** @type {number} */ index) => {
    const shelf = found[index];
    if (!shelf) return;
    leave();
    choose(shelf.code);
  };

  input.addEventListener("input", show);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") leave();
    else if (event.key === "Enter") pick(active);
    else if (event.key === "ArrowDown") active = Math.min(active + 1, found.length - 1);
    else if (event.key === "ArrowUp") active = Math.max(active - 1, 0);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key.startsWith("Arrow")) mark();
  });
}
