/** Sellers' descriptions as people read them: markup that only lays out becomes lines, entities what they stand for. */

const LAYOUT = /<\/?(p|br|ul|ol|li|div|h[1-6]|b|strong|i|em|u|span)(?:\s[^<>]*)?\/?>/gi;
const ENTITY = /&(?:#(\d{1,6})|#x([0-9a-f]{1,5})|(nbsp|amp|lt|gt|quot|apos));/gi;
const WITHIN_A_LINE = new Set(["b", "strong", "i", "em", "u", "span"]);
/** @type {Record<string, string>} */
const NAMED = { nbsp: "\u00a0", amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * What to show for each code point of a text. It is shown as text: what is left of markup stays as it stands.
 * @param {string} text
 * @returns {string[]} As many as the text has code points; empty where nothing is shown.
 */
export function readable(text) {
  const shown = Array.from(text);
  put(shown, text, LAYOUT, (found) => (WITHIN_A_LINE.has(found[1].toLowerCase()) ? "" : "\n"));
  put(shown, text, ENTITY, meaning);
  let last = "\n"; // no empty lines, nor one at the beginning
  shown.forEach((one, at) => {
    if (one === "\n" && last === "\n") shown[at] = "";
    else if (one) last = one;
  });
  return shown;
}

/** @param {string[]} shown @param {string} text @param {RegExp} pattern @param {(found: RegExpExecArray) => string} instead */
function put(shown, text, pattern, instead) {
  let seen = 0;
  let at = 0; // in code points what `seen` is in code units: carried along, as descriptions have thousands of tags
  for (const found of text.matchAll(pattern)) {
    at += Array.from(text.slice(seen, found.index)).length;
    const end = at + Array.from(found[0]).length;
    shown.fill("", at, end);
    shown[at] = instead(found);
    at = end;
    seen = found.index + found[0].length;
  }
}

/** @param {RegExpExecArray} found */
function meaning([, decimal, hexadecimal, name]) {
  if (name) return NAMED[name.toLowerCase()];
  return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hexadecimal, 16));
}
