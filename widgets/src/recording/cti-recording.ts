// <cti-recording>: the whole page that plays a recording: sign-in, the call's facts, the player or why there is none.
import { css, html, nothing, type TemplateResult } from "lit";
import { DeskElement } from "../panel/desk-element.js";
import { controls, theme } from "../panel/theme.js";
import type { RecordedCall } from "../protocol.js";
import { callerText, clock } from "../wording.js";
import type { Listening, Trouble } from "./listening.js";

export class RecordingPage extends DeskElement<Listening> {
  static override styles = [
    theme,
    controls,
    css`
      :host {
        min-block-size: 100%;
        background: var(--_bg);
        color-scheme: light dark;
      }
      main {
        display: grid;
        gap: 16px;
        max-inline-size: 640px;
        margin-inline: auto;
        padding: 16px 12px 32px;
      }
      h1 {
        font-size: 20px;
        line-height: 1.4;
      }
      h2 {
        font-size: 17px;
        line-height: 1.4;
      }
      .box {
        display: grid;
        gap: 12px;
        padding: 16px;
        border: 1px solid var(--_line);
        border-radius: var(--_radius);
        background: var(--_surface);
      }
      .told:empty {
        position: absolute;
      }
      .box > button {
        justify-self: start;
      }
      dl {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: 4px 16px;
      }
      dt {
        color: var(--_quiet);
      }
      dd .number {
        white-space: nowrap;
      }
      dd strong {
        font-size: 17px;
      }
      @media (min-width: 700px) {
        main {
          padding-block-start: 6vh;
        }
        .box {
          padding: 20px 24px;
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { desk } = this;
    const { words } = desk;
    if (desk.linkIsWhole && !desk.signedIn) {
      return html`<main lang=${desk.language}>
        <h1 class="heard">${words.title}</h1>
        <cti-sign-in .desk=${desk}></cti-sign-in>
      </main>`;
    }
    return html`<main lang=${desk.language} data-test="recording">
      <h1>${words.title}</h1>
      ${desk.call === null ? nothing : this.#facts(desk.call)}
      <div class="told" aria-live="polite">${desk.trouble === null ? nothing : this.#trouble(desk.trouble)}${this.#waiting()}</div>
      ${
        desk.sound === null
          ? nothing
          : html`<section class="box">
              <cti-player
                .sound=${desk.sound}
                .words=${words}
                .seconds=${desk.call?.talk_seconds ?? 0}
                @cti-unplayable=${() => desk.cannotPlay()}
              ></cti-player>
            </section>`
      }
    </main>`;
  }

  #waiting(): TemplateResult | typeof nothing {
    if (this.desk.trouble !== null || this.desk.sound !== null) return nothing;
    return html`<p class="box" role="status" data-test="fetching">${this.desk.words.fetching}</p>`;
  }

  #trouble({ heading, mend, again }: Trouble): TemplateResult {
    return html`<section class="box" data-test="trouble">
      <h2>${heading}</h2>
      <p>${mend}</p>
      ${
        again
          ? html`<button type="button" class="primary" data-test="again" @click=${() => void this.desk.load()}>
              ${this.desk.words.tryAgain}
            </button>`
          : nothing
      }
    </section>`;
  }

  #facts(call: RecordedCall): TemplateResult {
    const { words, terms, language } = this.desk;
    const number = callerText(call.caller, terms);
    const began = call.started_at === null ? null : new Date(call.started_at);
    const moment = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
    return html`<dl class="box" data-test="facts">
      <dt>${words.party}</dt>
      <dd>
        <strong data-test="party">${call.contact_name ?? number}</strong>
        <span class="quiet">
          ${call.contact_name === null ? nothing : html`<span class="number">${number}</span> · `}${
            call.direction === "inbound" ? words.inbound : words.outbound
          }
        </span>
      </dd>
      ${began === null ? nothing : html`<dt>${words.when}</dt><dd data-test="when">${moment.format(began)}</dd>`}
      ${
        call.line === null
          ? nothing
          : html`<dt>${words.line}</dt><dd>
                ${call.line.name} <span class="quiet number">${call.line.display}</span>
              </dd>`
      }
      ${call.agent === null ? nothing : html`<dt>${words.agent}</dt><dd data-test="agent">${call.agent}</dd>`}
      <dt>${words.talked}</dt>
      <dd class="number">${clock(call.talk_seconds * 1000)}</dd>
    </dl>`;
  }
}
