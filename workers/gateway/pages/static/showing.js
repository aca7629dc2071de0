/** Parts of a page whose data comes from the API: they say so when it is away, and recover by themselves. */
import { Problem } from "./api.js";
import { h, put } from "./dom.js";
import { problemNotice } from "./notices.js";
import { t } from "./texts.js";

const LONGEST_PAUSE_MS = 30_000;

/**
 * Load and show something, now and again.
 * @param {Element} place Shows what waits and what went wrong while there is nothing else.
 * @param {(signal: AbortSignal) => Promise<void>} load Loads it and puts it there.
 * @param {{every?: number}} [options] `every`: milliseconds until it is loaded again; never, if not given.
 * @returns {{now: () => Promise<void>, stop: () => void}} `now` loads at once, and drops what is under way.
 */
export function showing(place, load, options = {}) {
  let timer = 0;
  let failures = 0;
  let shown = false;
  /** @type {HTMLElement | null} */
  let notice = null;
  let under = new AbortController();

  const later = (/** @type {number} */ ms) => { clearTimeout(timer); timer = window.setTimeout(turn, ms); };
  const turn = async () => {
    under.abort();
    const mine = (under = new AbortController());
    if (document.hidden && shown && !failures) return later(1000);
    place.setAttribute("aria-busy", "true");
    if (!shown && !notice) put(place, h("p", { class: "waits" }, t("common.loading")));
    try {
      await load(mine.signal);
      if (mine.signal.aborted) return;
      shown = true;
      failures = 0;
      notice?.remove();
      notice = null;
      if (options.every) later(options.every);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      fail(error);
    } finally {
      if (!mine.signal.aborted) place.removeAttribute("aria-busy");
    }
  };
  const fail = (/** @type {Problem} */ error) => {
    failures += 1;
    const again = h("button", { class: "button small", type: "button", on: { click: turn } }, t("common.again"));
    const fresh = problemNotice(error, again);
    fresh.setAttribute("role", "status");
    if (error.retryable) fresh.firstElementChild?.append(" ", t("common.recovers"));
    if (shown) { notice ? notice.replaceWith(fresh) : place.before(fresh); } else put(place, fresh);
    notice = fresh;
    if (error.retryable) later(Math.min(1000 * 2 ** failures, LONGEST_PAUSE_MS));
  };
  window.addEventListener("online", () => { if (failures) turn(); });
  turn();
  return { now: turn, stop: () => { clearTimeout(timer); under.abort(); } };
}

/**
 * A list that comes in pages, with a button for more.
 * @param {Element} place
 * @param {(cursor: string | null, signal: AbortSignal) => Promise<{items: any[], next: string | null}>} fetchPage
 * @param {(items: any[]) => Node} draw Draws all that has come.
 * @param {() => Node} none Says that there is nothing.
 * @param {{every?: number}} [options] As of `showing`; a list of which more was asked for is left as it is.
 */
export function listing(place, fetchPage, draw, none, options = {}) {
  /** @type {any[]} */
  let items = [];
  let extended = false;
  let last = "";
  const render = (/** @type {string | null} */ next) => {
    /** @type {HTMLElement | null} */
    const more = next ? h("button", { class: "button", type: "button", on: { click: () => extend(next, more) } }, t("common.more")) : null;
    if (!items.length) return put(place, more ? h("div", { class: "empty" }, h("p", {}, t("common.further")), more) : none());
    put(place, draw(items), more ? h("div", { class: "pages" }, more) : "");
  };
  const extend = async (/** @type {string} */ cursor, /** @type {any} */ button) => {
    button.disabled = true;
    try {
      const page = await fetchPage(cursor, new AbortController().signal);
      items = [...items, ...page.items];
      extended = true;
      render(page.next);
    } catch (error) {
      button.disabled = false;
      button.before(problemNotice(error));
    }
  };
  const list = showing(place, async (signal) => {
    if (extended) return;
    const page = await fetchPage(null, signal);
    const state = JSON.stringify(page);
    if (signal.aborted || state === last) return; // drawn anew, what has the focus would lose it
    last = state;
    items = page.items;
    render(page.next);
  }, options);
  return { stop: list.stop, now: () => { extended = false; last = ""; return list.now(); } };
}
