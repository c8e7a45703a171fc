// Whether somebody is editing on this page, so that leaving it would lose what they typed.

const TYPED = 'input:not([type="button"], [type="submit"], [type="checkbox"], [type="radio"]), textarea, select';

export class Editing {
  readonly #page: Document;
  /** What somebody typed into on this page: a click into the panel takes the keyboard away, and not what was typed. */
  readonly #touched = new Set<HTMLElement>();
  #form = false;

  constructor(page: Document) {
    this.#page = page;
    page.addEventListener("input", (event) => this.#touch(event), { capture: true, passive: true });
  }

  /** A record's form is open: the create and edit screens, or a row of the list. */
  begin(): void {
    this.#form = true;
  }

  end(): void {
    this.#form = false;
  }

  /** Also a comment or a search that somebody has typed and not sent: kintone tells us nothing of those. */
  get active(): boolean {
    if (this.#form) return true;
    for (const element of this.#touched) if (!element.isConnected) this.#touched.delete(element);
    const focused = this.#page.activeElement;
    return [...this.#touched, ...(focused instanceof HTMLElement ? [focused] : [])].some(holdsText);
  }

  #touch(event: Event): void {
    const path = event.composedPath();
    const [target] = path;
    if (!(target instanceof HTMLElement) || target instanceof HTMLSelectElement) return;
    // The dock's own fields hold nothing that leaving the page would lose.
    if (!path.some((one) => one instanceof HTMLElement && one.dataset["ctiBridge"] !== undefined)) this.#touched.add(target);
  }
}

function holdsText(element: HTMLElement): boolean {
  if (element.isContentEditable) return (element.textContent ?? "").trim() !== "";
  return element.matches(TYPED) && "value" in element && element.value !== "";
}
