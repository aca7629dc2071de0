/** A one-time link: the password is chosen, and one is in. */
import { knock } from "../api.js";
import { by } from "../dom.js";
import { onSubmit } from "../forms.js";

const form = document.getElementById("form");

if (form instanceof HTMLFormElement) {
  onSubmit(form, by("problem"), async ({ name, password }) => {
    const body = { token: form.dataset.token, password };
    await knock("/api/v1/auth/accept", name.trim() ? { ...body, name: name.trim() } : body);
    location.assign("/");
  });
}
