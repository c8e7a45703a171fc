// <cti-recent-list>: the agent's own latest calls, and where their logs stand.
import { css, html, nothing, type TemplateResult } from "lit";
import type { Call } from "../protocol.js";
import { callerText, clock, safeLink, when, whoText } from "../wording.js";
import { DeskElement } from "./desk-element.js";
import { icon } from "./icons.js";
import { listStyle } from "./list-style.js";
import { controls, theme } from "./theme.js";

export class RecentList extends DeskElement {
  static override styles = [
    theme,
    controls,
    listStyle,
    css`
      .main strong {
        display: inline-flex;
        align-items: center;
        gap: 5px;
      }
      .main svg.icon {
        inline-size: 15px;
        block-size: 15px;
        color: var(--_quiet);
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { terms } = this;
    const { recent, recentFailed } = this.desk;
    return html`<details open data-test="recent">
      <summary>${terms.recentTitle}</summary>
      ${recentFailed ? html`<p class="warning small">${terms.recentFailed}</p>` : nothing}
      ${recent !== null && recent.length === 0 ? html`<p class="quiet">${terms.recentNone}</p>` : nothing}
      <ul>
        ${recent?.map((call) => this.#row(call))}
      </ul>
    </details>`;
  }

  #row(call: Call): TemplateResult {
    const { terms, desk } = this;
    const name = whoText(call, terms);
    const number = callerText(call.caller, terms);
    const link = safeLink(call.log.url);
    const facts = [name === number ? call.caller.region : number, this.#outcome(call), this.#disposition(call)];
    return html`<li data-test="recent-call" data-call=${call.id} data-log=${call.log.state}>
      <p class="main">
        <strong>
          ${icon(call.direction === "inbound" ? "incoming" : "outgoing")}
          <span class="heard">${call.direction === "inbound" ? terms.inbound : terms.outbound}</span>${name}
        </strong>
        <span class="side">${when(call.started_at, desk.now, this.language)}</span>
      </p>
      <p class="small quiet">
        ${facts.filter((part) => part !== "").join(" · ")}
        ${link === null ? nothing : html` · <a href=${link} target="_blank" rel="noopener">${terms.logOpen}</a>`}
        ${call.log.state === "parked" ? html` · ${terms.logParked}` : nothing}
      </p>
    </li>`;
  }

  #outcome(call: Call): string {
    const { terms } = this;
    if (call.answered_at !== null && call.ended_at !== null) {
      return clock(Date.parse(call.ended_at) - Date.parse(call.answered_at));
    }
    if (call.outcome === null) return "";
    return call.outcome === "failed" ? terms.notConnected : terms[call.outcome];
  }

  #disposition(call: Call): string {
    return this.desk.live?.dispositions.find((one) => one.code === call.draft.disposition)?.label ?? "";
  }
}
