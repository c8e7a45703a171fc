// Short words that come and go: answered by a colleague, a request that failed.

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: "news" | "failure";
}

const STAYS = { news: 6_000, failure: 12_000 } as const;

export class Toasts {
  readonly #onChange: () => void;
  #shown: readonly Toast[] = [];
  #next = 1;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get shown(): readonly Toast[] {
    return this.#shown;
  }

  add(text: string, kind: Toast["kind"] = "news"): void {
    const id = this.#next++;
    this.#shown = [...this.#shown.filter((toast) => toast.text !== text), { id, text, kind }];
    setTimeout(() => this.close(id), STAYS[kind]);
    this.#onChange();
  }

  /** News go away at once: in a narrow panel they would lie over what the agent needs now. Failures stay. */
  makeWay(): void {
    this.#shown = this.#shown.filter((toast) => toast.kind === "failure");
    this.#onChange();
  }

  close(id: number): void {
    this.#shown = this.#shown.filter((toast) => toast.id !== id);
    this.#onChange();
  }
}
