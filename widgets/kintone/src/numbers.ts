// Which elements of kintone's screen hold telephone numbers, and of which record: marked for the linker, which puts the call buttons there.
import type { KintoneApp } from "./kintone.js";

/** kintone renders in bursts, sometimes after its own show event; one look per pause is enough. */
const PAUSE = 80;

export const MARKED = "[data-cti-phone]";

/** "27:5" for record 5 of app 27: what the bridge calls the record. */
export const recordName = (app: number | string, record: number | string): string => `${app}:${record}`;

type Shown =
  | { readonly screen: "list"; readonly records: readonly string[] }
  | { readonly screen: "detail"; readonly record: string };

export class PhoneFields {
  readonly #page: Document;
  readonly #app: KintoneApp;
  readonly #codes: readonly string[];
  readonly #observer: MutationObserver;
  #shown: Shown | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(page: Document, app: KintoneApp, codes: readonly string[]) {
    this.#page = page;
    this.#app = app;
    this.#codes = codes;
    this.#observer = new MutationObserver(() => this.#soon());
  }

  /** The list's rows, in their order. */
  showList(records: readonly string[]): void {
    this.#show({ screen: "list", records });
  }

  showRecord(record: string): void {
    this.#show({ screen: "detail", record });
  }

  /** Somebody edits: there is nothing to dial. */
  hide(): void {
    this.#show(null);
  }

  #show(shown: Shown | null): void {
    this.#shown = shown;
    this.#observer.disconnect();
    if (shown === null) return;
    this.#mark();
    this.#observer.observe(this.#page.body, { childList: true, subtree: true });
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#mark();
    }, PAUSE);
  }

  #mark(): void {
    const shown = this.#shown;
    if (shown === null) return;
    for (const code of this.#codes) {
      if (shown.screen === "detail") {
        const element = this.#app.record.getFieldElement(code);
        if (element !== null) mark(element, shown.record);
        continue;
      }
      const elements = this.#app.getFieldElements(code) ?? [];
      // While kintone is between two states, a row's record is not known; its number can be dialled all the same.
      const known = elements.length === shown.records.length;
      elements.forEach((element, row) => {
        mark(element, known ? (shown.records[row] ?? null) : null);
      });
    }
  }
}

function mark(element: HTMLElement, record: string | null): void {
  if (element.dataset["ctiPhone"] === undefined) element.dataset["ctiPhone"] = "";
  if (record === null) delete element.dataset["ctiRecord"];
  else if (element.dataset["ctiRecord"] !== record) element.dataset["ctiRecord"] = record;
}
