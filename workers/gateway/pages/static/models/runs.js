/** Trainings: the list, and one with its log as it grows. */
import { get, post } from "../api.js";
import { badge, by, empty, h, put, table } from "../dom.js";
import { ask, say } from "../notices.js";
import { showing } from "../showing.js";
import { ago, clock, percent, t, time, word } from "../texts.js";

const PATH = "/api/v1/runs";
const KINDS = /** @type {Record<string, string>} */ ({ promoted: "good", passed: "good", refused: "warn", failed: "bad", running: "accent", requested: "accent" });
const LIST_MS = 5000;
const LOG_MS = 1500;
const mayAct = document.body.dataset.role === "admin";
/** @type {{now: () => Promise<void>, stop: () => void} | null} */
let watched = null;

export const runs = showing(by("runs"), async (signal) => {
  const told = await get(PATH, { limit: 20 }, { signal });
  by("worker").textContent = told.worker ? t("models.worker", { name: told.worker }) : t("models.no_worker");
  const columns = [{ label: t("models.run") }, { label: t("items.state") }, { label: t("models.trigger") }, { label: t("models.outcome") }, { label: t("items.at") }];
  put(by("runs"), told.items.length ? table(t("models.runs"), columns, told.items.map(row)) : empty(t("models.no_runs"), t("models.no_runs_text")));
}, { every: LIST_MS });

/** @param {any} run */
function row(run) {
  const at = run.started_at ?? run.asked_at;
  return h(
    "tr",
    {},
    h("td", {}, h("button", { class: "run-link", type: "button", on: { click: () => show(run.id) } }, `#${run.id}`)),
    h("td", {}, badge(word("models.state", run.state), KINDS[run.state] ?? ""), run.state === "running" ? part(run) : null),
    h("td", {}, h("span", { class: "title" }, run.trigger), h("span", { class: "muted small" }, run.why)),
    h("td", {}, h("span", { class: "title" }, run.outcome), h("span", { class: "mono muted" }, run.version ?? "")),
    h("td", {}, h("time", { datetime: at, title: time(at) }, ago(at))),
  );
}

/** @param {any} run */
function part(run) {
  return h("div", { class: "small muted" }, `${run.step} ${percent(run.part)}`, h("div", { class: "part", "aria-hidden": "true", css: { "--part": `${Math.round(100 * run.part)}%` } }, h("span")));
}

/** Show a run, and follow it while it runs. @param {number} id */
export function show(id) {
  watched?.stop();
  const fresh = by("run").hidden;
  by("run").hidden = false;
  put(by("log"));
  put(by("run-facts"));
  put(by("run-actions"));
  by("run-title").textContent = t("models.run_title", { id: String(id) });
  if (fresh) by("run").scrollIntoView({ block: "nearest" });
  by("run").focus({ preventScroll: true });
  /** @type {string | null} */
  let from = null;
  const following = (watched = showing(by("run-facts"), async (signal) => {
    const run = await get(`${PATH}/${id}`, { log_from: from }, { signal });
    if (signal.aborted) return;
    from = run.log_next;
    draw(run);
    if (run.ended_at) queueMicrotask(() => following.stop());
  }, { every: LOG_MS }));
}

/** @param {any} run */
function draw(run) {
  const rows = [[t("items.state"), word("models.state", run.state)], [t("models.trigger"), `${run.trigger}: ${run.why}`], [t("models.by"), run.by], [t("models.began"), time(run.started_at)], [t("models.ended"), time(run.ended_at)], [t("models.set"), run.set_version], [t("models.version"), run.version], [t("models.outcome"), run.outcome]];
  put(by("run-facts"), h("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])), run.state === "running" ? part(run) : "");
  const log = by("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(...run.log.map((/** @type {any} */ line) => h("div", {}, h("time", { datetime: line.at }, clock(line.at)), line.said)));
  if (!log.childElementCount) log.append(h("p", { class: "muted" }, t("models.no_log")));
  if (atEnd) log.scrollTop = log.scrollHeight;
  const stoppable = mayAct && !run.ended_at;
  put(by("run-actions"), stoppable ? h("button", { class: "button small danger", type: "button", disabled: run.cancel, on: { click: () => cancel(run.id) } }, t(run.cancel ? "models.cancelling" : "models.cancel")) : "");
}

/** @param {number} id */
async function cancel(id) {
  const done = await ask({ title: t("models.cancel_title", { id: String(id) }), text: t("models.cancel_text"), yes: t("models.cancel"), danger: true, run: () => post(`${PATH}/${id}/cancel`) });
  if (done) watched?.now();
}

/** Ask for a training now. */
export async function retrain() {
  const why = h("div", { class: "field" }, h("label", { for: "why" }, t("models.why")), h("input", { id: "why", name: "why", maxlength: 500, autocomplete: "off" }));
  /** @type {any} */
  let run = null;
  const done = await ask({ title: t("models.retrain"), text: h("div", { class: "stack" }, h("p", {}, t("models.retrain_text")), why), yes: t("models.retrain"), run: async (form) => { const given = String(form.get("why") ?? "").trim(); run = await post(PATH, given ? { why: given } : {}); } });
  if (!done) return;
  say(t("models.retraining"));
  runs.now();
  show(run.id);
}
