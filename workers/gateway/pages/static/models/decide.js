/** Decisions on which model is in service; each is asked for with what will happen. */
import { call, post } from "../api.js";
import { h } from "../dom.js";
import { ask, say } from "../notices.js";
import { t } from "../texts.js";

const PATH = "/api/v1/models";

/**
 * @param {{title: string, text: string, yes: string, danger?: boolean}} words
 * @param {(why: string | null) => Promise<any>} run
 * @param {string} said
 * @returns {Promise<boolean>}
 */
async function decide(words, run, said) {
  const why = h("div", { class: "field" }, h("label", { for: "why" }, t("models.why")), h("input", { id: "why", name: "why", maxlength: 500, autocomplete: "off" }));
  /** @type {any} */
  let told = null;
  const done = await ask({ ...words, text: h("div", { class: "stack" }, h("p", {}, words.text), why), run: async (form) => { told = await run(String(form.get("why") ?? "").trim() || null); } });
  if (done) say(told?.untold ? `${said} ${told.untold}` : said);
  return done;
}

/** @param {string} version @param {string | undefined} champion */
export function promote(version, champion) {
  const text = champion ? t("models.promote_text", { version, champion }) : t("models.promote_first", { version });
  const run = (/** @type {string | null} */ why) => post(`${PATH}/${encodeURIComponent(version)}/promote`, { why, previous: champion ?? null });
  return decide({ title: t("models.promote_title"), text, yes: t("models.promote") }, run, t("models.promoted", { version }));
}

/** @param {string} champion @param {string} previous */
export function rollback(champion, previous) {
  const text = t("models.rollback_text", { champion, previous });
  return decide({ title: t("models.rollback_title"), text, yes: t("models.rollback"), danger: true }, (why) => post(`${PATH}/rollback`, { why }), t("models.promoted", { version: previous }));
}

/** @param {string} version */
export function shadow(version) {
  const text = t("models.shadow_text", { version });
  return decide({ title: t("models.shadow_title"), text, yes: t("models.shadow") }, (why) => post(`${PATH}/shadow`, { version, why }), t("models.shadowed", { version }));
}

/** @param {string} version */
export function noShadow(version) {
  return ask({ title: t("models.no_shadow"), text: t("models.no_shadow_text", { version }), yes: t("models.no_shadow"), run: () => call("DELETE", `${PATH}/shadow`) });
}
