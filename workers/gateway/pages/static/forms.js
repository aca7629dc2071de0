/** Forms that call the API. */
import { put } from "./dom.js";
import { problemNotice } from "./notices.js";

/**
 * Do something when a form is sent; a problem is shown in it.
 * @param {HTMLFormElement} form
 * @param {Element} told Where a problem is shown.
 * @param {(data: Record<string, string>) => Promise<void>} run
 */
export function onSubmit(form, told, run) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    button?.toggleAttribute("disabled", true);
    put(told);
    try {
      const data = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form).entries()));
      await run(data);
    } catch (error) {
      put(told, problemNotice(error));
    } finally {
      button?.toggleAttribute("disabled", false);
    }
  });
}
