// <cti-call-card>: one call from the first ring to the log in the CRM.
import { html, nothing, type TemplateResult } from "lit";
import type { Call, CallLog } from "../protocol.js";
import type { Terms } from "../terms/terms.js";
import { age, callerText, clock, safeLink, whoText } from "../wording.js";
import { activity, activityStyle } from "./card-activity.js";
import { about, screenStyle } from "./card-screen.js";
import { cardStyle } from "./card-style.js";
import { who, whoStyle } from "./card-who.js";
import { DeskElement, typedIn } from "./desk-element.js";
import { icon } from "./icons.js";
import { controls, theme } from "./theme.js";

const TICK = 1_000;

export class CallCard extends DeskElement {
  static override properties = { ...DeskElement.properties, call: { attribute: false } };
  static override styles = [theme, controls, cardStyle, whoStyle, screenStyle, activityStyle];
  declare call: Call;
  #ticking: ReturnType<typeof setInterval> | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#ticking = setInterval(() => {
      if (this.call.phase !== "completed") this.requestUpdate();
    }, TICK);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#ticking !== null) clearInterval(this.#ticking);
  }

  /** For the keyboard shortcut. False when this card has no note to write. */
  focusNote(): boolean {
    const notes = this.renderRoot.querySelector("cti-notes");
    notes?.focusNote();
    return notes !== null;
  }

  protected override render(): TemplateResult {
    const { call, terms } = this;
    return html`<article
      class="card"
      part="card"
      tabindex="0"
      data-test="card"
      data-call=${call.id}
      data-phase=${call.phase}
      data-direction=${call.direction}
      aria-label="${this.#phaseWords()}: ${whoText(call, terms)}"
      @keydown=${this.#key}
    >
      ${call.phase === "completed" ? this.#finished() : this.#running()}
    </article>`;
  }

  #running(): TemplateResult {
    const { call, desk, terms } = this;
    const begun = call.phase === "talking" || call.phase === "wrapping_up";
    return html`${this.#head()}
      <div class="body">
        ${this.#caller()} ${this.#greeting()}
        ${call.direction === "outbound" && call.phase === "ringing" ? html`<p class="hint">${terms.callingHint}</p>` : nothing}
        ${who(call, desk)} ${about(call, desk)} ${begun ? html`<cti-notes .desk=${desk} .call=${call}></cti-notes>` : nothing} ${this.#log()}
        ${this.#lastSpoken()} ${call.choice !== null && call.activity !== null ? activity(call.activity, desk) : nothing}
      </div>`;
  }

  #finished(): TemplateResult {
    const { call, terms } = this;
    return html`${this.#head()}
      <div class="body">
        <p class="done">
          <strong>${whoText(call, terms)}</strong>
          <button type="button" class="plain" data-test="dismiss" aria-label=${terms.dismissCall(whoText(call, terms))} title=${terms.dismiss} @click=${() => this.desk.dismiss(call.id)}>
            ${icon("close")}
          </button>
        </p>
        ${this.#log()}
      </div>`;
  }

  #head(): TemplateResult {
    const { call, desk } = this;
    const start = call.answered_at === null ? null : Date.parse(call.answered_at);
    const end = call.ended_at === null ? desk.now : Date.parse(call.ended_at);
    return html`<header class="head" part="head">
      <h2 class="phase" data-test="phase">${icon(call.direction === "inbound" ? "incoming" : "outgoing")}${this.#phaseWords()}</h2>
      ${
        start === null
          ? nothing
          : html`<span class="number" role="timer" aria-live="off" aria-label=${this.terms.duration} data-test="timer">${clock(end - start)}</span>`
      }
      ${call.line === null ? nothing : html`<span class="line" data-test="line"><span class="heard">${this.terms.line}: </span>${call.line.name}</span>`}
    </header>`;
  }

  #phaseWords(): string {
    const { terms, call } = this;
    if (call.phase === "ringing") return call.direction === "inbound" ? terms.ringing : terms.calling;
    if (call.phase === "talking") return terms.talking;
    return call.phase === "wrapping_up" ? terms.wrapUpTitle : terms.completed;
  }

  #caller(): TemplateResult {
    const { caller } = this.call;
    return html`<p class="caller" data-test="caller">
      <span class="display number ${caller.kind}">${callerText(caller, this.terms)}</span>
      <span class="quiet">${caller.region}</span>
    </p>`;
  }

  #greeting(): TemplateResult | typeof nothing {
    const { call, terms } = this;
    if (call.direction === "outbound" || call.line === null || call.line.greeting === "") return nothing;
    if (call.phase !== "ringing" && call.phase !== "talking") return nothing;
    return html`<div class="greeting" part="greeting" data-test="greeting">
      <span class="label">${terms.greeting}</span>
      <p lang=${call.line.language}>${call.line.greeting}</p>
    </div>`;
  }

  #lastSpoken(): TemplateResult | typeof nothing {
    const { call, terms, desk } = this;
    const last = call.last_spoken;
    if (call.caller.kind !== "number") return nothing;
    if (last === null) return call.phase === "ringing" ? html`<p class="quiet small">${terms.firstCall}</p>` : nothing;
    const parts = [
      age(last.at, desk.now, this.language),
      last.agent === null ? "" : terms.lastSpokenBy(last.agent),
      last.disposition ?? "",
      last.contact_name === null || last.contact_name === call.choice?.contact.name ? "" : last.contact_name,
    ];
    return html`<div class="last" data-test="last-spoken">
      <span class="label">${terms.lastSpoken}</span>
      <p>${parts.filter((part) => part !== "").join(" · ")}</p>
      ${last.note === "" ? nothing : html`<p class="quiet clamp">${last.note}</p>`}
    </div>`;
  }

  #log(): TemplateResult | typeof nothing {
    const { log } = this.call;
    if (log.state === "none") return nothing;
    const link = safeLink(log.url);
    return html`<div class="log ${log.state}" data-test="log" data-state=${log.state} role="status">
      <p>
        ${log.state === "delivered" ? icon("check") : log.state === "saved" ? nothing : icon("warning")}
        <span>${logWords(log, this.terms)}</span>
        ${link === null ? nothing : html`<a href=${link} target="_blank" rel="noopener" data-test="open-log">${this.terms.logOpen}</a>`}
      </p>
      ${log.message === null ? nothing : html`<p class="small" data-test="log-message">${log.message}</p>`}
    </div>`;
  }

  #key(event: KeyboardEvent): void {
    const { call } = this;
    if (typedIn(event) !== null || event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key)) return;
    const options =
      call.choice === null ? call.matches : call.matches.filter((one) => one.contact.id !== call.choice?.contact.id);
    const picked = options[Number(event.key) - 1];
    if (picked === undefined || call.phase === "completed") return;
    event.preventDefault();
    void this.desk.choose(call.id, picked.contact.id);
  }
}

function logWords(log: CallLog, terms: Terms): string {
  const words: Record<CallLog["state"], string> = {
    none: "",
    saved: terms.logSaved,
    retrying: terms.logRetrying,
    parked: terms.logParked,
    delivered: terms.logDelivered,
  };
  return words[log.state];
}
