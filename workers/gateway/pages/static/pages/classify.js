/** Have a product classified: by title, description and photo. */
import { ask, asQuery, get, newKey } from "../api.js";
import { bars, facts, spokenWords, sureness } from "../answer.js";
import { by, h, put } from "../dom.js";
import { problemNotice } from "../notices.js";
import { placeOf, taxonomyIfThere } from "../taxonomy.js";
import { percent, t } from "../texts.js";

const MOST_PHOTO_BYTES = 10 * 1024 * 1024;
const PATH = "/api/v1/predictions";
const EXPLAINED_AFTER_MS = [600, 1200, 2400, 5000];
const form = by("form");
/** @type {File | null} */
let photo = null;
let turn = 0;

/** @param {File | null | undefined} file */
function take(file) {
  const fits = file && /^image\/(jpeg|png|webp)$/.test(file.type) && file.size <= MOST_PHOTO_BYTES;
  by("photo-said").textContent = file && !fits ? t("classify.photo_refused") : file ? t("classify.photo_taken", { name: file.name }) : "";
  photo = fits ? file : null;
  const preview = by("preview");
  if (preview.src) URL.revokeObjectURL(preview.src);
  if (photo) preview.src = URL.createObjectURL(photo);
  else preview.removeAttribute("src");
  preview.hidden = by("remove").hidden = !photo;
  by("hint").hidden = Boolean(photo);
}

by("photo").addEventListener("change", () => take(by("photo").files[0]));
by("remove").addEventListener("click", () => { by("photo").value = ""; take(null); by("photo").focus(); });
document.addEventListener("paste", (event) => {
  const file = Array.from(event.clipboardData?.files ?? []).find((one) => one.type.startsWith("image/"));
  if (file) { event.preventDefault(); take(file); }
});
document.addEventListener("dragover", (event) => { event.preventDefault(); by("drop").classList.add("over"); });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) by("drop").classList.remove("over"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  by("drop").classList.remove("over");
  take(event.dataTransfer?.files[0]);
});

form.addEventListener("reset", () => { turn += 1; take(null); put(by("answer"), nothing()); by("title").focus(); });
form.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
form.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  const mine = (turn += 1);
  const body = new FormData();
  for (const name of ["title", "description"]) if (by(name).value.trim()) body.set(name, by(name).value);
  if (photo) body.set("image", photo);
  if (![...body.keys()].length) { put(by("answer"), h("p", { class: "notice warn" }, t("classify.nothing"))); by("title").focus(); return; }
  by("do").disabled = true;
  by("result").setAttribute("aria-busy", "true");
  put(by("answer"), h("p", { class: "waits" }, t("classify.waits")));
  try {
    const prediction = await classified(body);
    if (mine === turn) await show(prediction);
  } catch (error) {
    if (mine === turn) put(by("answer"), problemNotice(error));
  } finally {
    by("do").disabled = false;
    by("result").setAttribute("aria-busy", "false");
  }
});

/**
 * @param {FormData} body
 * @returns {Promise<any>} The prediction, however long it takes.
 */
async function classified(body) {
  let answer = await ask(`${PATH}/upload${asQuery({ explain: true })}`, { method: "POST", body, headers: { "Idempotency-Key": newKey() } });
  while (answer.status === 202) {
    const { link } = await answer.json();
    put(by("answer"), h("p", { class: "waits" }, t("classify.longer")));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    answer = await ask(link + asQuery({ explain: true }));
  }
  return answer.json();
}

/** @param {any} prediction */
async function show(prediction) {
  const shelves = await taxonomyIfThere();
  const { category } = prediction;
  const shelf = shelves.get(category.code);
  const words = h("div", { class: "stack" });
  drawWords(words, prediction.explanation?.terms ?? []);
  if (prediction.explanation === undefined) explainLater(words, prediction.event_id);
  put(
    by("answer"),
    h("div", {}, h("div", { class: "verdict" }, h("strong", {}, shelf?.label ?? category.label), sureness(prediction)), h("p", { class: "muted" }, `${placeOf(shelf, category.code)} · ${percent(prediction.confidence, 1)}`)),
    bars(prediction.top, shelves),
    words,
    h("hr"),
    facts(prediction),
  );
}

/** @param {HTMLElement} place @param {import("../answer.js").Term[]} terms */
function drawWords(place, terms) {
  const any = terms.some((one) => one.contribution > 0);
  place.hidden = !any;
  put(place, ...(any ? [h("h3", {}, t("classify.spoke")), spokenWords(terms)] : []));
}

/** The archive has it a moment later than the answer. @param {HTMLElement} place @param {string} event */
async function explainLater(place, event) {
  for (const pause of EXPLAINED_AFTER_MS) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (!place.isConnected) return;
    const told = await get(`/api/v1/items/${event}/explanation`).catch(() => null);
    if (told) return drawWords(place, told.explanation?.terms ?? []);
  }
}

function nothing() {
  return h("div", { class: "empty" }, h("strong", {}, t("classify.empty")), h("p", {}, t("classify.empty_text")));
}
