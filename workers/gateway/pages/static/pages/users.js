/** The accounts. */
import { call, get, post } from "../api.js";
import { badge, by, empty, h, table } from "../dom.js";
import { ask, open, say, sayProblem } from "../notices.js";
import { listing } from "../showing.js";
import { ago, t, time, word } from "../texts.js";

const PATH = "/api/v1/users";
const ROLES = ["customer", "reviewer", "admin"];
const me = document.body.dataset.who;

/** @param {any[]} users */
function draw(users) {
  const columns = [{ label: t("sign_in.name") }, { label: t("users.role") }, { label: t("items.state") }, { label: t("users.last") }, { label: "" }];
  return table(t("users.title"), columns, users.map(row));
}

/** @param {any} user */
function row(user) {
  const role = h("select", { "aria-label": t("users.role_of", { name: user.name }) }, ROLES.map((one) => h("option", { value: one, selected: one === user.role }, word("common.role", one))));
  role.addEventListener("change", () => change(user, { role: /** @type {HTMLSelectElement} */ (role).value }));
  const button = (/** @type {string} */ text, /** @type {() => void} */ run, kind = "") => h("button", { class: `button small ${kind}`, type: "button", "aria-label": `${text}: ${user.name}`, on: { click: run } }, text);
  return h(
    "tr",
    {},
    h("td", {}, h("strong", { class: "break" }, user.name), user.name === me ? h("span", { class: "muted" }, ` ${t("users.you")}`) : null),
    h("td", {}, role),
    h("td", {}, state(user)),
    h("td", { "data-label": t("users.last") }, user.signed_in_at ? h("time", { datetime: user.signed_in_at, title: time(user.signed_in_at) }, ago(user.signed_in_at)) : "–"),
    h("td", { class: "actions-cell" }, h("span", { class: "row" }, button(t("users.link"), () => link(user)), button(t(user.disabled ? "users.enable" : "users.disable"), () => change(user, { disabled: !user.disabled })), button(t("users.remove"), () => remove(user), "danger"))),
  );
}

/** @param {any} user */
function state(user) {
  if (user.disabled) return badge(t("users.disabled"), "bad");
  if (user.locked_until && new Date(user.locked_until) > new Date()) return badge(t("users.locked"), "warn");
  return user.invited ? badge(t("users.invited"), "warn") : badge(t("users.active"), "good");
}

/** @param {any} user @param {any} what */
async function change(user, what) {
  try {
    await call("PATCH", `${PATH}/${encodeURIComponent(user.name)}`, what);
    say(t("users.changed", { name: user.name }));
  } catch (error) {
    sayProblem(error);
  }
  list.now();
}

/** @param {any} user */
async function remove(user) {
  const done = await ask({ title: t("users.remove_title", { name: user.name }), text: t("users.remove_text"), yes: t("users.remove"), danger: true, run: () => call("DELETE", `${PATH}/${encodeURIComponent(user.name)}`) });
  if (done) list.now();
}

/** @param {any} user */
async function link(user) {
  /** @type {any} */
  let made = null;
  const done = await ask({ title: t("users.link_title", { name: user.name }), text: t("users.link_text"), yes: t("users.link"), run: async () => { made = await post(`${PATH}/${encodeURIComponent(user.name)}/invitation`); } });
  if (done) showLink(made);
}

/** @param {any} invitation */
function showLink(invitation) {
  const link = new URL(invitation.link, location.origin).href;
  const copy = h("button", { class: "button main", type: "button", on: { click: () => navigator.clipboard?.writeText(link).then(() => say(t("common.copied"))) } }, t("common.copy"));
  const close = h("button", { class: "button", type: "button" }, t("common.close"));
  const dialog = open(t("users.made", { name: invitation.name }), [h("div", { class: "stack" }, h("p", {}, t("users.made_text", { until: time(invitation.expires_at) })), h("code", { class: "secret" }, link)), h("div", { class: "foot-row" }, close, navigator.clipboard ? copy : "")]);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => list.now());
}

by("invite").addEventListener("click", async () => {
  /** @type {any} */
  let made = null;
  const form = h(
    "div",
    { class: "form" },
    h("div", { class: "field" }, h("label", { for: "new-name" }, t("sign_in.name")), h("input", { id: "new-name", name: "name", required: true, maxlength: 64, autocomplete: "off", autocapitalize: "none", spellcheck: "false" })),
    h("div", { class: "field" }, h("label", { for: "new-role" }, t("users.role")), h("select", { id: "new-role", name: "role" }, ROLES.map((one) => h("option", { value: one, selected: one === "reviewer" }, `${word("common.role", one)} – ${word("users.may", one)}`)))),
  );
  const done = await ask({ title: t("users.invite"), text: form, yes: t("users.invite_do"), run: async (data) => { made = await post(PATH, { name: String(data.get("name")).trim(), role: data.get("role") }); } });
  if (done) showLink(made.invitation);
});

const list = listing(by("list"), (cursor, signal) => get(PATH, { cursor }, { signal }), draw, () => empty(t("users.title"), t("users.lead")));
