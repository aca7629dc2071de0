/** Filters of a list: what they say stands in the page's address, so that it can be kept and sent. */

/**
 * @param {HTMLFormElement} form Its fields are named as the API's query.
 * @param {() => void} changed
 * @returns {() => Record<string, string>} What is chosen now.
 */
export function filters(form, changed) {
  const given = new URLSearchParams(location.search);
  for (const field of /** @type {any[]} */ (Array.from(form.elements))) if (field.name && given.has(field.name)) field.value = given.get(field.name);
  const chosen = () => {
    /** @type {Record<string, string>} */
    const out = {};
    for (const [name, value] of new FormData(form).entries()) if (String(value).trim()) out[name] = asTime(form, name, String(value).trim());
    return out;
  };
  let timer = 0;
  const apply = () => {
    clearTimeout(timer);
    const query = new URLSearchParams(/** @type {any} */ ([...new FormData(form).entries()].filter(([, value]) => String(value).trim()))).toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    changed();
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); apply(); });
  form.addEventListener("change", apply);
  form.addEventListener("input", () => { clearTimeout(timer); timer = window.setTimeout(apply, 350); });
  return chosen;
}

/** A day of the person's clock as an instant. @param {HTMLFormElement} form @param {string} name @param {string} value */
function asTime(form, name, value) {
  const field = form.elements.namedItem(name);
  if (!(field instanceof HTMLInputElement) || field.type !== "date") return value;
  const day = new Date(`${value}T00:00:00`);
  if (field.dataset.end !== undefined) day.setDate(day.getDate() + 1);
  return day.toISOString();
}
