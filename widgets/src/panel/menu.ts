// <cti-menu>: language, ring tone, notifications, own window, shortcuts, signing out; and <dialog>s give Escape and focus for free.
import { css, html, nothing, type TemplateResult } from "lit";
import type { Language } from "../protocol.js";
import { DeskElement } from "./desk-element.js";
import { icon } from "./icons.js";
import { controls, theme } from "./theme.js";

export class Menu extends DeskElement {
  static override styles = [
    theme,
    controls,
    css`
      dialog {
        inline-size: min(400px, calc(100vw - 24px));
        max-block-size: calc(100dvh - 24px);
        padding: 16px;
        overflow: auto;
        border: 1px solid var(--_line);
        border-radius: var(--_radius);
        background: var(--_surface);
        color: var(--_text);
      }
      dialog::backdrop {
        background: rgb(10 18 26 / 0.45);
      }
      .top {
        display: flex;
        align-items: center;
        justify-content: space-between;
        margin-block-end: 8px;
      }
      h2 {
        font-size: 17px;
      }
      .group {
        padding-block: 12px;
        border-block-start: 1px solid var(--_line);
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      summary {
        display: list-item;
        cursor: pointer;
      }
      button[aria-pressed="true"] {
        border-color: var(--_accent);
        background: var(--_accent-soft);
      }
      input[type="range"] {
        inline-size: 100%;
        accent-color: var(--_accent);
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 8px 14px;
        align-items: baseline;
      }
      kbd {
        padding: 1px 7px;
        border: 1px solid var(--_edge);
        border-radius: 6px;
        font: inherit;
        font-size: 13px;
        white-space: nowrap;
      }
    `,
  ];

  show(): void {
    this.renderRoot.querySelector<HTMLDialogElement>("#menu")?.showModal();
  }

  showHelp(): void {
    this.#close();
    this.renderRoot.querySelector<HTMLDialogElement>("#help")?.showModal();
  }

  protected override render(): TemplateResult {
    return html`${this.#menu()}${this.#help()}`;
  }

  #menu(): TemplateResult {
    const { terms, desk } = this;
    return html`<dialog id="menu" aria-labelledby="menu-title" data-test="menu-dialog">
      ${this.#top("menu-title", terms.settings)}
      ${desk.live === null ? nothing : html`<p class="quiet">${terms.signedInAs(desk.live.agent.name)}</p>`}
      <div class="group" role="group" aria-labelledby="language-label">
        <span class="label" id="language-label">${terms.language}</span>
        <div class="row">${this.#languageButton("ja", "日本語")} ${this.#languageButton("en", "English")}</div>
      </div>
      <div class="group">
        <p class="label">${terms.sound}</p>
        <p class="small" data-test="sound-state" data-state=${desk.ringer.sound}>${this.#soundWords()}</p>
        <label for="volume">${terms.volume}</label>
        <input id="volume" type="range" min="0" max="1" step="0.05" data-test="volume" .value=${String(desk.ringer.tone.volume)} @input=${(event: InputEvent) => desk.ringer.tone.setVolume((event.currentTarget as HTMLInputElement).valueAsNumber)} />
        <button type="button" data-test="menu-sound-test" @click=${() => void desk.ringer.tone.test()}>${icon("sound")}${terms.soundTest}</button>
      </div>
      <div class="group">
        <p class="label">${terms.notifications}</p>
        ${this.#notifications()}
      </div>
      ${desk.signedIn ? this.#codes() : nothing}
      <div class="group row">
        <button type="button" data-test="help" @click=${() => this.showHelp()}>${terms.help}</button>
        ${desk.embedded ? html`<a class="button" href=${location.pathname} target="_blank" rel="noopener">${terms.popOut}</a>` : nothing}
        ${desk.signedIn ? html`<button type="button" data-test="sign-out" @click=${this.#signOut}>${terms.signOut}</button>
              <button type="button" data-test="sign-out-everywhere" @click=${this.#signOutEverywhere}>${terms.signOutEverywhere}</button>` : nothing}
      </div>
    </dialog>`;
  }

  #help(): TemplateResult {
    const { terms } = this;
    const keys: readonly (readonly [string, string])[] = [
      ["1 – 9", terms.helpPick],
      ["N", terms.helpNote],
      ["Ctrl + Enter", terms.helpComplete],
      ["D", terms.helpDial],
      ["?", terms.helpHelp],
      ["Esc", terms.helpEscape],
    ];
    return html`<dialog id="help" aria-labelledby="help-title" data-test="help-dialog">
      ${this.#top("help-title", terms.help)}
      <dl>
        ${keys.map(
          ([key, words]) =>
            html`<dt><kbd>${key}</kbd></dt>
              <dd>${words}</dd>`,
        )}
      </dl>
    </dialog>`;
  }

  #top(id: string, title: string): TemplateResult {
    return html`<div class="top">
      <h2 id=${id}>${title}</h2>
      <button type="button" class="plain" aria-label=${this.terms.close} title=${this.terms.close} @click=${this.#close}>${icon("close")}</button>
    </div>`;
  }

  #languageButton(language: Language, name: string): TemplateResult {
    return html`<button type="button" lang=${language} data-test="language-${language}" aria-pressed=${String(this.language === language)} @click=${() => void this.desk.setLanguage(language)}>
      ${name}
    </button>`;
  }

  #soundWords(): string {
    const { terms } = this;
    return { on: terms.soundOn, elsewhere: terms.soundElsewhere, off: terms.soundOff }[this.desk.ringer.sound];
  }

  #notifications(): TemplateResult {
    const { terms, desk } = this;
    if (desk.notifications === "default") {
      return html`<button type="button" data-test="notifications" @click=${() => this.dispatchEvent(new CustomEvent("cti-ask-notifications", { bubbles: true, composed: true }))}>
        ${terms.notificationsAllow}
      </button>`;
    }
    const words = {
      granted: terms.notificationsOn,
      denied: terms.notificationsDenied,
      unsupported: terms.notificationsNone,
    };
    return html`<p class="small" data-test="notifications" data-state=${desk.notifications}>${words[desk.notifications]}</p>`;
  }

  #close = (): void => {
    for (const dialog of this.renderRoot.querySelectorAll("dialog")) dialog.close();
  };

  /** Loaded when it is opened: most agents never look at it. */
  #codes(): TemplateResult {
    const { terms, desk } = this;
    return html`<details class="group" data-test="codes" @toggle=${(event: Event) => {
      if ((event.currentTarget as HTMLDetailsElement).open) void desk.enrolling.load().catch(() => undefined);
    }}>
      <summary class="label">${terms.codes}</summary>
      <cti-second-factor .desk=${desk}></cti-second-factor>
    </details>`;
  }

  #signOutEverywhere(): void {
    this.#close();
    void this.desk.signOutEverywhere();
  }

  #signOut(): void {
    this.#close();
    void this.desk.signOut();
  }
}
