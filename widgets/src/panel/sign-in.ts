// <cti-sign-in>: e-mail and password, and the words of a refusal.
import { css, html, nothing, type TemplateResult } from "lit";
import { Problem } from "../api.js";
import type { VouchProblem } from "../messages.js";
import type { Terms } from "../terms/terms.js";
import type { Desk } from "./desk.js";
import { DeskElement, type Place } from "./desk-element.js";
import { controls, theme } from "./theme.js";

/** What the form needs of the page it stands on: the panel's desk, or another page of ours. */
export interface Door extends Place, Pick<Desk, "sessionEnded" | "dialNumber" | "signIn" | "problemText"> {
  readonly vouching: Pick<Desk["vouching"], "state" | "problem" | "ask">;
}

export class SignIn extends DeskElement<Door> {
  static override properties = { ...DeskElement.properties, busy: { state: true }, failure: { state: true }, asksCode: { state: true } };
  declare busy: boolean;
  declare failure: string;
  /** The password was right; the bridge wants a one-time code too. */
  declare asksCode: boolean;
  static override styles = [
    theme,
    controls,
    css`
      form {
        display: grid;
        gap: 14px;
        max-inline-size: 400px;
        margin: 8vh auto 0;
        padding: 24px 20px;
        border: 1px solid var(--_line);
        border-radius: var(--_radius);
        background: var(--_surface);
      }
      #code-hint {
        margin-block-start: 6px;
      }
      .waiting {
        margin: 12vh auto 0;
        text-align: center;
      }
      h2 {
        font-size: 22px;
        line-height: 1.3;
      }
    `,
  ];

  constructor() {
    super();
    this.busy = false;
    this.failure = "";
    this.asksCode = false;
  }

  protected override render(): TemplateResult {
    const { terms } = this;
    const { vouching } = this.desk;
    if (vouching.state === "asking") {
      return html`<p class="waiting" role="status" data-test="vouching">${terms.vouching}</p>`;
    }
    const words = this.failure !== "" ? this.failure : this.desk.sessionEnded ? terms.sessionEnded : vouchWords(vouching.problem, terms);
    return html`<form data-test="sign-in" @submit=${this.#submit}>
      <div>
        <h2>${terms.product}</h2>
        <p class="quiet">${terms.signInLead}</p>
      </div>
      <div role="alert">${words === "" ? nothing : html`<p class="failure" data-test="sign-in-failure">${words}</p>`}</div>
      ${this.desk.dialNumber === "" ? nothing : html`<p class="warning">${terms.dialSignIn} ${this.desk.dialNumber}</p>`}
      <div>
        <label for="email">${terms.email}</label>
        <input id="email" name="email" type="email" autocomplete="username" required data-test="email" />
      </div>
      <div>
        <label for="password">${terms.password}</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required data-test="password" />
      </div>
      ${
        this.asksCode
          ? html`<div>
              <label for="code">${terms.code}</label>
              <input id="code" name="code" inputmode="text" autocomplete="one-time-code" autocapitalize="off" maxlength="40" required aria-describedby="code-hint" data-test="code" />
              <p class="small quiet" id="code-hint">${terms.codeHint}</p>
            </div>`
          : nothing
      }
      <button class="primary" type="submit" ?disabled=${this.busy} data-test="sign-in-submit">
        ${this.busy ? terms.signingIn : terms.signIn}
      </button>
      ${
        vouching.state === "off" || vouching.problem === "vouching_off"
          ? nothing
          : html`<button type="button" data-test="vouch" @click=${() => vouching.ask()}>${terms.vouch}</button>`
      }
    </form>`;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    this.busy = true;
    this.failure = "";
    try {
      await this.desk.signIn(String(fields.get("email")), String(fields.get("password")), String(fields.get("code") ?? ""));
      this.asksCode = false;
    } catch (error) {
      const code = error instanceof Problem ? error.code : "";
      // Being asked for the code is no failure; only the field is new.
      this.failure = code === "code_required" && !this.asksCode ? "" : this.desk.problemText(error);
      if (code === "code_required") this.asksCode = true;
      if (code === "code_required" || code === "wrong_code") await this.#focusCode();
    } finally {
      this.busy = false;
    }
  }

  async #focusCode(): Promise<void> {
    await this.updateComplete;
    const field = this.renderRoot.querySelector<HTMLInputElement>("#code");
    field?.focus();
    field?.select();
  }
}

/** A bridge that demands the agent's own sign-in is no failure: then the form says all there is to say. */
function vouchWords(problem: VouchProblem | null, terms: Terms): string {
  if (problem === null || problem === "vouching_off") return "";
  return {
    wrong_secret: terms.vouchWrongSecret,
    agent_not_found: terms.vouchNobody,
    unreachable: terms.vouchUnreachable,
    refused: terms.vouchRefused,
  }[problem];
}
