/** Saying what happened, and asking before something happens. */
import { Problem } from "./api.js";
import { by, h, put } from "./dom.js";
import { t } from "./texts.js";

/**
 * A problem in plain words, with the id under which the log has it.
 * @param {unknown} error
 * @param {...Node} more
 */
export function problemNotice(error, ...more) {
  if (!(error instanceof Problem)) throw error;
  const fields = error.errors.map((/** @type {any} */ one) => h("li", {}, `${one.where}: ${one.message}`));
  return h(
    "div",
    { class: "notice bad" },
    h(
      "div",
      {},
      h("span", {}, error.words),
      error.hint && error.words === error.message ? ` ${error.hint}` : "",
      fields.length > 1 ? h("ul", {}, fields) : null,
      error.requestId ? h("span", { class: "id" }, `${t("common.request_id")} ${error.requestId}`) : null,
    ),
    ...more,
  );
}

/**
 * Tell something in passing.
 * @param {string} text
 * @param {{label?: string, run?: () => void}} [action]
 */
export function say(text, action = {}) {
  const toast = h("div", { class: "toast" }, h("span", {}, text));
  if (action.run) toast.append(h("button", { type: "button", on: { click: () => { toast.remove(); action.run?.(); } } }, action.label ?? ""));
  put(by("toasts"), toast);
  setTimeout(() => toast.remove(), 6000);
}

/** Tell a problem in passing. @param {unknown} error */
export function sayProblem(error) {
  if (!(error instanceof Problem)) throw error;
  say(error.words + (error.requestId ? ` (${error.requestId.slice(0, 8)})` : ""));
}

/**
 * A dialog that is removed when it is closed.
 * @param {string} title
 * @param {(Node | string)[]} content
 * @returns {HTMLDialogElement}
 */
export function open(title, content) {
  const heading = h("h2", { id: "dialog-title" }, title);
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-labelledby": "dialog-title" }, heading, content));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Ask before something happens.
 * @param {{title: string, text: string | Node, yes: string, danger?: boolean, run: (form: FormData) => Promise<unknown>}} question
 *   `run` does it; while it does the dialog waits, and a problem is shown in it.
 * @returns {Promise<boolean>} Whether it was done.
 */
export function ask(question) {
  return new Promise((resolve) => {
    const told = h("div", { role: "alert" });
    const yes = h("button", { class: `button main ${question.danger ? "danger" : ""}`, type: "submit" }, question.yes);
    const no = h("button", { class: "button", type: "button" }, t("common.cancel"));
    const form = /** @type {HTMLFormElement} */ (
      h("form", { method: "dialog", class: "stack" }, typeof question.text === "string" ? h("p", {}, question.text) : question.text, told, h("div", { class: "foot-row" }, no, yes))
    );
    const dialog = open(question.title, [form]);
    if (!question.danger && !form.querySelector("input, select")) yes.focus();
    let done = false;
    no.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => resolve(done));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      yes.toggleAttribute("disabled", true);
      try {
        await question.run(new FormData(form));
        done = true;
        dialog.close();
      } catch (error) {
        put(told, problemNotice(error));
        yes.toggleAttribute("disabled", false);
      }
    });
  });
}
