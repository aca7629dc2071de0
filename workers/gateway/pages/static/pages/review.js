/** Review: say what unsure items are, one key each. Verdicts are sent behind the scenes. */
import { Problem, get } from "../api.js";
import { by, empty, h, put } from "../dom.js";
import { shortcut } from "../keyboard.js";
import { problemNotice, say } from "../notices.js";
import { Outbox, waitingOf } from "../outbox.js";
import { bulkAccept } from "../review/bulk.js";
import { draw } from "../review/desk.js";
import { Queue, forget, letGo } from "../review/queue.js";
import { drawRefused, overtaken } from "../review/refused.js";
import { categorySearch } from "../review/search.js";
import { taxonomyIfThere } from "../taxonomy.js";
import { number, t, word } from "../texts.js";

/** @typedef {import("../review/queue.js").Card} Card */
/** @typedef {import("../outbox.js").Verdict} Verdict */
/** @typedef {{card: Card, verdicts: Verdict[], titles: Record<string, string>, said: string, undone: boolean}} Act */

const KEPT = 50;
const RETRY_MS = 3000;
const DIGITS = ["1", "2", "3", "4", "5"];
const queue = new Queue();
const outbox = new Outbox(document.body.dataset.who ?? "");
/** @type {Act[]} */
const acts = [];
/** @type {string[]} */
const skipped = [];
/** @type {Card | null} */
let current = null;
/** @type {Map<string, import("../taxonomy.js").Shelf>} */
let shelves = new Map();
let today = 0;
let timer = 0;

/** Show the next item; `from` is when the key was pressed. @param {number} [from] */
function next(from) {
  current = queue.take();
  if (current) {
    draw(current, shelves, (code) => decide(code));
    by("desk").hidden = false;
    by("waits").hidden = true;
    if (from !== undefined) performance.measure("aisle:key-to-next", { start: from, end: performance.now() });
  } else {
    by("desk").hidden = true;
    by("waits").hidden = false;
    if (!queue.filling) put(by("waits"), h("p", { class: "waits" }, t("common.loading")));
  }
  if (queue.isLow) refill();
}

async function refill() {
  clearTimeout(timer);
  try {
    await queue.fill(skipped, unwanted);
    if (current) return;
    if (queue.cards.length) return next();
    const again = h("button", { class: "button", type: "button", on: { click: () => { skipped.length = 0; refill(); } } }, t("common.again"));
    put(by("waits"), empty(t("review.empty"), t("review.empty_text"), again));
    timer = window.setTimeout(refill, 5 * RETRY_MS);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (!current) put(by("waits"), problemNotice(error, h("span", {}, t("common.recovers"))));
    if (error.status !== 401) timer = window.setTimeout(refill, RETRY_MS);
  }
}

/** Items that this page has in hand: an answer that was on its way meanwhile may have them too. */
function unwanted() {
  const judged = acts.filter((act) => !act.undone).flatMap((act) => act.verdicts);
  const waiting = waitingOf(outbox.who).flatMap((letter) => letter.verdicts);
  const ids = new Set([...judged, ...waiting].map((one) => one.event_id));
  return current ? ids.add(current.item.event_id) : ids;
}

/** A verdict on an item as it is seen here. @param {any} item @param {string | null} code null: none fits. @returns {Verdict} */
function verdictOf({ event_id, prediction, verdict }, code) {
  const on = { event_id, seen: verdict?.feedback_id ?? null };
  if (code === null) return { ...on, verdict: "rejected" };
  return prediction.category.code === code ? { ...on, verdict: "validated" } : { ...on, verdict: "corrected", code };
}

/** @param {string} code */
const labelOf = (code) => shelves.get(code)?.label ?? current?.item.prediction.top.find((/** @type {any} */ one) => one.code === code)?.label ?? code;

/** @param {any} item */
const titleOf = (item) => item.product?.title ?? item.product?.description?.slice(0, 80) ?? item.product_id ?? t("common.no_title");

/** @param {string} code @param {number} [from] */
function decide(code, from) {
  if (current) done(current, [current.item], code, labelOf(code), from);
}

/**
 * @param {Card} card @param {any[]} items Judged with one decision; none: it is skipped.
 * @param {string | null} code null: no category fits. @param {string} said @param {number} [from]
 */
function done(card, items, code, said, from) {
  const verdicts = items.map((item) => verdictOf(item, code));
  const titles = Object.fromEntries([card.item, ...items].map((item) => [item.event_id, titleOf(item)]));
  acts.unshift({ card, verdicts, titles, said, undone: false });
  acts.splice(KEPT).forEach((act) => forget(act.card));
  if (!verdicts.length) skipped.push(card.item.event_id);
  next(from);
  if (verdicts.length) {
    outbox.add(verdicts, titles);
    count(verdicts.length);
  }
  drawActs();
}

/** @param {number} [from] */
function undo(from) {
  const act = acts.find((one) => !one.undone);
  if (!act) return say(t("review.nothing_to_undo"));
  act.undone = true;
  if (act.verdicts.length) {
    const ids = act.verdicts.map((one) => one.event_id);
    const others = ids.filter((id) => id !== act.card.item.event_id); // not shown again here, so anybody's
    outbox.add(ids.map((event_id) => ({ event_id, verdict: "undo" })), act.titles, others);
    count(-act.verdicts.length);
  }
  const back = skipped.indexOf(act.card.item.event_id);
  if (back >= 0) skipped.splice(back, 1);
  if (current) queue.putBack(current);
  queue.putBack(act.card);
  next(from);
  drawActs();
}

/** @param {number} more */
function count(more) {
  today += more;
  by("today").textContent = number(today);
  progressSoon();
}

function drawActs() {
  by("recent").hidden = !acts.length;
  put(by("done"), acts.slice(0, 5).map((act) => h("li", { class: act.undone ? "undone" : undefined }, h("span", { class: "what" }, act.titles[act.card.item.event_id]), h("span", {}, act.said))));
}

/** @param {any[]} items @param {string} code */
function acceptAll(items, code) {
  const card = current;
  if (!card) return;
  const ids = new Set(items.map((item) => item.event_id));
  queue.cards = queue.cards.filter((one) => !ids.has(one.item.event_id));
  done(card, items, code, t("review.bulk_said", { n: items.length, label: labelOf(code) }));
}

async function progress() {
  try {
    const midnight = new Date();
    midnight.setHours(0, 0, 0, 0);
    const told = await get("/api/v1/review/progress", { from: midnight.toISOString() });
    today = told.today + outbox.waiting;
    by("today").textContent = number(today);
    by("left").textContent = number(told.waiting) + (told.more_waiting ? "+" : "");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}
let soon = 0;
function progressSoon() {
  clearTimeout(soon);
  soon = window.setTimeout(progress, 1500);
}

outbox.addEventListener("change", () => {
  const { waiting, stuck, isUnsafe } = outbox;
  by("sync").hidden = !(waiting && (stuck || isUnsafe));
  by("sync").textContent = by("sync").hidden ? "" : t(isUnsafe ? "review.unsafe" : "review.waiting", { n: waiting });
  drawRefused(by("refused"), outbox, labelOf);
});
outbox.addEventListener("answered", (event) => {
  const { detail } = /** @type {CustomEvent<{refused: string[], free: string[]}>} */ (event);
  const refused = new Set(detail.refused);
  letGo(detail.free);
  if (!refused.size) return;
  for (const act of acts.filter((one) => one.verdicts.some((verdict) => refused.has(verdict.event_id)))) {
    act.verdicts = act.verdicts.filter((verdict) => !refused.has(verdict.event_id));
    act.undone ||= !act.verdicts.length;
  }
  drawActs();
  progressSoon();
});
const decideAnyway = () => { const refused = overtaken(outbox); if (refused) outbox.anyway(refused); };

/** @param {(from: number) => void} run @returns {(event: Event) => void} */
const timed = (run) => (event) => { if (current) run(event.timeStamp); };
const accept = timed((from) => decide(current?.item.prediction.category.code, from));
const reject = timed((from) => current && done(current, [current.item], null, word("common.verdict", "rejected"), from));
const skip = timed((from) => current && done(current, [], null, t("review.skipped"), from));
const bulk = () => {
  if (!current) return;
  const { code } = current.item.prediction.category;
  bulkAccept(current.item, labelOf(code), (items) => acceptAll(items, code));
};

/** @param {KeyboardEvent} event */
function chooseTop(event) {
  const digit = DIGITS.includes(event.key) ? event.key : event.code.replace("Digit", "");
  const one = current?.item.prediction.top[Number(digit) - 1];
  if (one) decide(one.code, event.timeStamp);
}

for (const [id, run] of /** @type {[string, (event: Event) => void][]} */ ([["accept", accept], ["reject", reject], ["skip", skip], ["bulk", bulk]])) by(id).addEventListener("click", run);
by("undo").addEventListener("click", (/** @type {Event} */ event) => undo(event.timeStamp));
shortcut(
  { keys: DIGITS, codes: DIGITS.map((digit) => `Digit${digit}`), show: "1 … 5", label: t("review.key_top"), run: chooseTop },
  { keys: ["Enter"], show: "↵", label: t("review.key_accept"), run: accept },
  { keys: ["x"], label: t("review.key_reject"), run: reject },
  { keys: ["s"], label: t("review.key_skip"), run: skip },
  { keys: ["u"], label: t("review.key_undo"), run: (event) => undo(event.timeStamp) },
  { keys: ["/"], label: t("review.key_search"), run: () => by("search").focus() },
  { keys: ["b"], label: t("review.key_bulk"), run: bulk },
  { keys: ["d"], label: t("review.anyway"), run: decideAnyway },
);
categorySearch(by("search"), by("found"), () => shelves, (code) => decide(code, performance.now()));

window.addEventListener("pagehide", () => { queue.release(current); current = null; });
window.addEventListener("pageshow", (event) => { if (event.persisted) next(); });

put(by("waits"), h("p", { class: "waits" }, t("common.loading")));
taxonomyIfThere().then((found) => { shelves = found; drawRefused(by("refused"), outbox, labelOf); if (current) draw(current, shelves, (code) => decide(code)); });
outbox.send();
progress();
refill();
