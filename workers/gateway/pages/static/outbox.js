/** Verdicts on their way: kept in the browser until the gateway has them; those that it refuses, until that was read. */
import { Problem, newKey, post } from "./api.js";
import { drop, isOnlyHere, keep, keptUnder } from "./kept.js";

/** @typedef {{event_id: string, verdict: string, code?: string, note?: string, seen?: string | null}} Verdict */
/** @typedef {{key: string, at: number, verdicts: Verdict[], titles: Record<string, string>, free?: string[], faults?: number}} Letter `free`: items to let go of then. */
/** @typedef {{code: string, detail: string, hint?: string | null, stands?: any}} Why `stands`: what another decided. */
/** @typedef {{verdict: Verdict, title: string, why: Why}} Refusal */
/** @typedef {{key: string, at: number, rows: Refusal[], free?: string[]}} Refused What of one letter was not taken. */

const PREFIX = "aisle.outbox.";
const REFUSED = "aisle.refused.";
const LONGEST_PAUSE_MS = 15_000;
const MOST_FAULTS = 5;
const LONGEST_MS = 20_000;

/** What of a person's waits, oldest first. @param {string} who @returns {Letter[]} */
export function waitingOf(who) {
  return kept(`${PREFIX}${who}/`);
}

/** @param {string} prefix @returns {any[]} */
function kept(prefix) {
  return keptUnder(prefix).sort((a, b) => a.at - b.at);
}

/** Sends verdicts in the order in which they were given; again, with the same key, until each has an answer. */
export class Outbox extends EventTarget {
  /** @param {string} who Whose verdicts. */
  constructor(who) {
    super();
    this.who = who;
    this.failures = 0;
    this.sending = false;
    this.last = 0;
    this.timer = 0;
    window.addEventListener("online", () => this.send());
    document.addEventListener("signed-in", () => this.send());
    window.addEventListener("beforeunload", (event) => { if (this.isUnsafe) event.preventDefault(); });
    window.addEventListener("storage", (event) => { if (event.key?.startsWith(PREFIX) || event.key?.startsWith(REFUSED)) this.changed(); });
  }

  get waiting() {
    return waitingOf(this.who).reduce((sum, letter) => sum + letter.verdicts.length, 0);
  }

  /** What was refused and not read yet, oldest first. @returns {Refused[]} */
  get refused() {
    return kept(`${REFUSED}${this.who}/`);
  }

  /** Whether the last try came to nothing. */
  get stuck() {
    return this.failures > 0;
  }

  /** Whether verdicts wait that the browser could not keep, so that they end with the page. */
  get isUnsafe() {
    return isOnlyHere(`${PREFIX}${this.who}/`);
  }

  /**
   * Take verdicts that one action gave.
   * @param {Verdict[]} verdicts @param {Record<string, string>} titles Of the products, by event, to tell of them.
   * @param {string[]} [free] Items that nobody looks at here once the verdicts are answered.
   */
  add(verdicts, titles, free = []) {
    this.last = Math.max(Date.now(), this.last + 1);
    this.#keep({ key: newKey(), at: this.last, verdicts, titles, free });
    this.changed();
    queueMicrotask(() => this.send());
  }

  /**
   * Give those verdicts all the same that others' stood in the way of, as these are seen now.
   * @param {Refused} refused
   */
  anyway(refused) {
    this.#resend(refused, (row) => (row.why.stands ? { ...row.verdict, seen: row.why.stands.feedback_id } : null));
  }

  /**
   * Give those verdicts again that no other's stood in the way of: what refused them may have passed.
   * @param {Refused} refused
   */
  again(refused) {
    this.#resend(refused, (row) => (row.why.stands ? null : row.verdict));
  }

  /** @param {Refused} refused @param {(row: Refusal) => Verdict | null} verdictOf null: the row stays. */
  #resend(refused, verdictOf) {
    const verdicts = refused.rows.flatMap((row) => verdictOf(row) ?? []);
    this.add(verdicts, Object.fromEntries(refused.rows.map((row) => [row.verdict.event_id, row.title])), refused.free);
    const rows = refused.rows.filter((row) => !verdictOf(row));
    if (rows.length) keep(`${REFUSED}${this.who}/${refused.key}`, { ...refused, rows });
    else drop(`${REFUSED}${this.who}/${refused.key}`);
    this.changed();
  }

  /** Forget what was refused: somebody has read it. @param {Refused} refused */
  read(refused) {
    drop(`${REFUSED}${this.who}/${refused.key}`);
    this.changed();
  }

  /** Send all that wait, one after the other; of several tabs only one does. */
  async send() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    let through = false;
    try {
      const all = () => this.#sendAll();
      through = navigator.locks ? await navigator.locks.request(`${PREFIX}${this.who}`, all) : await all();
    } catch (error) {
      this.#later();
      throw error;
    } finally {
      this.sending = false;
    }
    this.changed();
    if (through && this.waiting) this.send(); // given while the last answer was on its way through
  }

  /** @returns {Promise<boolean>} Whether all were answered; else it is tried again later. */
  async #sendAll() {
    for (let letter = waitingOf(this.who)[0]; letter; letter = waitingOf(this.who)[0]) {
      try {
        const options = { headers: { "Idempotency-Key": letter.key }, keepalive: true, signal: AbortSignal.timeout(LONGEST_MS) };
        const said = await post("/api/v1/verdicts", { verdicts: letter.verdicts }, options);
        this.failures = 0;
        this.#answered(letter, new Map(said.items.map((/** @type {any} */ one) => [one.event_id, one.problem])));
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (this.#mayComeRight(letter, error)) { this.#later(); return false; }
        const why = { code: error.code, detail: error.message, hint: error.hint };
        this.#answered(letter, new Map(letter.verdicts.map((one) => [one.event_id, why])));
      }
      this.changed();
    }
    return true;
  }

  /**
   * Whether to try again. A fault of the gateway's own may pass, and so may the refusal of something before it, but
   * neither must hold up the others for ever.
   * @param {Letter} letter @param {Problem} error
   */
  #mayComeRight(letter, error) {
    if (error.retryable || error.status === 401) return true;
    if (error.status < 500 && !error.foreign) return false;
    const faults = (letter.faults ?? 0) + 1;
    this.#keep({ ...letter, faults });
    return faults < MOST_FAULTS;
  }

  /** @param {Letter} letter @param {Map<string, Why | null>} problems Of its verdicts, by event. */
  #answered(letter, problems) {
    const rows = letter.verdicts.flatMap((verdict) => {
      const why = problems.get(verdict.event_id);
      return why ? [{ verdict, title: letter.titles?.[verdict.event_id] ?? "", why }] : [];
    });
    // Kept before the letter goes, so that no moment loses it.
    if (rows.length) keep(`${REFUSED}${this.who}/${letter.key}`, { key: letter.key, at: letter.at, rows, free: letter.free });
    drop(`${PREFIX}${this.who}/${letter.key}`);
    this.dispatchEvent(new CustomEvent("answered", { detail: { refused: rows.map((row) => row.verdict.event_id), free: letter.free ?? [] } }));
  }

  #later() {
    this.failures += 1;
    this.timer = window.setTimeout(() => this.send(), Math.min(500 * 2 ** this.failures, LONGEST_PAUSE_MS));
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Letter} letter */
  #keep(letter) {
    keep(`${PREFIX}${this.who}/${letter.key}`, letter);
  }
}
