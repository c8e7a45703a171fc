// What a desk is made with, and what it tells the one who placed it.
import type { Call, Language } from "../protocol.js";

export interface DeskOptions {
  /** The bridge's root with a trailing slash: https://bridge.example/phone/ */
  readonly base: string;
  readonly language: Language;
  readonly hidden: () => boolean;
}

/** What the desk tells the one who placed it (the panel's page). */
export interface DeskListener {
  readonly onChange?: () => void;
  readonly onCall?: (call: Call) => void;
  readonly onRing?: (call: Call) => void;
  readonly onNotify?: (call: Call) => void;
}
