/** Keys that do something on the page, and the list of them. */
import { h } from "./dom.js";
import { keep, keptAs } from "./kept.js";
import { open } from "./notices.js";
import { t } from "./texts.js";

/** @typedef {{keys: string[], codes?: string[], label: string, run: (event: KeyboardEvent) => void, show?: string}} Shortcut */

/** @type {Shortcut[]} */
const shortcuts = [];
const OFF = "aisle.keys-off";

/** @param {...Shortcut} more */
export function shortcut(...more) {
  shortcuts.push(...more);
}

/** Single keys can be turned off by those whose tools type them unasked. */
const off = () => keptAs(OFF) === 1;

/** @param {EventTarget | null} target */
function typing(target) {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox], [type=radio], [type=file]), textarea, select, [contenteditable]");
}

let afterG = 0;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]") || off()) return;
  if (event.target instanceof HTMLElement && event.target.closest("a, button, summary, input") && (event.key === "Enter" || event.key === " ")) return;
  if (performance.now() - afterG < 1500) {
    afterG = -Infinity;
    const link = document.querySelector(`.menu a[data-key="${CSS.escape(event.key)}"]`);
    if (link instanceof HTMLElement) {
      event.preventDefault();
      link.click();
      return;
    }
  }
  if (event.key === "g") { afterG = performance.now(); return; }
  if (event.key === "?") { event.preventDefault(); showKeys(); return; }
  // By the key's place too: on French keyboards digits need Shift.
  const found = shortcuts.find((one) => one.keys.includes(event.key) || (!event.shiftKey && one.codes?.includes(event.code)));
  if (found && !(event.repeat && found.keys[0] !== "u")) {
    event.preventDefault();
    found.run(event);
  }
});
afterG = -Infinity;

/** Show the keys in a dialog. */
export function showKeys() {
  const rows = (/** @type {[string, string][]} */ list) => h("dl", { class: "keys" }, list.map(([label, key]) => [h("dt", {}, label), h("dd", {}, ...key.split(" ").flatMap((one) => [h("kbd", {}, one), " "]))]));
  /** @type {[string, string][]} */
  const links = Array.from(document.querySelectorAll(".menu a[data-key]"), (link) => [String(link.textContent).trim(), `g ${link.getAttribute("data-key")}`]);
  const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", checked: !off() }));
  box.addEventListener("change", () => keep(OFF, box.checked ? 0 : 1));
  const close = h("button", { class: "button", type: "button" }, t("common.close"));
  const dialog = open(t("keys.title"), [
    shortcuts.length ? h("h3", {}, t("keys.here")) : "",
    rows(shortcuts.map((one) => [one.label, one.show ?? one.keys.join(" ")])),
    h("h3", {}, t("keys.everywhere")),
    rows([...links, [t("keys.title"), "?"], [t("keys.close"), "Esc"]]),
    h("label", { class: "check" }, box, t("keys.on")),
    h("div", { class: "foot-row" }, close),
  ]);
  close.addEventListener("click", () => dialog.close());
}
