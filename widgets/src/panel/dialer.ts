// <cti-dialer>: a number by hand, or one that the CRM's page handed over, and the line to call from.
import { css, html, nothing, type TemplateResult } from "lit";
import { plainNumber } from "../number.js";
import { DeskElement } from "./desk-element.js";
import { icon } from "./icons.js";
import { controls, theme } from "./theme.js";

export class Dialer extends DeskElement {
  static override styles = [
    theme,
    controls,
    css`
      form {
        display: grid;
        gap: 8px;
      }
      h2 {
        font-size: 15px;
      }
      .row {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 8px;
      }
      input {
        font-size: 17px;
      }
    `,
  ];
  #handedOver = "";

  /** For the keyboard shortcut. */
  focusNumber(): void {
    this.renderRoot.querySelector("input")?.focus();
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    super.willUpdate(changed);
    if (this.desk.dialNumber === this.#handedOver) return;
    this.#handedOver = this.desk.dialNumber;
    const field = this.renderRoot.querySelector("input");
    if (field !== null) field.value = this.#handedOver;
  }

  protected override render(): TemplateResult {
    const { terms, desk } = this;
    const lines = desk.live?.lines ?? [];
    const able = desk.live?.agent.can_dial === true;
    return html`<form data-test="dialer" @submit=${this.#submit}>
      <h2>${terms.dialTitle}</h2>
      ${able ? nothing : html`<p class="small quiet">${terms.dialNeedsPhone}</p>`}
      ${
        lines.length < 2
          ? nothing
          : html`<div>
            <label for="line">${terms.dialFrom}</label>
            <select id="line" name="line" data-test="dial-line" ?disabled=${!able}>
              ${lines.map((line) => html`<option value=${line.id}>${line.name} ${line.display}</option>`)}
            </select>
          </div>`
      }
      <div>
        <label for="number">${terms.dialNumber}</label>
        <div class="row">
          <input id="number" name="number" type="tel" autocomplete="off" required data-test="dial-number" .defaultValue=${this.#handedOver} ?disabled=${!able} aria-describedby="hint" />
          <button class="primary" type="submit" data-test="dial" ?disabled=${!able || desk.dialling}>
            ${icon("phone")}${desk.dialling ? terms.dialling : terms.dial}
          </button>
        </div>
      </div>
      <p id="hint" class="small quiet">${able ? terms.dialHint : ""}</p>
    </form>`;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const line = Number(fields.get("line"));
    const number = plainNumber(String(fields.get("number")));
    // A number that waited for the sign-in still belongs to the record it was clicked on; a typed one does not.
    const record = number === plainNumber(this.desk.dialNumber) ? this.desk.dialRecord : null;
    const request = {
      number,
      ...(line > 0 ? { line_id: line } : {}),
      ...(record === null ? {} : { record_id: record }),
    };
    if (await this.desk.dial(request)) form.reset();
  }
}
