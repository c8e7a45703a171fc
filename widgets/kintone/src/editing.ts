// Whether somebody is editing on this page, so that leaving it would lose what they typed.

const TYPED = 'input:not([type="button"], [type="submit"], [type="checkbox"], [type="radio"]), textarea, select';

export class Editing {
  readonly #page: Document;
  #form = false;

  constructor(page: Document) {
    this.#page = page;
  }

  /** A record's form is open: the create and edit screens, or a row of the list. */
  begin(): void {
    this.#form = true;
  }

  end(): void {
    this.#form = false;
  }

  /** Also a comment or a search that somebody is typing just now: kintone tells us nothing of those. */
  get active(): boolean {
    if (this.#form) return true;
    const focused = this.#page.activeElement;
    if (!(focused instanceof HTMLElement)) return false;
    if (focused.isContentEditable) return (focused.textContent ?? "").trim() !== "";
    return focused.matches(TYPED) && "value" in focused && focused.value !== "";
  }
}
