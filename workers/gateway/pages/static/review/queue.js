/** The items that wait for this person: claimed ahead, with their photos, so that the next one is there at once. */
import { ask, get, post } from "../api.js";

const AHEAD = 8;
const REFILL_AT = 5;
const MOST_NAMED = 200;
const DRY_MS = 5000;
const PATH = "/api/v1/review";

/** @typedef {{item: any, terms: import("../answer.js").Term[], explained: Promise<void>, photo: Promise<HTMLImageElement | null>, image: HTMLImageElement | null, url: string}} Card */

export class Queue {
  constructor() {
    /** @type {Card[]} */
    this.cards = [];
    /** @type {Promise<void> | null} */
    this.filling = null;
    this.dryUntil = 0;
  }

  /** Whether more should be asked for. */
  get isLow() {
    return this.cards.length < REFILL_AT && (!this.cards.length || performance.now() > this.dryUntil);
  }

  /**
   * Claim more items; several who ask at once share the answer.
   * @param {string[]} skipped Ids that this person does not want now.
   * @param {() => Set<string>} unwanted Ids that are in hand by the time of the answer.
   * @returns {Promise<void>}
   */
  fill(skipped, unwanted) {
    this.filling ??= post(`${PATH}/next`, { count: AHEAD, skip: skipped.slice(-MOST_NAMED) })
      .then((told) => {
        const there = new Set(this.cards.map((card) => card.item.event_id));
        const inHand = unwanted();
        const fresh = told.items.filter((/** @type {any} */ one) => one.prediction && !there.has(one.event_id) && !inHand.has(one.event_id));
        if (!fresh.length) this.dryUntil = performance.now() + DRY_MS;
        this.cards.push(...fresh.map(cardOf));
      })
      .finally(() => { this.filling = null; });
    return this.filling;
  }

  /** The next one, if it is there. @returns {Card | null} */
  take() {
    return this.cards.shift() ?? null;
  }

  /** @param {Card} card Comes next. */
  putBack(card) {
    this.cards.unshift(card);
  }

  /**
   * Let others have what is claimed.
   * @param {Card | null} current
   */
  release(current) {
    const held = current ? [current, ...this.cards] : this.cards;
    if (!held.length) return;
    held.forEach(forget);
    this.cards = [];
    letGo(held.map((card) => card.item.event_id));
  }
}

/** Let others have items. The page may be gone when the answer comes. @param {string[]} event_ids */
export function letGo(event_ids) {
  for (let at = 0; at < event_ids.length; at += MOST_NAMED) post(`${PATH}/release`, { event_ids: event_ids.slice(at, at + MOST_NAMED) }, { keepalive: true }).catch(() => null);
}

/** @param {any} item @returns {Card} */
export function cardOf(item) {
  /** @type {Card} */
  const card = { item, terms: [], explained: Promise.resolve(), photo: Promise.resolve(null), image: null, url: "" };
  const link = item.product?.photo?.link;
  if (link) card.photo = load(card, link).catch(() => null);
  card.explained = explain(card).catch(() => undefined);
  return card;
}

/** @param {Card} card */
async function explain(card) {
  const { explanation } = await get(`/api/v1/items/${card.item.event_id}/explanation`);
  card.terms = explanation?.terms ?? [];
}

/** @param {Card} card @param {string} link */
async function load(card, link) {
  card.url = URL.createObjectURL(await (await ask(link)).blob());
  const image = new Image();
  image.src = card.url;
  await image.decode();
  card.image = image;
  return image;
}

/** @param {Card} card */
export function forget(card) {
  if (card.url) URL.revokeObjectURL(card.url);
}
