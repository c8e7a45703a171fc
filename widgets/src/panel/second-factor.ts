// <cti-second-factor>: sets up one-time codes: the picture for the app, the first code, the recovery codes to keep.
import { css, html, nothing, type TemplateResult } from "lit";
import { DeskElement } from "./desk-element.js";
import { controls, theme } from "./theme.js";

export class SecondFactor extends DeskElement {
  static override properties = { ...DeskElement.properties, busy: { state: true }, failure: { state: true } };
  declare busy: boolean;
  declare failure: string;
  static override styles = [
    theme,
    controls,
    css`
      .steps {
        display: grid;
        gap: 12px;
      }
      img {
        inline-size: min(220px, 100%);
        justify-self: center;
        border-radius: 8px;
      }
      code {
        font-size: 14px;
        user-select: all;
      }
      .codes {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(130px, 1fr));
        gap: 4px 12px;
        padding: 10px 12px;
        border: 1px solid var(--_line);
        border-radius: 9px;
      }
    `,
  ];

  constructor() {
    super();
    this.busy = false;
    this.failure = "";
  }

  protected override render(): TemplateResult {
    const { enrolling } = this.desk;
    return html`<div class="steps" data-test="second-factor">
      ${
        enrolling.recoveryCodes !== null
          ? this.#keep(enrolling.recoveryCodes)
          : enrolling.begun !== null
            ? this.#confirm(enrolling.begun.qr, enrolling.begun.secret)
            : this.#state()
      }
      <div role="alert">${this.failure === "" ? nothing : html`<p class="failure" data-test="second-factor-failure">${this.failure}</p>`}</div>
    </div>`;
  }

  #state(): TemplateResult {
    const { terms } = this;
    const { enrolling } = this.desk;
    if (enrolling.state?.on === true) {
      return html`<p data-test="codes-on">${terms.codesOn(enrolling.state.recovery_codes_left)}</p>`;
    }
    return html`<p>${enrolling.demanded ? terms.codesDemanded : terms.codesLead}</p>
      <button type="button" class=${enrolling.demanded ? "primary" : ""} ?disabled=${this.busy} data-test="codes-begin" @click=${() => this.#try(() => enrolling.begin())}>
        ${terms.codesBegin}
      </button>`;
  }

  #confirm(qr: string, secret: string): TemplateResult {
    const { terms } = this;
    return html`<p>${terms.codesPoint}</p>
      <img alt=${terms.codesPicture} data-test="codes-picture" src=${`data:image/svg+xml,${encodeURIComponent(qr)}`} />
      <p class="small">${terms.codesType} <code data-test="codes-secret">${secret}</code></p>
      <form class="steps" @submit=${this.#submit}>
        <div>
          <label for="code">${terms.code}</label>
          <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="20" required data-test="codes-code" />
        </div>
        <button class="primary" type="submit" ?disabled=${this.busy} data-test="codes-confirm">${terms.codesConfirm}</button>
      </form>`;
  }

  #keep(codes: readonly string[]): TemplateResult {
    const { terms } = this;
    return html`<p>${terms.codesKeep}</p>
      <ul class="codes" data-test="recovery-codes">
        ${codes.map((code) => html`<li><code>${code}</code></li>`)}
      </ul>
      <button type="button" class="primary" data-test="codes-kept" @click=${() => this.desk.enrolling.kept()}>${terms.codesKept}</button>`;
  }

  #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const code = String(new FormData(event.currentTarget as HTMLFormElement).get("code"));
    void this.#try(() => this.desk.enrolling.confirm(code));
  };

  async #try(work: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.failure = "";
    try {
      await work();
    } catch (error) {
      this.failure = this.desk.problemText(error);
    } finally {
      this.busy = false;
    }
  }
}
