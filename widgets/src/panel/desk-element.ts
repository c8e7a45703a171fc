// The base of the panel's elements: a desk comes in as a property, and each change of it draws the element anew.
import { LitElement } from "lit";
import type { Language } from "../protocol.js";
import type { Terms } from "../terms/terms.js";
import type { Desk } from "./desk.js";
import { controls, theme } from "./theme.js";

/** What every element needs of what it is placed on. */
export interface Place {
  readonly terms: Terms;
  readonly language: Language;
  listen(listener: { readonly onChange?: () => void }): () => void;
}

export abstract class DeskElement<Placed extends Place = Desk> extends LitElement {
  static override styles = [theme, controls];
  static override properties = { desk: { attribute: false } };
  declare desk: Placed;
  #unlisten: (() => void) | null = null;

  protected get terms(): Terms {
    return this.desk.terms;
  }

  protected get language(): Language {
    return this.desk.language;
  }

  protected override shouldUpdate(): boolean {
    return this.desk !== undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#listen();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unlisten?.();
    this.#unlisten = null;
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("desk")) return;
    this.#unlisten?.();
    this.#unlisten = null;
    this.#listen();
  }

  #listen(): void {
    if (this.desk === undefined || this.#unlisten !== null) return;
    this.#unlisten = this.desk.listen({ onChange: () => this.requestUpdate() });
  }
}

/** The element the agent is typing in, however deep in shadow trees; null when single keys are free for shortcuts. */
export function typedIn(event: Event): Element | null {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return null;
  return target.matches('input:not([type="range"]), textarea, select, [contenteditable]') ? target : null;
}
