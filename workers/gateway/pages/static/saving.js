/** Saving an answer of the API as a file: a plain link could not send the token. */
import { ask } from "./api.js";
import { h } from "./dom.js";

/** @param {string} path @param {string} name */
export async function save(path, name) {
  const url = URL.createObjectURL(await (await ask(path)).blob());
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
