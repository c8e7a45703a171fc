// What the phone page wants of a Salesforce screen, whichever way it gets it. Open CTI is one such way (until February 2028), plain links another.
import type { ScreenRecord } from "../src/panel/screen.js";

/** A record, and where it stands when it must be opened by its address. */
export interface RecordPlace {
  readonly id: string;
  readonly url: string | null;
  /** By a click or key of the agent's, just now. Else it opens by itself, as a call's match does. */
  readonly asked: boolean;
}

export interface Surface {
  readonly kind: "open-cti" | "plain";
  /** Opens or closes the phone in Salesforce's utility bar. */
  readonly show: (open: boolean) => void;
  /** The words on the utility bar, for instance the caller's; null puts the usual ones back. */
  readonly label: (text: string | null) => void;
  /** Rejects with a Refusal. */
  readonly openRecord: (record: RecordPlace) => Promise<void>;
  /** Null where the screen cannot. `text` is a number as people write it. */
  readonly openSearch: ((text: string) => Promise<void>) | null;
  readonly openNewRecord: ((number: string) => Promise<void>) | null;
  /** The record on the screen shows what was just written. */
  readonly refresh: () => void;
  /** A click on a number of the screen. `record` is the one that it stood on. */
  readonly onDial: (listener: (number: string, record: string | null) => void) => void;
  /** The agent goes to another page of Salesforce; null where that shows no record a call could be about. */
  readonly onNavigate: (listener: (record: ScreenRecord | null) => void) => void;
}

/** Salesforce did not do it. `words` are its own; empty when it said nothing at all. */
export class Refusal extends Error {
  readonly words: string;

  constructor(what: string, words: string) {
    super(`${what}: ${words === "" ? "no answer" : words}`);
    this.name = "Refusal";
    this.words = words;
  }
}
