// Which of a browser's Salesforce tabs acts for all of them: the one that the agent looked at or touched last.
import type { Ports } from "../src/live/ports.js";
import { type TabMessage, Tabs } from "../src/live/tabs.js";

interface Candidate {
  readonly tab: string;
  /** When the agent last looked at it, milliseconds of the machine's clock; 0 for a tab that was opened in the background. */
  readonly looked: number;
}

/**
 * Every tab hears every call; only the leading one opens records and panels, so that no two tabs do it twice. The tabs
 * agree by word of mouth and not by a lock: Chromium with third-party cookies blocked refuses locks to a page in a frame,
 * but lets its tabs talk (seen in 156). Where they cannot talk at all, each leads itself.
 */
export class Lead {
  readonly #tabs: Tabs;
  readonly #now: () => number;
  readonly #view: Window;
  readonly #onHeld: () => void;
  #own: Candidate;
  #best: Candidate;
  #alone = true;
  #closed = false;

  constructor(name: string, ports: Ports, view: Window, onHeld: () => void) {
    this.#tabs = new Tabs(`${name}#screen`, ports);
    this.#now = ports.now;
    this.#view = view;
    this.#onHeld = onHeld;
    // Only to tell tabs apart: two that draw the same number would both follow, and the next look decides.
    this.#own = { tab: `${ports.now()}-${ports.random()}`, looked: this.seen ? ports.now() : 0 };
    this.#best = this.#own;
    this.#tabs.listen((message) => this.#hear(message));
    this.#tabs.tell({ type: "lead", ...this.#own, arrives: true });
    view.document.addEventListener("visibilitychange", this.#look);
    for (const touch of TOUCHES) view.addEventListener(touch, this.#look, { capture: true });
  }

  get held(): boolean {
    return this.#best.tab === this.#own.tab;
  }

  /** No other tab is known. */
  get alone(): boolean {
    return this.#alone;
  }

  /** False in a tab behind another one: no click of the agent's can come from there. */
  get seen(): boolean {
    return !this.#view.document.hidden;
  }

  /** The agent does something here. */
  take(): void {
    this.#own = { ...this.#own, looked: this.#now() };
    if (this.held) {
      this.#best = this.#own;
      return;
    }
    this.#become();
  }

  close(): void {
    this.#view.document.removeEventListener("visibilitychange", this.#look);
    for (const touch of TOUCHES) this.#view.removeEventListener(touch, this.#look, { capture: true });
    this.#closed = true;
    this.#tabs.tell({ type: "lead-gone", tab: this.#own.tab });
    this.#tabs.close();
  }

  #hear(message: TabMessage): void {
    if (this.#closed) return;
    if (message.type === "lead") {
      this.#alone = false;
      if (beats(message, this.#best)) this.#best = message;
      // Who arrives must learn that there are others; who thinks to lead and does not, who does.
      if (message.arrives || beats(this.#own, message)) this.#tell();
    }
    if (message.type === "lead-gone" && message.tab === this.#best.tab) this.#become();
  }

  #become(): void {
    this.#best = this.#own;
    this.#tell();
    this.#onHeld();
  }

  #tell(): void {
    this.#tabs.tell({ type: "lead", ...this.#own, arrives: false });
  }

  #look = (): void => {
    if (this.seen) this.take();
  };
}

const TOUCHES = ["focus", "pointerdown", "keydown"] as const;

const beats = (one: Candidate, other: Candidate): boolean =>
  one.looked > other.looked || (one.looked === other.looked && one.tab > other.tab);
