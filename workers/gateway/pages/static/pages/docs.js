/** The API, by Swagger UI. Who is signed in tries it as themselves. */
import { bearer } from "../api.js";

const { SwaggerUIBundle } = /** @type {any} */ (window);

SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#swagger",
  deepLinking: false, // else a link stands inside each button
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  syntaxHighlight: false, // its colours are too pale on their ground
  requestInterceptor: signed,
  onComplete: () => document.querySelectorAll("#swagger main").forEach((one) => one.setAttribute("role", "presentation")),
});

/** @param {any} request */
async function signed(request) {
  const own = Object.keys(request.headers).some((name) => name.toLowerCase() === "authorization");
  const ours = new URL(request.url, location.origin).origin === location.origin;
  if (!own && ours && document.body.dataset.who && !request.loadSpec) {
    const token = await bearer().catch(() => "");
    if (token) request.headers.Authorization = `Bearer ${token}`;
  }
  return request;
}
