// Signing in without a password: the CRM's own server vouches for its user, the host's page brings the ticket. When to ask, and what became of it.
import type { VouchProblem } from "../messages.js";

/** off: the host cannot vouch. ready: it can, when the agent asks. */
export type VouchState = "off" | "ready" | "asking" | "failed";

export interface VouchingOwner {
  readonly signedIn: () => boolean;
  /** Signs in with a ticket; throws when the bridge refuses it. */
  readonly redeem: (ticket: string) => Promise<void>;
  readonly onChange: () => void;
}

const PATIENCE = 12_000;
/** A session that ends again this soon is not renewed by itself: something is wrong that a new ticket does not mend. */
const AT_MOST_EVERY = 60_000;

export class Vouching {
  readonly #owner: VouchingOwner;
  readonly #now: () => number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  #signedOut = false;
  state: VouchState = "off";
  problem: VouchProblem | null = null;
  /** Asks the host's page for a ticket; filled in by the panel's page, as is the next. */
  askHost: () => void = () => undefined;
  /** Has the host's page remember who stays out. */
  tellHost: (signedOut: boolean) => void = () => undefined;

  constructor(now: () => number, owner: VouchingOwner) {
    this.#now = now;
    this.#owner = owner;
  }

  /** The host's page has said hello, and whether its server vouches. */
  offer(vouches: boolean, signedOut: boolean): void {
    this.#signedOut = signedOut;
    if (vouches === (this.state !== "off")) return;
    this.#become(vouches ? "ready" : "off");
    this.#askUnlessSignedOut();
  }

  /** The session is over. Whoever signed out on purpose stays out. */
  ended(): void {
    if (this.state !== "off" && this.#now() - this.#askedAt > AT_MOST_EVERY) this.#askUnlessSignedOut();
  }

  ask(): void {
    if (this.state === "off" || this.state === "asking") return;
    this.#askedAt = this.#now();
    this.#become("asking");
    this.#timer = setTimeout(() => this.#fail("unreachable"), PATIENCE);
    this.askHost();
  }

  /** What the host's page brought. */
  async answer(ticket: string | null, problem: VouchProblem | null): Promise<void> {
    if (this.state !== "asking") return;
    if (ticket === null) {
      this.#fail(problem ?? "unreachable");
      return;
    }
    if (!this.#owner.signedIn()) {
      try {
        await this.#owner.redeem(ticket);
      } catch {
        this.#fail("refused");
        return;
      }
    }
    this.#become("ready");
  }

  /** Signed out on purpose: a reload must not sign in again by itself. */
  keepOut(): void {
    this.#remember(true);
  }

  /** Signed in, however. */
  letIn(): void {
    this.#remember(false);
    if (this.state !== "off") this.#become("ready");
  }

  #remember(signedOut: boolean): void {
    if (signedOut === this.#signedOut) return;
    this.#signedOut = signedOut;
    this.tellHost(signedOut);
  }

  #askUnlessSignedOut(): void {
    if (!this.#owner.signedIn() && !this.#signedOut) this.ask();
  }

  #fail(problem: VouchProblem): void {
    this.#become("failed");
    this.problem = problem;
    this.#owner.onChange();
  }

  #become(state: VouchState): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.state = state;
    this.problem = null;
    this.#owner.onChange();
  }
}
