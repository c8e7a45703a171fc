// <cti-desk-bar>: the agent's presence, the three health dots in words and shapes, and the way to the menu.
import { css, html, type TemplateResult } from "lit";
import type { Health } from "../protocol.js";
import type { Terms } from "../terms/terms.js";
import { DeskElement } from "./desk-element.js";
import { icon } from "./icons.js";
import { controls, theme } from "./theme.js";

type Light = "good" | "unsure" | "bad";

interface Dot {
  readonly name: string;
  readonly light: Light;
  readonly short: string;
  readonly words: string;
}

export class DeskBar extends DeskElement {
  static override styles = [
    theme,
    controls,
    css`
      :host {
        padding: 8px 12px;
        border-block-end: 1px solid var(--_line);
        background: var(--_surface);
      }
      .row {
        display: flex;
        align-items: center;
        gap: 6px;
      }
      .presence {
        display: flex;
        min-inline-size: 0;
        padding: 2px;
        border: 1px solid var(--_edge);
        border-radius: 11px;
      }
      .presence button {
        min-block-size: 32px;
        padding: 4px 14px;
        border: 0;
        border-radius: 8px;
        background: transparent;
        color: var(--_quiet);
        font-size: 14px;
      }
      .presence button[aria-pressed="true"] {
        background: var(--_accent);
        color: var(--_on-accent);
      }
      .presence button.away[aria-pressed="true"] {
        background: var(--_quiet);
        color: var(--_surface);
      }
      .now {
        padding-inline: 8px;
        font-size: 13px;
        font-weight: 600;
        white-space: nowrap;
      }
      .gap {
        flex: 1;
      }
      .icon-only {
        min-inline-size: 36px;
        padding: 5px;
      }
      .dots {
        display: flex;
        gap: 2px 4px;
        margin-block-start: 6px;
        margin-inline: -6px;
      }
      .holder {
        position: relative;
      }
      .dots button {
        min-block-size: 28px;
        padding: 2px 7px;
        border: 0;
        background: transparent;
        color: var(--_quiet);
        font-size: 13px;
        gap: 5px;
      }
      .dot {
        inline-size: 11px;
        block-size: 11px;
        flex: none;
      }
      .dot.good {
        border-radius: 50%;
        background: var(--_ring);
      }
      .dot.unsure {
        background: var(--_warn);
        clip-path: polygon(50% 0, 100% 100%, 0 100%);
      }
      .dot.bad {
        background: var(--_bad);
      }
      .words {
        position: absolute;
        inset-block-start: 100%;
        inset-inline-start: 0;
        z-index: 3;
        inline-size: max-content;
        max-inline-size: min(260px, 78vw);
        padding: 8px 12px;
        border-radius: 9px;
        background: var(--_text);
        color: var(--_bg);
        font-size: 13px;
        visibility: hidden;
      }
      .holder:nth-child(2) .words {
        inset-inline-start: -56px;
      }
      .holder:nth-child(3) .words {
        inset-inline-start: -112px;
      }
      .holder:hover .words,
      .holder:focus-within .words {
        visibility: visible;
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { terms } = this;
    const live = this.desk.live;
    return html`<div class="row" part="bar">
        ${live === null ? html`<span class="quiet">${terms.product}</span>` : this.#presence()}
        <span class="gap"></span>
        <button class="plain icon-only" data-test="menu" aria-label=${terms.settings} title=${terms.settings} @click=${() => this.#ask("menu")}>
          ${icon("menu")}
        </button>
      </div>
      ${live === null ? "" : html`<div class="dots" role="group" aria-label=${terms.health}>${dotsOf(live.health, terms).map(dot)}</div>`}`;
  }

  #presence(): TemplateResult {
    const { terms } = this;
    const presence = this.desk.live?.agent.presence ?? "away";
    const away = presence === "away";
    const busy = presence === "on_call" ? terms.onCall : presence === "wrapping_up" ? terms.wrappingUp : "";
    return html`<div class="presence" role="group" aria-label=${terms.presence}>
        <button data-test="available" aria-pressed=${String(!away)} @click=${() => void this.desk.setPresence("available")}>
          ${terms.available}
        </button>
        <button class="away" data-test="away" aria-pressed=${String(away)} @click=${() => void this.desk.setPresence("away")}>
          ${terms.away}
        </button>
      </div>
      <span class="now" data-test="presence" data-presence=${presence} role="status">${busy}</span>`;
  }

  #ask(what: "menu"): void {
    this.dispatchEvent(new CustomEvent(`cti-${what}`));
  }
}

function dot({ name, light, short, words }: Dot): TemplateResult {
  return html`<span class="holder">
    <button type="button" data-test="health-${name}" data-light=${light} aria-describedby="words-${name}">
      <span class="dot ${light}"></span>${short}
    </button>
    <span class="words" role="tooltip" id="words-${name}">${words}</span>
  </span>`;
}

const PHONE: Readonly<Record<Health["phone"], Light>> = { ok: "good", quiet: "unsure", failing: "bad" };
const CRM: Readonly<Record<Health["crm"], Light>> = { ok: "good", slow: "unsure", down: "bad" };

function dotsOf(health: Health, terms: Terms): readonly Dot[] {
  const phone = { ok: terms.phoneOk, quiet: terms.phoneQuiet, failing: terms.phoneFailing };
  const crm = { ok: terms.crmOk, slow: terms.crmSlow, down: terms.crmDown };
  const waiting = health.unsent === 0 && health.parked === 0 ? [terms.unsentNone] : [];
  if (health.unsent > 0) waiting.push(terms.unsentSome(health.unsent));
  if (health.parked > 0) waiting.push(terms.parked(health.parked));
  const sum = health.unsent + health.parked;
  return [
    { name: "phone", light: PHONE[health.phone], short: terms.phone, words: phone[health.phone] },
    { name: "crm", light: CRM[health.crm], short: terms.crm, words: crm[health.crm] },
    {
      name: "unsent",
      light: health.parked > 0 ? "bad" : health.unsent > 0 ? "unsure" : "good",
      short: sum > 0 ? `${terms.unsent} ${sum}` : terms.unsent,
      words: waiting.join(" / "),
    },
  ];
}
