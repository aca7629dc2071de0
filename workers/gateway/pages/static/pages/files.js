/** Files of products, classified in the background. */
import { ask as send, get, newKey, post } from "../api.js";
import { badge, by, empty, h, table } from "../dom.js";
import { onSubmit } from "../forms.js";
import { ask, say, sayProblem } from "../notices.js";
import { save } from "../saving.js";
import { listing } from "../showing.js";
import { ago, number, percent, t, time, word } from "../texts.js";

const EVERY_MS = 3000;
const KINDS = /** @type {Record<string, string>} */ ({ running: "accent", done: "good", failed: "bad", cancelled: "warn" });
const form = by("form");

onSubmit(form, by("problem"), async () => {
  const body = new FormData(form);
  await send("/api/v1/predictions/bulk", { method: "POST", body, headers: { "Idempotency-Key": newKey() } });
  form.reset();
  say(t("files.taken"));
  list.now();
});

/** @param {any[]} jobs */
function draw(jobs) {
  const columns = [{ label: t("files.file") }, { label: t("items.state") }, { label: t("files.rows"), number: true }, { label: t("items.at") }, { label: "" }];
  return table(t("files.title"), columns, jobs.map(row));
}

/** @param {any} job */
function row(job) {
  const part = job.rows ? job.answered / job.rows : 0;
  const under = ["waiting", "running"].includes(job.state);
  return h(
    "tr",
    {},
    h("td", {}, h("span", { class: "title" }, job.file), h("span", { class: "muted small" }, job.owner)),
    h("td", {}, badge(word("files.state", job.state), KINDS[job.state] ?? ""), under ? h("div", { class: "small muted" }, percent(part), h("div", { class: "part", "aria-hidden": "true", css: { "--part": `${Math.round(100 * part)}%` } }, h("span"))) : h("div", { class: "small muted" }, job.outcome)),
    h("td", { class: "number" }, `${number(job.answered)} / ${number(job.rows)}`, job.failed ? h("div", { class: "small muted" }, t("files.failed", { n: job.failed })) : null),
    h("td", {}, h("time", { datetime: job.asked_at, title: time(job.asked_at) }, ago(job.asked_at))),
    h("td", { class: "actions-cell" }, h("span", { class: "row" }, job.result ? ["csv", "jsonl"].map((format) => result(job, format)) : null, under ? cancel(job) : null)),
  );
}

/** @param {any} job @param {string} format */
function result(job, format) {
  const name = `${job.file.replace(/\.\w+$/, "")}-categories.${format}`;
  const run = () => save(`/api/v1/jobs/${job.id}/result?format=${format}`, name).catch(sayProblem);
  return h("button", { class: "button small", type: "button", "aria-label": `${t("files.result")}: ${job.file}, ${format}`, on: { click: run } }, format.toUpperCase());
}

/** @param {any} job */
function cancel(job) {
  const run = async () => {
    const done = await ask({ title: t("files.cancel"), text: t("files.cancel_text"), yes: t("files.cancel"), danger: true, run: () => post(`/api/v1/jobs/${job.id}/cancel`) });
    if (done) list.now();
  };
  return h("button", { class: "button small danger", type: "button", "aria-label": `${t("files.cancel")}: ${job.file}`, on: { click: run } }, t("files.cancel"));
}

const list = listing(by("list"), (cursor, signal) => get("/api/v1/jobs", { cursor }, { signal }), draw, () => empty(t("files.empty"), t("files.empty_text")), { every: EVERY_MS });
