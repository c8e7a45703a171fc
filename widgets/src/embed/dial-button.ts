// <cti-dial number="03-6555-0100" record="4711">: a call button for the host's page. It asks; what happens is decided elsewhere.
import { plainNumber } from "../number.js";
import { enHost, type HostTerms } from "../terms/en.js";
import { jaHost } from "../terms/ja.js";
import { languageFrom } from "../terms/language.js";
import { drawing, styleSheet } from "./drawing.js";

export interface DialDetail {
  readonly number: string;
  /** The CRM's record that the number belongs to, if the page named one. */
  readonly record: string | null;
}

/** Bubbles out of shadow trees and can be cancelled: a page may dial by itself. */
export class DialEvent extends CustomEvent<DialDetail> {
  static readonly type = "cti-dial" as const;

  constructor(detail: DialDetail) {
    super(DialEvent.type, { detail, bubbles: true, composed: true, cancelable: true });
  }
}

declare global {
  interface HTMLElementEventMap {
    "cti-dial": DialEvent;
  }
  interface DocumentEventMap {
    "cti-dial": DialEvent;
  }
}

const CSS = `
:host { display: inline-block; vertical-align: baseline; }
:host([hidden]) { display: none; }
button {
  all: unset; box-sizing: border-box; display: inline-flex; align-items: center; gap: .3em; cursor: pointer;
  min-block-size: 24px; min-inline-size: 24px; justify-content: center; padding: .1em .45em; border-radius: 999px;
  font: inherit; line-height: 1.3; color: var(--cti-dial-color, #0b6357); background: var(--cti-dial-background, #0b63571a);
}
:host([compact]) button { padding: .15em; margin-inline-start: .3em; }
:host([compact]) slot { display: none; }
button:hover { background: var(--cti-dial-hover, #0b635733); }
button:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
button { position: relative; }
.heard { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
svg { inline-size: 1em; block-size: 1em; flex: none; }
@media (prefers-color-scheme: dark) {
  button { color: var(--cti-dial-color, currentColor); }
}
`;

let sheet: CSSStyleSheet | null = null;

export class DialButton extends HTMLElement {
  static readonly observedAttributes = ["number", "lang"];
  readonly #button = document.createElement("button");
  readonly #shown = document.createElement("slot");
  /** Stands where the page puts nothing of its own between the tags. */
  readonly #plain = document.createElement("span");
  readonly #heard = document.createElement("span");

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    sheet ??= styleSheet(CSS);
    root.adoptedStyleSheets = [sheet];
    this.#button.type = "button";
    this.#button.setAttribute("part", "button");
    this.#plain.setAttribute("aria-hidden", "true");
    this.#shown.append(this.#plain);
    this.#heard.className = "heard";
    this.#button.append(drawing("phone"), this.#shown, this.#heard);
    this.#button.addEventListener("click", (event) => this.#dial(event));
    root.append(this.#button);
  }

  get number(): string {
    return plainNumber(this.getAttribute("number") ?? "");
  }

  set number(number: string) {
    this.setAttribute("number", number);
  }

  get record(): string | null {
    return this.getAttribute("record");
  }

  set record(record: string | null) {
    if (record === null) this.removeAttribute("record");
    else this.setAttribute("record", record);
  }

  connectedCallback(): void {
    this.#draw();
  }

  attributeChangedCallback(): void {
    this.#draw();
  }

  /** The keyboard goes to the real button. */
  override focus(options?: FocusOptions): void {
    this.#button.focus(options);
  }

  #draw(): void {
    const number = this.number;
    this.#plain.textContent = number;
    this.#heard.textContent = this.#terms.call(number);
    this.#button.disabled = number === "";
    this.#button.title = this.#terms.call(number);
  }

  #dial(event: Event): void {
    // A row or a link around the button must not take this click for its own.
    event.preventDefault();
    event.stopPropagation();
    if (this.number !== "") this.dispatchEvent(new DialEvent({ number: this.number, record: this.record }));
  }

  get #terms(): HostTerms {
    const lang = this.closest("[lang]")?.getAttribute("lang");
    return languageFrom(lang, ...navigator.languages) === "ja" ? jaHost : enHost;
  }
}
