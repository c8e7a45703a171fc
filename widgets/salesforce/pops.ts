// What the calls ask of the Salesforce screen, each thing once. It decides, and knows nothing of how it is done.
import type { Call, Contact } from "../src/protocol.js";

export type Wish =
  | { readonly type: "show" }
  | { readonly type: "record"; readonly contact: Contact; readonly picked: boolean }
  | { readonly type: "refresh" };

interface Seen {
  readonly phase: Call["phase"];
  /** The contact whose record was opened, or need not be. */
  readonly contact: string | null;
  readonly delivered: boolean;
}

export class Pops {
  readonly #seen = new Map<string, Seen>();
  #begun = false;

  /**
   * The wishes that this state of the calls adds to the one before; null when signed out. `alone`: no other tab can have acted
   * on these calls. `onScreen`: the record that Salesforce shows, which needs no opening and must not be left.
   */
  next(calls: readonly Call[] | null, alone: boolean, onScreen: string | null): readonly Wish[] {
    if (calls === null) {
      this.#seen.clear();
      this.#begun = false;
      return [];
    }
    const wishes = calls.flatMap((call) => this.#wishes(call, alone, onScreen));
    for (const id of this.#seen.keys()) {
      if (!calls.some((call) => call.id === id)) this.#seen.delete(id);
    }
    this.#begun = true;
    return wishes;
  }

  #wishes(call: Call, alone: boolean, onScreen: string | null): readonly Wish[] {
    const before = this.#seen.get(call.id);
    const contact = call.choice?.contact ?? null;
    const delivered = call.log.state === "delivered";
    this.#seen.set(call.id, { phase: call.phase, contact: contact?.id ?? null, delivered });
    const wishes: Wish[] = [];
    if (rings(call) && before?.phase !== "ringing") wishes.push({ type: "show" });
    if (contact !== null && contact.id !== before?.contact) {
      // A page that was loaded in the middle of a call leaves the agent where they are.
      const late = !this.#begun && !(alone && call.phase === "ringing");
      const there = onScreen === contact.id || (onScreen !== null && onScreen === call.related?.id);
      if (!late && !there && wanted(call, before !== undefined)) {
        wishes.push({ type: "record", contact, picked: call.choice?.how === "picked" });
      }
    }
    if (delivered && before !== undefined && !before.delivered) wishes.push({ type: "refresh" });
    return wishes;
  }
}

const rings = (call: Call): boolean => call.phase === "ringing" && call.direction === "inbound";

/** Whose call it is shows their record. A call that the agent makes starts from what they look at: only their own pick counts. */
function wanted(call: Call, known: boolean): boolean {
  if (call.phase === "elsewhere" || call.phase === "missed" || call.phase === "completed") return false;
  return call.direction === "inbound" || (known && call.choice?.how === "picked");
}
