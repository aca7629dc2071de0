/** On a page that says that something is away: look every few seconds, and show the page when it is back. */

async function look() {
  const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
  if (answer && answer.status < 500) location.reload();
  else setTimeout(look, 3000);
}

setTimeout(look, 3000);
