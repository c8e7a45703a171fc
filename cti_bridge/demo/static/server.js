// Talks with the demo's server: JSON requests whose failures are shown on the page, and its stream of events.
import { byId } from "./dom.js";
import { words } from "./words.js";

export async function ask(path, { method = "GET", body } = {}) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Error(words.serverGone);
  }
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(data.error ?? `${answer.status} ${answer.statusText}`);
  return data;
}

/** Runs what the user asked for and says what went wrong. */
export async function attempt(work) {
  byId("trouble").textContent = "";
  try {
    await work();
  } catch (problem) {
    byId("trouble").textContent = problem.message;
  }
}

/** Calls back with the data of each kind of event; the browser reconnects by itself. */
export function listen(listeners) {
  const stream = new EventSource("/events");
  for (const [name, hear] of Object.entries(listeners)) {
    stream.addEventListener(name, (event) => hear(JSON.parse(event.data)));
  }
  stream.addEventListener("error", () => {
    byId("trouble").textContent = words.serverGone;
  });
  stream.addEventListener("open", () => {
    byId("trouble").textContent = "";
  });
}
