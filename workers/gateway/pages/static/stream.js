/** Server-sent events by fetch, which can send a token where EventSource cannot. */
import { Problem, ask } from "./api.js";

const LONGEST_PAUSE_MS = 15_000;

/**
 * Follow a stream until it is stopped; again when it ends.
 * @param {string} path
 * @param {{event: (name: string, data: any) => void, state: (state: "open" | "away", problem?: Problem) => void}} on
 * @returns {() => void} Stops.
 */
export function follow(path, on) {
  const stop = new AbortController();
  (async () => {
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        const answer = await ask(path, { signal: stop.signal, headers: { Accept: "text/event-stream" } });
        on.state("open");
        failures = 0;
        for await (const [name, data] of events(/** @type {ReadableStream<Uint8Array>} */ (answer.body))) {
          if (name === "end") break;
          on.event(name, data);
        }
      } catch (error) {
        if (stop.signal.aborted) return;
        failures += 1;
        on.state("away", error instanceof Problem ? error : undefined);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(1000 * 2 ** failures, LONGEST_PAUSE_MS)));
    }
  })();
  return () => stop.abort();
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<[string, any]>}
 */
async function* events(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  try {
    for (let rest = ""; ; ) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += value;
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const lines = block.split(/\r?\n/);
        const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart()).join("\n");
        const name = lines.find((line) => line.startsWith("event:"))?.slice(6).trim() ?? "message";
        if (data) yield [name, JSON.parse(data)];
      }
    }
  } finally {
    await reader.cancel().catch(() => null);
  }
}
