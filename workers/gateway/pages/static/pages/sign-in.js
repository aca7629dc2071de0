/** Name and password. */
import { knock } from "../api.js";
import { by } from "../dom.js";
import { onSubmit } from "../forms.js";

const form = by("form");

onSubmit(form, by("problem"), async ({ name, password }) => {
  await knock("/api/v1/auth/sign-in", { name: name.trim(), password });
  location.assign(form.dataset.then);
});
