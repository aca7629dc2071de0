/** A new account. */
import { knock } from "../api.js";
import { by } from "../dom.js";
import { onSubmit } from "../forms.js";

onSubmit(by("form"), by("problem"), async ({ name, password }) => {
  await knock("/api/v1/auth/sign-up", { name: name.trim(), password });
  location.assign("/");
});
