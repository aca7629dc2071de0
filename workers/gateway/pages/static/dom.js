/** Building parts of the page. Texts become text, never markup. */

/** @typedef {Node | string | number | false | null | undefined} Leaf */
/** @typedef {Leaf | Leaf[] | Leaf[][]} Child */

/**
 * An element.
 * @param {string} tag
 * @param {Record<string, any>} [props] Attributes; `on` has listeners, `css` custom properties, `data` data attributes.
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  return /** @type {HTMLElement} */ (fill(document.createElement(tag), props, children));
}

/**
 * An element of a picture.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, props = {}, ...children) {
  return /** @type {SVGElement} */ (fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children));
}

/** @param {HTMLElement | SVGElement} element @param {Record<string, any>} props @param {any[]} children */
function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
    else if (name === "css") for (const [key, given] of Object.entries(value)) element.style.setProperty(key, String(given));
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "value" && "value" in element) element.value = value;
    else if (name === "checked" && "checked" in element) element.checked = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false).map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

/**
 * The element with an id.
 * @param {string} id
 * @returns {any}
 */
export function by(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/** @param {Element} element @param {...Child} children */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false).map((child) => (child instanceof Node ? child : String(child))));
}

/**
 * What stands where a list is empty: what that means, and what to do.
 * @param {string} title @param {string} text @param {...Child} more
 */
export function empty(title, text, ...more) {
  return h("div", { class: "empty" }, h("strong", {}, title), h("p", {}, text), ...more);
}

/** @param {string} text @param {string} [kind] good, warn, bad or accent. */
export function badge(text, kind = "") {
  return h("span", { class: `badge ${kind}` }, text);
}

/**
 * A table. On a narrow screen each row folds into a card.
 * @param {string} caption For those who hear it.
 * @param {{label: string, number?: boolean}[]} columns
 * @param {HTMLElement[]} rows
 */
export function table(caption, columns, rows) {
  const heads = columns.map((column) => h("th", { scope: "col", class: column.number ? "number" : undefined }, column.label || h("span", { class: "unseen" }, "·")));
  return h("div", { class: "scroll" }, h("table", { class: "folds" }, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)));
}
