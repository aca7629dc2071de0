/** One's password, sessions and API keys. */
import { call, get, post } from "../api.js";
import { badge, by, h, put } from "../dom.js";
import { onSubmit } from "../forms.js";
import { ask, open, say } from "../notices.js";
import { showing } from "../showing.js";
import { ago, t, time } from "../texts.js";

const form = by("form");
onSubmit(form, by("problem"), async ({ current, new: fresh }) => {
  await post("/api/v1/me/password", { current, new: fresh });
  form.reset();
  say(t("account.changed"));
  sessions.now();
});

/** @param {Node[]} main @param {Node | null} action */
const line = (main, action) => h("li", { class: "row between" }, h("div", { class: "break" }, main), action);

const sessions = showing(by("sessions"), async (signal) => {
  const { items } = await get("/api/v1/me/sessions", {}, { signal });
  by("end").hidden = items.length < 2;
  put(by("sessions"), h("ul", { class: "stack" }, items.map((/** @type {any} */ one) => line([h("div", {}, agent(one.agent)), h("div", { class: "muted small" }, t("account.used", { at: ago(one.used_at) }))], one.current ? badge(t("account.this"), "good") : null))));
});

/** What a browser calls itself, in short. @param {string} text */
function agent(text) {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\/(\d+)/.exec(text.replace(/Chrome\/\S+ Safari\/\S+ (?=Edg|OPR)/, ""));
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(text);
  return browser ? [browser[1].replace("Edg", "Edge"), system?.[1]].filter(Boolean).join(" · ") : text || "–";
}

by("end").addEventListener("click", async () => {
  const done = await ask({ title: t("account.end"), text: t("account.end_text"), yes: t("account.end"), danger: true, run: () => call("DELETE", "/api/v1/me/sessions") });
  if (done) sessions.now();
});

const keys = showing(by("keys"), async (signal) => {
  const { items } = await get("/api/v1/me/keys", {}, { signal });
  const facts = (/** @type {any} */ one) => [one.used_at ? t("account.used", { at: ago(one.used_at) }) : t("account.unused"), one.expires_at ? t("account.until", { at: time(one.expires_at) }) : ""].filter(Boolean).join(" · ");
  const revoke = async (/** @type {any} */ one) => {
    const done = await ask({ title: t("account.revoke_title", { name: one.name }), text: t("account.revoke_text"), yes: t("account.revoke"), danger: true, run: () => call("DELETE", `/api/v1/me/keys/${one.id}`) });
    if (done) keys.now();
  };
  put(by("keys"), items.length ? h("ul", { class: "stack" }, items.map((/** @type {any} */ one) => line([h("div", {}, one.name), h("div", { class: "muted small" }, facts(one))], h("button", { class: "button small danger", type: "button", "aria-label": `${t("account.revoke")}: ${one.name}`, on: { click: () => revoke(one) } }, t("account.revoke"))))) : h("p", { class: "muted" }, t("account.no_keys")));
});

by("make").addEventListener("click", async () => {
  /** @type {any} */
  let made = null;
  const fields = h(
    "div",
    { class: "form" },
    h("div", { class: "field" }, h("label", { for: "key-name" }, t("account.key_name")), h("input", { id: "key-name", name: "name", required: true, maxlength: 100, placeholder: t("account.key_example") })),
    h("div", { class: "field" }, h("label", { for: "key-days" }, t("account.key_days")), h("input", { id: "key-days", name: "days", type: "number", min: 1, max: 3650, "aria-describedby": "days-rule" }), h("small", { id: "days-rule" }, t("account.key_days_rule"))),
  );
  const done = await ask({ title: t("account.make"), text: fields, yes: t("account.make"), run: async (data) => { made = await post("/api/v1/me/keys", { name: String(data.get("name")).trim(), days: Number(data.get("days")) || null }); } });
  if (!done) return;
  const close = h("button", { class: "button main", type: "button" }, t("common.close"));
  const dialog = open(t("account.key_made"), [h("div", { class: "stack" }, h("p", {}, t("account.key_once")), h("code", { class: "secret" }, made.key)), h("div", { class: "foot-row" }, close)]);
  close.addEventListener("click", () => dialog.close());
  keys.now();
});
