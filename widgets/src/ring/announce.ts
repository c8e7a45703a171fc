// What a screen reader is told about a ringing call: once per stage that adds something, never the same words twice.
import type { Call } from "../protocol.js";
import type { Terms } from "../terms/terms.js";
import { callerText, whoText } from "../wording.js";

export class Announcer {
  /** For each call the facts that have been said. */
  readonly #said = new Map<string, Set<string>>();

  /** The words to say now about these calls, or null when nothing is new. */
  next(calls: readonly Call[], terms: Terms): string | null {
    const words: string[] = [];
    for (const call of calls) {
      if (call.phase !== "ringing" || call.direction !== "inbound") continue;
      const said = this.#said.get(call.id) ?? new Set<string>();
      this.#said.set(call.id, said);
      if (!said.has("ring")) {
        said.add("ring");
        words.push(terms.announceRinging(whoText(call, terms), call.line?.name ?? ""));
        // A name that came with the first word needs no second one.
        const known = finding(call, terms);
        if (known !== null && call.choice !== null) said.add(known.fact);
      }
      const found = finding(call, terms);
      if (found !== null && !said.has(found.fact)) {
        said.add(found.fact);
        words.push(found.words);
      }
    }
    for (const id of this.#said.keys()) {
      if (!calls.some((call) => call.id === id)) this.#said.delete(id);
    }
    return words.length === 0 ? null : words.join(" ");
  }
}

function finding(call: Call, terms: Terms): { readonly fact: string; readonly words: string } | null {
  if (call.stage < 2) return null;
  if (call.choice !== null) {
    const { id, name } = call.choice.contact;
    return { fact: `contact ${id}`, words: terms.announceMatch(name) };
  }
  if (call.matches.length > 1) return { fact: "many", words: terms.announceMatches(call.matches.length) };
  if (call.lookup.state === "done" && call.matches.length === 0) return { fact: "none", words: terms.announceUnknown };
  return null;
}

/** Title and body of a desktop notification for a ringing call. */
export function notificationOf(call: Call, terms: Terms): { readonly title: string; readonly body: string } {
  const parts = [call.choice?.contact.company ?? "", callerText(call.caller, terms), call.line?.name ?? ""];
  return {
    title: `${terms.ringing}: ${whoText(call, terms)}`,
    body: parts.filter((part) => part !== "").join("\n"),
  };
}
