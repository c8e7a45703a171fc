// <cti-contact-search>: a field that searches the CRM while the agent types, and a list to pick from. Out: PickEvent.
import { css, html, nothing, type TemplateResult } from "lit";
import type { Contact } from "../protocol.js";
import { DeskElement } from "./desk-element.js";
import { controls, theme } from "./theme.js";

export class PickEvent extends CustomEvent<Contact> {
  static readonly type = "cti-pick";

  constructor(contact: Contact) {
    super(PickEvent.type, { detail: contact });
  }
}

const PAUSE = 250;

export class ContactSearch extends DeskElement {
  static override properties = {
    ...DeskElement.properties,
    /** What picking does, for the screen reader: "Add the number to {name}". */
    action: { attribute: false },
    found: { state: true },
    searching: { state: true },
    failure: { state: true },
  };
  declare action: (name: string) => string;
  declare found: readonly Contact[] | null;
  declare searching: boolean;
  declare failure: string;
  static override styles = [
    theme,
    controls,
    css`
      li + li {
        margin-block-start: 4px;
      }
      ul {
        margin-block-start: 6px;
      }
      li button {
        display: block;
        inline-size: 100%;
        text-align: start;
        font-weight: 400;
      }
      strong {
        font-weight: 600;
      }
    `,
  ];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #asked = 0;

  constructor() {
    super();
    this.action = (name) => name;
    this.found = null;
    this.searching = false;
    this.failure = "";
  }

  protected override render(): TemplateResult {
    const { terms } = this;
    const words = this.searching ? terms.searching : this.found?.length === 0 ? terms.searchNone : this.failure;
    return html`<label for="search">${terms.searchContacts}</label>
      <input id="search" type="search" autocomplete="off" data-test="contact-search" placeholder=${terms.searchHint} @input=${this.#input} />
      <p class="quiet small" role="status">${words}</p>
      ${
        this.found === null || this.found.length === 0
          ? nothing
          : html`<ul>
            ${this.found.map(
              (contact) =>
                html`<li>
                  <button type="button" data-test="found" data-contact=${contact.id} @click=${() => this.dispatchEvent(new PickEvent(contact))}>
                    <span class="heard">${this.action(contact.name)}</span>
                    <span aria-hidden="true"><strong>${contact.name}</strong> <span class="quiet small">${contact.reading}</span></span>
                    ${contact.company === "" ? nothing : html`<br /><span class="small">${contact.company}</span>`}
                  </button>
                </li>`,
            )}
          </ul>`
      }`;
  }

  #input(event: InputEvent): void {
    const text = (event.currentTarget as HTMLInputElement).value.trim();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#asked += 1;
    if (text === "") {
      this.found = null;
      this.searching = false;
      return;
    }
    this.#timer = setTimeout(() => void this.#search(text), PAUSE);
  }

  async #search(text: string): Promise<void> {
    const asked = this.#asked;
    this.searching = true;
    this.failure = "";
    try {
      const found = await this.desk.search(text);
      if (asked === this.#asked) this.found = found;
    } catch (error) {
      if (asked === this.#asked) this.failure = this.desk.problemText(error);
    } finally {
      if (asked === this.#asked) this.searching = false;
    }
  }
}
