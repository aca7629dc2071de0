/** Calls of the API. The access token lives here, in memory only. */
import { t } from "./texts.js";

/** Why a call was not done, as the API tells it (RFC 9457). */
export class Problem extends Error {
  /** @param {number} status 0 where nobody answered. @param {any} told */
  constructor(status, told) {
    super(told.detail ?? told.title ?? "");
    this.status = status;
    this.code = String(told.type ?? "").split(":").at(-1) ?? "";
    this.hint = told.hint ?? "";
    this.requestId = told.request_id ?? "";
    this.retryable = told.retryable ?? (status === 0 || status >= 500);
    this.errors = told.errors ?? [];
    this.foreign = Boolean(told.foreign); // not the gateway's own words: of something before it, or of an old one
  }

  /** What to tell a person. */
  get words() {
    const key = `problem.${this.code.replaceAll("-", "_")}`;
    const known = t(key);
    return known !== key ? known : this.message || t("problem.failed");
  }
}

const LONGEST_MS = 60_000;
const LONGEST_RENEWAL_MS = 20_000;
const PAUSE_MS = 1_000;

let token = "";
/** @type {Promise<void> | null} */
let renewing = null;

// A browser opens six connections to a server, no more: were all of them held by reads that a hanging store keeps
// waiting, the next page could not even be asked for.
let leaving = new AbortController();
window.addEventListener("beforeunload", () => {
  leaving.abort();
  leaving = new AbortController();
});

/**
 * Take a new access token for the session's cookie; several who ask at once share the answer. The cookie may be another
 * account's by now, by another tab: nothing that was done here is done in that one's name.
 * @returns {Promise<void>}
 */
function renew() {
  renewing ??= (async () => {
    const answer = await reach("/api/v1/auth/refresh", { method: "POST", signal: AbortSignal.timeout(LONGEST_RENEWAL_MS) });
    if (!answer.ok) {
      const problem = await problemOf(answer);
      if (answer.status === 401) {
        token = "";
        document.dispatchEvent(new CustomEvent("signed-out"));
      }
      throw problem;
    }
    const told = await bodyOf(answer);
    const mine = document.body.dataset.who;
    if (mine && told.name !== mine) {
      token = "";
      document.dispatchEvent(new CustomEvent("signed-out", { detail: told.name }));
      throw new Problem(401, { type: "another-account" });
    }
    token = told.access_token;
    document.dispatchEvent(new CustomEvent("signed-in"));
  })().finally(() => { renewing = null; });
  return renewing;
}

/**
 * What is answered. A read is dropped when the page is left, and asked again if it stays after all.
 * @param {string} path @param {RequestInit} options @returns {Promise<Response>}
 */
async function reach(path, options) {
  const left = leaving.signal;
  const own = options.signal ?? null;
  const reads = (options.method ?? "GET") === "GET";
  const signal = reads ? AbortSignal.any(own ? [own, left] : [left]) : own;
  try {
    return await fetch(path, { credentials: "same-origin", ...options, signal });
  } catch (error) {
    if (reads && left.aborted && !own?.aborted) {
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
      return reach(path, options);
    }
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, { type: "unreachable", detail: t("problem.unreachable") });
  }
}

/**
 * What an answer says in JSON; null where it has no body.
 * @param {Response} answer @param {AbortSignal} [signal] The caller's. @returns {Promise<any>}
 */
async function bodyOf(answer, signal) {
  try {
    const text = await answer.text();
    return text ? JSON.parse(text) : null;
  } catch (error) {
    if (signal?.aborted && error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, { type: "unreachable", detail: t("problem.unreachable") }); // it broke off on the way
  }
}

/** @param {Response} answer */
async function problemOf(answer) {
  const foreign = !answer.headers.get("content-type")?.startsWith("application/problem+json");
  const told = foreign ? {} : await answer.json().catch(() => ({}));
  return new Problem(answer.status, { request_id: answer.headers.get("x-request-id"), ...told, foreign });
}

/**
 * A call with the token; once more with a new one where the old one is over.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} One that is fine.
 * @throws {Problem}
 */
export async function ask(path, options = {}) {
  for (let again = false; ; again = true) {
    if (!token) await renew();
    const headers = new Headers(options.headers);
    headers.set("Authorization", `Bearer ${token}`);
    const answer = await reach(path, { ...options, headers });
    if (answer.ok) return answer;
    if (answer.status !== 401 || again) throw await problemOf(answer);
    token = "";
  }
}

/**
 * A call with JSON both ways.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {RequestInit} [options]
 * @returns {Promise<any>} null where the answer has no body.
 */
export async function call(method, path, body, options = {}) {
  const headers = new Headers(options.headers);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  const longest = AbortSignal.timeout(LONGEST_MS); // a connection that is half open answers never
  const signal = options.signal ? AbortSignal.any([options.signal, longest]) : longest;
  const answer = await ask(path, { ...options, signal, method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  return bodyOf(answer, signal);
}

/** @param {string} path @param {Record<string, unknown>} [query] @param {RequestInit} [options] @returns {Promise<any>} */
export function get(path, query = {}, options = {}) {
  return call("GET", path + asQuery(query), undefined, options);
}

/** @param {string} path @param {unknown} [body] @param {RequestInit} [options] @returns {Promise<any>} */
export function post(path, body, options = {}) {
  return call("POST", path, body, options);
}

/** @param {Record<string, unknown>} query What is empty is left out. */
export function asQuery(query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false);
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return text && `?${text}`;
}

/**
 * A call without a token: to sign in, say.
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function knock(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await reach(path, { method: "POST", headers, signal: AbortSignal.timeout(LONGEST_MS), body: body === undefined ? undefined : JSON.stringify(body) });
  if (!answer.ok) throw await problemOf(answer);
  return bodyOf(answer);
}

/** A text that names an action, for its header Idempotency-Key; also where the page came without https. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The access token, for the page on which the API is tried. @returns {Promise<string>} */
export async function bearer() {
  if (!token) await renew();
  return token;
}
