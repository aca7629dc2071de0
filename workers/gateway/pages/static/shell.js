/** What every page has: the menu of narrow screens, the theme, the keys, the way out. */
import { knock } from "./api.js";
import { waitingOf } from "./outbox.js";
import { put } from "./dom.js";
import { showKeys } from "./keyboard.js";
import { ask, sayProblem } from "./notices.js";
import { t } from "./texts.js";

const root = document.documentElement;
const THEMES = ["", "light", "dark"];

const themeButton = document.getElementById("theme");

function nameTheme() {
  const name = themeButton?.dataset[root.dataset.theme || "system"] ?? "";
  themeButton?.setAttribute("title", name);
  const text = themeButton?.querySelector(".unseen");
  if (text) text.textContent = name;
}

themeButton?.addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "") + 1) % THEMES.length];
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  document.cookie = `aisle_theme=${next}; path=/; max-age=${next ? 31536000 : 0}; samesite=lax`;
  nameTheme();
});
nameTheme();

const side = document.getElementById("side");
const opener = document.getElementById("open-menu");
const main = document.getElementById("main");

/** @param {boolean} open */
function showMenu(open) {
  side?.classList.toggle("open", open);
  opener?.setAttribute("aria-expanded", String(open));
  main?.toggleAttribute("inert", open);
  if (open) document.getElementById("close-menu")?.focus();
  else opener?.focus();
}
opener?.addEventListener("click", () => showMenu(true));
document.getElementById("close-menu")?.addEventListener("click", () => showMenu(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && side?.classList.contains("open")) showMenu(false);
});

document.getElementById("show-keys")?.addEventListener("click", showKeys);

document.getElementById("sign-out")?.addEventListener("click", async () => {
  const leave = async () => {
    await knock("/api/v1/auth/sign-out");
    location.assign("/sign-in");
  };
  const waiting = waitingOf(document.body.dataset.who ?? "").length;
  if (!waiting) await leave().catch(sayProblem);
  else await ask({ title: t("common.sign_out"), text: t("common.sign_out_waiting", { n: waiting }), yes: t("common.sign_out"), run: leave });
});

document.addEventListener("signed-out", (event) => {
  const notice = document.getElementById("signed-out");
  const link = notice?.querySelector("a");
  if (!notice || !link) return;
  const as = /** @type {CustomEvent<string | null>} */ (event).detail; // who is signed in by now, in another tab
  const here = location.pathname + location.search;
  put(link.previousElementSibling ?? notice, as ? t("common.another_account", { who: as }) : t("common.signed_out"));
  put(link, as ? t("common.reload") : t("sign_in.title"));
  link.setAttribute("href", as ? here : `/sign-in?next=${encodeURIComponent(here)}`);
  notice.hidden = false;
});
document.addEventListener("signed-in", () => document.getElementById("signed-out")?.setAttribute("hidden", ""));
