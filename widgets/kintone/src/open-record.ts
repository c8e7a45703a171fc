// How the caller's record opens when the agent takes a call: in this tab, in a new one, or after asking. Never over something being edited.
import type { SafeStorage } from "../../src/live/ports.js";
import type { CallNews } from "../../src/messages.js";
import { element, option } from "./elements.js";
import type { KintoneTerms } from "./terms/en.js";

export const WAYS = ["ask", "here", "new"] as const;
export type Way = (typeof WAYS)[number];

export interface OpenerPorts {
  /** True in exactly one of the browser's tabs. */
  readonly claim: (key: string) => Promise<boolean>;
  /** "27:5" while this page shows that record. */
  readonly shown: () => string | null;
  /** Whether leaving this page would lose what somebody typed. */
  readonly editing: () => boolean;
  /** Leaves this page for the address. */
  readonly go: (url: string) => void;
  /** False where the browser blocked the new tab. */
  readonly openTab: (url: string) => boolean;
  /** Shows a question on the dock, or takes it away. */
  readonly show: (question: HTMLElement | null) => void;
  /** The question is new: the dock must be seen. */
  readonly attract: () => void;
  /** The agent's choice, for all tabs. */
  readonly preferences: SafeStorage;
  /** A question not yet answered, for this tab's next page. */
  readonly session: SafeStorage;
}

const WAY = "cti-bridge.open-record";
const OFFER = "cti-bridge.open-offer";

interface Offer {
  readonly call: string;
  readonly record: string;
  readonly url: string;
  readonly blocked: boolean;
}

export class RecordOpener {
  readonly #ports: OpenerPorts;
  readonly #terms: KintoneTerms;
  #offer: Offer | null = null;
  #choosing = false;

  constructor(terms: KintoneTerms, ports: OpenerPorts) {
    this.#terms = terms;
    this.#ports = ports;
  }

  /** The agent's choice, kept in this browser. */
  get way(): Way {
    const saved = this.#ports.preferences.get(WAY);
    return WAYS.find((way) => way === saved) ?? "ask";
  }

  set way(way: Way) {
    this.#ports.preferences.set(WAY, way);
  }

  /** Something about a call is new. Calls that the agent makes stay where they were made from. */
  async hear(call: CallNews): Promise<void> {
    if (call.phase === "completed" && this.#offer?.call === call.id) this.#become(null);
    if (this.#offer === null && (call.phase === "talking" || call.phase === "wrapping_up")) this.#restore(call.id);
    if (call.phase !== "talking" || call.direction !== "inbound") return;
    const { contactId, contactUrl } = call;
    if (contactId === null || contactUrl === null || contactId === this.#ports.shown()) return;
    if (await this.#ports.claim(`${call.id} ${contactId}`)) {
      this.#open({ call: call.id, record: contactId, url: contactUrl, blocked: false });
    }
  }

  /** Another record is shown, or editing began or ended. */
  refresh(): void {
    if (this.#offer !== null && this.#offer.record === this.#ports.shown()) this.#become(null);
    else if (this.#offer !== null || this.#choosing) this.#draw();
  }

  /** The agent asks how records open: the choice is shown, or put away. */
  toggleChoice(): void {
    this.#choosing = !this.#choosing;
    this.#draw();
  }

  #open(offer: Offer): void {
    const { way } = this;
    if (way === "here" && !this.#ports.editing()) {
      this.#ports.go(offer.url);
      return;
    }
    if (way === "new") {
      if (this.#ports.openTab(offer.url)) return;
      this.#become({ ...offer, blocked: true });
      return;
    }
    this.#become(offer);
  }

  /** kintone loads a new page at every step; a question that stood there stands there again. */
  #restore(call: string): void {
    try {
      const saved = JSON.parse(this.#ports.session.get(OFFER) ?? "null") as Offer | null;
      if (saved?.call === call && saved.record !== this.#ports.shown()) this.#become(saved);
    } catch {
      // Not ours: no question.
    }
  }

  #become(offer: Offer | null): void {
    this.#offer = offer;
    this.#choosing = false;
    this.#ports.session.set(OFFER, offer === null ? null : JSON.stringify(offer));
    this.#draw();
    if (offer !== null) this.#ports.attract();
  }

  #draw(): void {
    const offer = this.#offer;
    if (offer === null && !this.#choosing) {
      this.#ports.show(null);
      return;
    }
    const box = document.createElement("div");
    box.dataset["test"] = "open-record";
    if (offer !== null) box.append(...this.#question(offer));
    box.append(this.#choice());
    if (offer === null) {
      const choices = paragraph("choices", "");
      choices.append(button(this.#terms.close, "open-close", () => this.toggleChoice()));
      box.append(choices);
    }
    this.#ports.show(box);
  }

  #question(offer: Offer): HTMLElement[] {
    const terms = this.#terms;
    const editing = this.#ports.editing();
    const words = editing ? `${terms.openTitle} ${terms.openEditing}` : offer.blocked ? terms.openBlocked : terms.openTitle;
    const choices = paragraph("choices", "");
    if (!editing) {
      const here = button(terms.openHere, "open-here", () => {
        // Between the drawing and the click somebody may have begun to type.
        if (this.#ports.editing()) {
          this.#become(offer);
          return;
        }
        this.#become(null);
        this.#ports.go(offer.url);
      });
      here.dataset["main"] = "";
      choices.append(here);
    }
    const open = button(terms.openNew, "open-new", () => {
      const opened = this.#ports.openTab(offer.url);
      this.#become(opened ? null : { ...offer, blocked: true });
    });
    if (editing) open.dataset["main"] = "";
    choices.append(open, button(terms.openNot, "open-not", () => this.#become(null)));
    return [paragraph("question", words), choices];
  }

  #choice(): HTMLElement {
    const terms = this.#terms;
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.dataset["test"] = "open-way";
    const words: Readonly<Record<Way, string>> = {
      ask: terms.openWayAsk,
      here: terms.openWayHere,
      new: terms.openWayNew,
    };
    select.append(...WAYS.map((way) => option(words[way], way)));
    select.value = this.way;
    select.addEventListener("change", () => {
      this.way = WAYS.find((way) => way === select.value) ?? "ask";
    });
    label.append(terms.openWay, select);
    return label;
  }
}

function paragraph(className: string, text: string): HTMLParagraphElement {
  const made = element("p", text);
  made.className = className;
  return made;
}

function button(text: string, test: string, onClick: () => void): HTMLButtonElement {
  const made = element("button", text);
  made.type = "button";
  made.dataset["test"] = test;
  made.addEventListener("click", onClick);
  return made;
}
