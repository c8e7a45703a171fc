// Setting up one-time codes: how far the agent is, and the bridge's answers. The element that draws it is <cti-second-factor>.
import type { Api } from "../api.js";
import type { Enrolment, SecondFactorState } from "../protocol.js";

export interface EnrollingOwner {
  readonly api: () => Pick<Api, "secondFactor" | "beginTotp" | "confirmTotp">;
  readonly onChange: () => void;
  /** The agent has what the bridge demands, and may go on. */
  readonly onDone: () => void;
}

export class Enrolling {
  readonly #owner: EnrollingOwner;
  /** Whether the bridge lets this agent do nothing else before. */
  demanded = false;
  state: SecondFactorState | null = null;
  begun: Enrolment | null = null;
  /** Shown once; until the agent says that they are kept. */
  recoveryCodes: readonly string[] | null = null;

  constructor(owner: EnrollingOwner) {
    this.#owner = owner;
  }

  demand(): void {
    if (this.demanded) return;
    this.demanded = true;
    this.#owner.onChange();
  }

  /** Throws a Problem, as all of these do. */
  async load(): Promise<void> {
    this.state = await this.#owner.api().secondFactor();
    this.#owner.onChange();
  }

  async begin(): Promise<void> {
    this.begun = await this.#owner.api().beginTotp();
    this.#owner.onChange();
  }

  async confirm(code: string): Promise<void> {
    const { recovery_codes } = await this.#owner.api().confirmTotp(code);
    this.recoveryCodes = recovery_codes;
    this.begun = null;
    this.state = { on: true, demanded: this.state?.demanded ?? false, recovery_codes_left: recovery_codes.length };
    this.#owner.onChange();
  }

  /** The recovery codes are kept. */
  kept(): void {
    const { demanded } = this;
    this.recoveryCodes = null;
    this.demanded = false;
    this.#owner.onChange();
    if (demanded) this.#owner.onDone();
  }

  /** The bridge lets the agent work: it was set up in another tab. Not while this tab still has something to show. */
  admitted(): void {
    if (this.begun === null && this.recoveryCodes === null) this.demanded = false;
  }

  /** Nobody is signed in any more. */
  forget(): void {
    this.demanded = false;
    this.state = null;
    this.begun = null;
    this.recoveryCodes = null;
  }
}
