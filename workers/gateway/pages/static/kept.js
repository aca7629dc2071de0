/** What a page keeps in the browser; where the browser takes nothing, being full or set so, as long as the page lives. */

/** @type {Map<string, any>} */
const here = new Map();

/** What is kept under names that begin so. @param {string} prefix @returns {any[]} */
export function keptUnder(prefix) {
  const names = new Set([...stored(() => Object.keys(localStorage), []), ...here.keys()]);
  return [...names].filter((name) => name.startsWith(prefix)).map(keptAs).filter((one) => one);
}

/** @param {string} name @returns {any} null where nothing is kept. */
export function keptAs(name) {
  return here.get(name) ?? stored(() => JSON.parse(localStorage.getItem(name) ?? "null"), null);
}

/** @param {string} name @param {any} value */
export function keep(name, value) {
  here.set(name, value);
  stored(() => { localStorage.setItem(name, JSON.stringify(value)); here.delete(name); }, undefined);
}

/** @param {string} name */
export function drop(name) {
  here.delete(name);
  stored(() => localStorage.removeItem(name), undefined);
}

/** Whether something under these names would be lost with the page. @param {string} prefix */
export function isOnlyHere(prefix) {
  return [...here.keys()].some((name) => name.startsWith(prefix));
}

/** @template T @param {() => T} run @param {T} otherwise @returns {T} */
function stored(run, otherwise) {
  try {
    return run();
  } catch {
    return otherwise;
  }
}
