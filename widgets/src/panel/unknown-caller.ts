// <cti-unknown-caller>: what to do when the CRM does not know the caller: create a contact, add the number to one, or ask.
import { css, html, nothing, type TemplateResult } from "lit";
import type { Call } from "../protocol.js";
import { callerText } from "../wording.js";
import type { PickEvent } from "./contact-search.js";
import { DeskElement } from "./desk-element.js";
import { controls, theme } from "./theme.js";

export class UnknownCaller extends DeskElement {
  static override properties = {
    ...DeskElement.properties,
    call: { attribute: false },
    open: { state: true },
    busy: { state: true },
    failure: { state: true },
  };
  declare call: Call;
  declare open: "create" | "add" | null;
  declare busy: boolean;
  declare failure: string;
  static override styles = [
    theme,
    controls,
    css`
      .choices {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      form,
      .box {
        display: grid;
        gap: 10px;
        margin-block-start: 10px;
      }
      .ask {
        padding: 10px 14px;
        border-radius: 9px;
        background: var(--_accent-soft);
      }
      .ask li {
        font-size: 17px;
        font-weight: 600;
      }
      .ask li::before {
        content: "□ ";
        content: "□ " / "";
        color: var(--_accent);
      }
      .actions {
        display: flex;
        gap: 8px;
      }
    `,
  ];

  constructor() {
    super();
    this.open = null;
    this.busy = false;
    this.failure = "";
  }

  protected override render(): TemplateResult {
    return this.call.caller.kind === "number" ? this.#offer() : this.#ask();
  }

  #offer(): TemplateResult {
    const { terms } = this;
    const can = this.desk.live?.capabilities;
    const choice = (which: "create" | "add", words: string): TemplateResult =>
      html`<button type="button" data-test="offer-${which}" aria-expanded=${String(this.open === which)} @click=${() => this.#toggle(which)}>
        ${words}
      </button>`;
    return html`<div class="choices">
        ${can?.create_contact === true ? choice("create", terms.createContact) : nothing}
        ${can?.add_number === true && can.search ? choice("add", terms.addNumber) : nothing}
      </div>
      ${this.open === "create" ? this.#create() : this.open === "add" ? this.#add() : nothing}`;
  }

  #create(): TemplateResult {
    const { terms } = this;
    return html`<form data-test="create-contact" @submit=${this.#submit}>
      <div>
        <label for="name">${terms.name} <span>(${terms.required})</span></label>
        <input id="name" name="name" required autocomplete="off" data-test="new-name" />
      </div>
      <div>
        <label for="reading">${terms.reading}</label>
        <input id="reading" name="reading" autocomplete="off" data-test="new-reading" />
      </div>
      <div>
        <label for="company">${terms.company}</label>
        <input id="company" name="company" autocomplete="off" data-test="new-company" />
      </div>
      <p><span class="label">${terms.number}</span><span class="number">${callerText(this.call.caller, terms)}</span></p>
      <div role="alert">${this.failure === "" ? nothing : html`<p class="failure">${this.failure}</p>`}</div>
      <div class="actions">
        <button class="primary" type="submit" ?disabled=${this.busy} data-test="create-submit">${terms.createContactDo}</button>
        <button type="button" class="plain" @click=${() => this.#toggle("create")}>${terms.cancel}</button>
      </div>
    </form>`;
  }

  #add(): TemplateResult {
    return html`<div class="box">
      <cti-contact-search .desk=${this.desk} .action=${this.terms.addNumberTo} @cti-pick=${this.#addTo}></cti-contact-search>
    </div>`;
  }

  #ask(): TemplateResult {
    const { terms, call } = this;
    const lead = call.caller.kind === "withheld" ? terms.askLeadWithheld : terms.askLeadUnreadable;
    const writing = call.phase === "talking" || call.phase === "wrapping_up";
    return html`<div class="ask" data-test="ask">
        <h3 class="small quiet">${terms.askTitle}</h3>
        <ul>
          ${[terms.askName, terms.askCompany, terms.askNumber].map((question) => html`<li>${question}</li>`)}
        </ul>
        ${writing ? html`<button type="button" class="link small" data-test="ask-insert" @click=${this.#insert}>${terms.askInsert}</button>` : nothing}
      </div>
      <div class="box">
        <p class="quiet small">${lead}</p>
        ${
          this.desk.live?.capabilities.search === true
            ? html`<cti-contact-search .desk=${this.desk} .action=${terms.pick} @cti-pick=${this.#choose}></cti-contact-search>`
            : nothing
        }
      </div>`;
  }

  #toggle(which: "create" | "add"): void {
    this.open = this.open === which ? null : which;
    this.failure = "";
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(fields.get(name) ?? "").trim();
    this.busy = true;
    this.failure = "";
    try {
      await this.desk.createContact(this.call.id, {
        name: text("name"),
        reading: text("reading"),
        company: text("company"),
      });
      this.open = null;
    } catch (error) {
      this.failure = this.desk.problemText(error);
    } finally {
      this.busy = false;
    }
  }

  async #addTo(event: PickEvent): Promise<void> {
    if (await this.desk.addNumber(this.call.id, event.detail.id)) this.open = null;
  }

  #choose(event: PickEvent): void {
    void this.desk.choose(this.call.id, event.detail.id);
  }

  #insert(): void {
    const { terms, call, desk } = this;
    const { note } = desk.drafts.shown(call.id, call.draft);
    const lines = [terms.askName, terms.askCompany, terms.askNumber].map((question) => `${question}: `);
    desk.drafts.edit(call.id, call.draft, { note: [note, ...lines].filter((line) => line !== "").join("\n") });
    desk.drafts.leave(call.id);
  }
}
