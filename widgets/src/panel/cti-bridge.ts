// <cti-bridge>: the agent's whole panel. In: a desk, or base and language to make one. Out: call, ring, collapse, notification wishes.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { browserPorts } from "../live/ports.js";
import type { Call } from "../protocol.js";
import { languageFrom } from "../terms/language.js";
import { whoText } from "../wording.js";
import { Desk } from "./desk.js";
import { DeskElement, typedIn } from "./desk-element.js";
import { icon } from "./icons.js";
import { panelStyle } from "./panel-style.js";
import { controls, theme } from "./theme.js";

export interface BridgeEventMap {
  /** A call's phase or contact changed. */
  "cti-call": CustomEvent<Call>;
  /** A call began to ring. */
  "cti-ring": CustomEvent<Call>;
  /** A call rings and no tab of the agent can be seen. */
  "cti-notify": CustomEvent<Call>;
  /** Escape, with nothing left to close inside. */
  "cti-collapse": CustomEvent<null>;
  "cti-ask-notifications": CustomEvent<null>;
}

declare global {
  interface HTMLElementEventMap extends BridgeEventMap {}
}

export class BridgePanel extends DeskElement {
  static override properties = { ...DeskElement.properties, base: {}, lang: { reflect: true } };
  static override styles = [theme, controls, panelStyle];
  /** The bridge's root with a trailing slash; only where no desk is given. */
  declare base: string;
  #unhear: (() => void) | null = null;
  #ownDesk = false;

  override connectedCallback(): void {
    if (this.desk === undefined && this.base !== undefined) {
      const language = languageFrom(this.lang, document.documentElement.lang, ...navigator.languages);
      this.desk = new Desk(browserPorts(), { base: this.base, language, hidden: () => document.hidden });
      this.#ownDesk = true;
      this.desk.start();
    }
    super.connectedCallback();
    window.addEventListener("keydown", this.#key);
    window.addEventListener("pointerdown", this.#gesture);
    window.addEventListener("keydown", this.#gesture);
    window.addEventListener("pagehide", this.#leave);
    window.addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.#key);
    window.removeEventListener("pointerdown", this.#gesture);
    window.removeEventListener("keydown", this.#gesture);
    window.removeEventListener("pagehide", this.#leave);
    window.removeEventListener("online", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    this.#unhear?.();
    this.#unhear = null;
    if (this.#ownDesk) this.desk.close();
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("desk") || this.#unhear === null) {
      this.#unhear?.();
      this.#unhear = this.desk.listen({
        onCall: (call) => this.#tell("cti-call", call),
        onRing: (call) => {
          this.#tell("cti-ring", call);
          this.#showTop();
        },
        onNotify: (call) => this.#tell("cti-notify", call),
      });
    }
    if (this.lang !== this.language) this.lang = this.language;
  }

  protected override render(): TemplateResult {
    const { desk } = this;
    return html`<div class="panel" part="panel" data-test="panel" data-signed-in=${String(desk.signedIn)} data-connection=${desk.connection.state}>
      <header>
        <h1 class="heard">${this.terms.product}</h1>
        <cti-desk-bar .desk=${desk} exportparts="bar" @cti-menu=${() => this.#menu?.show()}></cti-desk-bar>
      </header>
      <div aria-live="assertive" class="heard" data-test="announcement">${desk.announcement}</div>
      <main>${!desk.signedIn ? html`<cti-sign-in .desk=${desk}></cti-sign-in>` : desk.enrolling.demanded ? this.#enrol() : this.#desk()}</main>
      <div class="toasts" role="status">${desk.toasts.shown.map((toast) => this.#toast(toast.id, toast.text, toast.kind))}</div>
      <cti-menu .desk=${desk}></cti-menu>
    </div>`;
  }

  #enrol(): TemplateResult {
    const { desk, terms } = this;
    return html`<section class="box enrol" data-test="must-enrol">
      <h2>${terms.codes}</h2>
      <cti-second-factor .desk=${desk}></cti-second-factor>
      <button type="button" @click=${() => void desk.signOut()}>${terms.signOut}</button>
    </section>`;
  }

  #desk(): TemplateResult {
    const { desk, terms } = this;
    const { cards } = desk;
    return html`<div class="banners">${this.#connection()} ${this.#sound()}</div>
      ${
        desk.live === null
          ? nothing
          : html`<div class="calls" aria-label=${terms.calls} role="region">
                ${cards.length === 0 ? this.#idle() : nothing}
                ${repeat(
                  cards,
                  (call) => call.id,
                  (call) =>
                    html`<cti-call-card .desk=${desk} .call=${call} exportparts="card, head, greeting, who, name"></cti-call-card>`,
                )}
              </div>
              <div class="lists">
                <cti-missed-list class="box" .desk=${desk}></cti-missed-list>
                <cti-dialer class="box" .desk=${desk}></cti-dialer>
                <cti-recent-list class="box" .desk=${desk}></cti-recent-list>
              </div>`
      }`;
  }

  #idle(): TemplateResult {
    const { terms } = this;
    const away = this.desk.live?.agent.presence === "away";
    return html`<div class="idle" data-test="idle">
      ${icon("phone")}
      <div>
        <h2>${away ? terms.away : terms.idleTitle}</h2>
        <p class="quiet">${away ? terms.idleAway : terms.idleLead}</p>
      </div>
    </div>`;
  }

  #connection(): TemplateResult | typeof nothing {
    const { desk, terms } = this;
    const { state } = desk.connection;
    if (state === "live") return nothing;
    if (state === "connecting") {
      return html`<p class="banner" data-test="connection" data-state=${state} role="status">${terms.connecting}</p>`;
    }
    if (state === "stopped") {
      return html`<p class="banner bad" data-test="connection" data-state=${state} role="alert">
        <span>${terms.connectionStopped}</span>
        <button type="button" @click=${() => location.reload()}>${terms.reload}</button>
      </p>`;
    }
    return html`<p class="banner warn" data-test="connection" data-state=${state} role="status">
      ${icon("warning")}<span>${terms.reconnecting}</span>
      <button type="button" data-test="retry" @click=${() => desk.wake()}>${terms.retryNow}</button>
    </p>`;
  }

  #sound(): TemplateResult | typeof nothing {
    const { desk, terms } = this;
    if (desk.ringer.sound !== "off") return nothing;
    return html`<p class="banner warn" data-test="sound-off">
      ${icon("silent")}<span>${terms.soundOff}</span>
      <button type="button" data-test="sound-test" @click=${() => void desk.ringer.tone.test()}>${terms.soundTest}</button>
    </p>`;
  }

  #toast(id: number, text: string, kind: string): TemplateResult {
    return html`<p class="toast ${kind}" part="toast" data-test="toast" data-kind=${kind}>
      <span>${text}</span>
      <button type="button" class="plain" aria-label=${this.terms.closeMessage} @click=${() => this.desk.toasts.close(id)}>${icon("close")}</button>
    </p>`;
  }

  get #menu(): HTMLElementTagNameMap["cti-menu"] | null {
    return this.renderRoot.querySelector("cti-menu");
  }

  #tell<Name extends keyof BridgeEventMap>(name: Name, detail: BridgeEventMap[Name]["detail"]): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #key = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    // An open <dialog> closes itself.
    if (event.composedPath().some((node) => node instanceof HTMLDialogElement)) return;
    if (event.key === "Escape") {
      const typing = typedIn(event);
      if (typing instanceof HTMLElement) typing.blur();
      else this.#tell("cti-collapse", null);
      return;
    }
    if (typedIn(event) !== null) return;
    const act = { "?": () => this.#menu?.showHelp(), n: () => this.#focusNote(), d: () => this.#focusDialer() }[
      event.key
    ];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  /** The new card stands on top; whoever is typing further down stays there. */
  #showTop(): void {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    if (active?.matches("input, textarea, select")) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollTo({ top: 0, behavior: still ? "auto" : "smooth" });
  }

  #focusNote(): void {
    for (const card of this.renderRoot.querySelectorAll("cti-call-card")) if (card.focusNote()) return;
  }

  #focusDialer(): void {
    this.renderRoot.querySelector("cti-dialer")?.focusNumber();
  }

  /** Any touch may unlock the sound that was tested in this browser before. */
  #gesture = (): void => {
    if (this.desk?.ringer.tone.tested && !this.desk.ringer.tone.unlocked) void this.desk.ringer.tone.unlock();
  };

  #leave = (): void => this.desk?.leave();

  /** Phones may end a hidden page without another word: what is unsaved goes out now. */
  #wake = (): void => {
    if (document.hidden) this.desk?.leave();
    else this.desk?.wake();
  };

  /** For the page that holds the panel: its own title while a call rings. */
  get ringingTitle(): string | null {
    const ringing = this.desk?.cards.find((call) => call.phase === "ringing" && call.direction === "inbound");
    return ringing === undefined ? null : `☎ ${this.terms.ringing}: ${whoText(ringing, this.terms)}`;
  }
}
