// How long to wait before the next attempt at the live socket: full jitter, so that a thousand widgets do not come back as one.

const SHORTEST = 500;
const LONGEST = 20_000;
/** A connection that lived this long counts as good, and the next failure starts from the beginning. */
const SETTLED = 10_000;

export const GOING_AWAY = 1001;
export const TRY_AGAIN_LATER = 1013;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** A connection ended after `lived` milliseconds with this close code (null: it never opened). Milliseconds to wait. */
  after(closeCode: number | null, lived: number, retryAfter = 0): number {
    if (lived >= SETTLED) this.#failures = 0;
    const wait = this.#wait(closeCode);
    this.#failures += 1;
    return Math.max(wait, retryAfter);
  }

  #wait(closeCode: number | null): number {
    // The server restarts and says so: it will be back at once, only spread the agents a little.
    if (closeCode === GOING_AWAY && this.#failures === 0) return this.#random() * 2_000;
    const floor = closeCode === TRY_AGAIN_LATER ? 5_000 : SHORTEST;
    const ceiling = Math.min(LONGEST, floor * 2 ** (this.#failures + 1));
    return floor + this.#random() * (ceiling - floor);
  }
}
