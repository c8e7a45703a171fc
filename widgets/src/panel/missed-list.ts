// <cti-missed-list>: callers nobody has answered yet, until someone calls back or says it is done.
import { css, html, nothing, type TemplateResult } from "lit";
import type { MissedCaller } from "../protocol.js";
import { callerText, when } from "../wording.js";
import { DeskElement } from "./desk-element.js";
import { icon } from "./icons.js";
import { listStyle } from "./list-style.js";
import { controls, theme } from "./theme.js";

export class MissedList extends DeskElement {
  static override styles = [
    theme,
    controls,
    listStyle,
    css`
      .count {
        padding: 0 8px;
        border-radius: 999px;
        background: var(--_bad);
        color: var(--_surface);
        font-size: 13px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        margin-block-start: 6px;
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { terms } = this;
    const missed = this.desk.live?.missed ?? [];
    return html`<section data-test="missed" aria-labelledby="title">
      <h2 id="title">${terms.missedTitle} ${missed.length === 0 ? nothing : html`<span class="count">${missed.length}</span>`}</h2>
      ${
        missed.length === 0
          ? html`<p class="quiet">${terms.missedNone}</p>`
          : html`<ul>
            ${missed.map((one) => this.#row(one))}
          </ul>`
      }
    </section>`;
  }

  #row(one: MissedCaller): TemplateResult {
    const { terms, desk } = this;
    const number = callerText(one.caller, terms);
    const name = one.contact_name ?? number;
    const dialled = one.caller.number;
    const able = desk.live?.agent.can_dial === true;
    return html`<li data-test="missed-caller" data-key=${one.key}>
      <p class="main">
        <strong>${name}</strong>
        <span class="side">${when(one.last_at, desk.now, this.language)}</span>
      </p>
      <p class="small quiet">
        ${[one.contact_name === null ? one.caller.region : number, terms.missedCount(one.count), one.line?.name ?? ""].filter((part) => part !== "").join(" · ")}
      </p>
      <p class="actions">
        ${
          dialled === null || !able
            ? nothing
            : html`<button type="button" data-test="call-back" aria-label=${terms.callBackTo(name)} ?disabled=${desk.dialling} @click=${() => void desk.dial({ number: dialled, ...(one.line === null ? {} : { line_id: one.line.id }) })}>
              ${icon("phone")}${terms.callBack}
            </button>`
        }
        <button type="button" class="plain" data-test="dealt-with" aria-label=${terms.dealtWithFor(name)} @click=${() => void desk.dealtWith(one.key)}>
          ${icon("check")}${terms.dealtWith}
        </button>
      </p>
    </li>`;
  }
}
