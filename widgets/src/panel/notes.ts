// <cti-notes>: the note and the result of a call, saved while they are written, and the end of the wrap-up.
import { css, html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { Call } from "../protocol.js";
import { DeskElement } from "./desk-element.js";
import { icon } from "./icons.js";
import { controls, theme } from "./theme.js";

export class CallNotes extends DeskElement {
  static override properties = { ...DeskElement.properties, call: { attribute: false }, busy: { state: true } };
  declare call: Call;
  declare busy: boolean;
  static override styles = [
    theme,
    controls,
    css`
      form {
        display: grid;
        gap: 10px;
      }
      .top {
        display: flex;
        justify-content: space-between;
        gap: 8px;
      }
      .state {
        display: inline-flex;
        align-items: center;
        gap: 3px;
        color: var(--_quiet);
        font-size: 13px;
      }
      .state.failed {
        color: var(--_bad);
      }
      .state svg.icon {
        inline-size: 15px;
        block-size: 15px;
      }
    `,
  ];

  constructor() {
    super();
    this.busy = false;
  }

  /** For the keyboard shortcut. */
  focusNote(): void {
    this.renderRoot.querySelector("textarea")?.focus();
  }

  protected override render(): TemplateResult {
    const { terms, call, desk } = this;
    const notes = desk.drafts.shown(call.id, call.draft);
    return html`<form @submit=${this.#submit} @focusin=${() => desk.drafts.enter(call.id, call.draft)} @focusout=${() => desk.drafts.leave(call.id)}>
      <div>
        <div class="top"><label for="note">${terms.note}</label>${this.#state()}</div>
        <textarea
          id="note"
          data-test="note"
          maxlength="10000"
          placeholder=${terms.notePlaceholder}
          .value=${live(notes.note)}
          @input=${(event: InputEvent) => this.#edit({ note: (event.currentTarget as HTMLTextAreaElement).value })}
          @keydown=${this.#key}
        ></textarea>
      </div>
      <div>
        <label for="disposition">${terms.disposition}</label>
        <select
          id="disposition"
          data-test="disposition"
          .value=${live(notes.disposition ?? "")}
          @change=${(event: Event) => this.#edit({ disposition: (event.currentTarget as HTMLSelectElement).value || null })}
        >
          <option value="" ?selected=${notes.disposition === null}>${terms.dispositionNone}</option>
          ${desk.live?.dispositions.map(
            ({ code, label }) => html`<option value=${code} ?selected=${notes.disposition === code}>${label}</option>`,
          )}
        </select>
      </div>
      ${
        call.phase === "wrapping_up"
          ? html`<button class="primary" type="submit" ?disabled=${this.busy} data-test="complete">
            ${this.busy ? terms.completing : terms.complete}
          </button>`
          : nothing
      }
    </form>`;
  }

  #state(): TemplateResult {
    const { terms, call } = this;
    const state = this.desk.drafts.state(call.id, call.draft);
    const words = {
      clean: "",
      waiting: terms.draftSaving,
      saving: terms.draftSaving,
      saved: terms.draftSaved,
      failed: terms.draftFailed,
    };
    return html`<span class="state ${state}" data-test="draft-state" data-state=${state} role="status">
      ${state === "saved" ? icon("check") : nothing}${words[state]}
    </span>`;
  }

  #edit(change: { readonly note?: string; readonly disposition?: string | null }): void {
    this.desk.drafts.edit(this.call.id, this.call.draft, change);
  }

  #key(event: KeyboardEvent): void {
    // Enter that only confirms a Japanese conversion is not ours.
    if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (this.call.phase === "wrapping_up") void this.#complete();
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    void this.#complete();
  }

  async #complete(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    await this.desk.complete(this.call.id, this.desk.drafts.shown(this.call.id, this.call.draft));
    this.busy = false;
  }
}
