// Makes the host page's phone numbers clickable: tel: links are taken over, other elements get a <cti-dial> after the number.
import { numberOfLink, numbersIn } from "../number.js";
import { TEL_LINKS } from "./options.js";

/** Late pages render in bursts; one look per pause is enough. */
const PAUSE = 80;
const MANY = 200;
/** An element that is known to hold a telephone number gets a button even beside a tel: link of the page's own. */
const PHONE_FIELD = "[data-cti-phone]";
/** Where people type, and what is ours: never touched. */
const HANDS_OFF =
  'input, textarea, select, script, style, noscript, template, cti-dial, [data-cti-bridge], [data-cti-link="off"]';
/** A button inside a button is no valid page: ours goes behind. */
const INTERACTIVE = 'a[href], button, label, summary, [role="button"], [role="link"], [role="tab"], [role="menuitem"]';

export interface LinkerOwner {
  readonly dial: (number: string, record: string | null) => void;
}

export class Linker {
  readonly #page: Document;
  readonly #selector: string;
  readonly #owner: LinkerOwner;
  readonly #placed = new Map<Element, readonly HTMLElement[]>();
  readonly #dirty = new Set<Element>();
  readonly #observer: MutationObserver;
  readonly #onClick = (event: MouseEvent): void => this.#click(event);
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(page: Document, selector: string, owner: LinkerOwner) {
    this.#page = page;
    this.#selector = validSelector(page, selector);
    this.#owner = owner;
    this.#observer = new MutationObserver((mutations) => this.#notice(mutations));
  }

  start(): void {
    // On the window and after everyone else: what the page handles itself stays the page's.
    this.#page.defaultView?.addEventListener("click", this.#onClick);
    this.#observer.observe(this.#page.documentElement, {
      childList: true,
      subtree: true,
      characterData: true,
      attributeFilter: ["data-cti-phone", "data-cti-record"],
    });
    this.#look(this.#page.documentElement);
  }

  /** Takes every button of ours off the page again. */
  stop(): void {
    this.#page.defaultView?.removeEventListener("click", this.#onClick);
    this.#observer.disconnect();
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const buttons of this.#placed.values()) for (const button of buttons) button.remove();
    this.#placed.clear();
  }

  #click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event
      .composedPath()
      .find((node): node is HTMLAnchorElement => node instanceof HTMLAnchorElement && node.matches(TEL_LINKS));
    if (link === undefined || !link.matches(this.#selector) || link.closest(HANDS_OFF) !== null) return;
    if (link.isContentEditable) return;
    const number = numberOfLink(link.getAttribute("href") ?? "");
    if (number === "") return;
    event.preventDefault();
    this.#owner.dial(number, recordOf(link));
  }

  #notice(mutations: readonly MutationRecord[]): void {
    for (const mutation of mutations) {
      const target = mutation.target instanceof Element ? mutation.target : mutation.target.parentElement;
      if (target !== null) this.#dirty.add(target);
    }
    if (this.#dirty.size > 0) this.#timer ??= setTimeout(() => this.#lookAgain(), PAUSE);
  }

  #lookAgain(): void {
    this.#timer = null;
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    for (const [element, buttons] of this.#placed) {
      if (element.isConnected) continue;
      for (const button of buttons) button.remove();
      this.#placed.delete(element);
    }
    if (dirty.length > MANY) this.#look(this.#page.documentElement);
    else for (const element of dirty) if (element.isConnected) this.#look(element);
  }

  /** At this element, inside it, and at the matched element around it whose text may have changed. */
  #look(element: Element): void {
    const around = element.closest(this.#selector);
    if (around !== null) this.#link(around);
    for (const inside of element.querySelectorAll(this.#selector)) this.#link(inside);
  }

  #link(element: Element): void {
    const numbers = this.#mayCarry(element) ? numbersIn(element.textContent ?? "") : [];
    const before = this.#placed.get(element) ?? [];
    const standing = before.every((button) => button.isConnected);
    const record = recordOf(element);
    const same =
      before.length === numbers.length &&
      before.every((one, at) => one.getAttribute("number") === numbers[at] && one.getAttribute("record") === record);
    if (standing && same) return;
    for (const button of before) button.remove();
    this.#placed.delete(element);
    if (numbers.length === 0) return;
    const buttons = numbers.map((number) => this.#button(number, element));
    const around = element.closest(INTERACTIVE);
    if (around === null) element.append(...buttons);
    else around.after(...buttons);
    this.#placed.set(element, buttons);
  }

  #mayCarry(element: Element): boolean {
    if (element.closest(HANDS_OFF) !== null || (element instanceof HTMLElement && isEdited(element))) return false;
    if (element.matches(PHONE_FIELD)) return element.querySelector("input, textarea, select") === null;
    // A tel: link dials by itself; and of nested matches the innermost carries the button.
    if (element.matches(TEL_LINKS) || element.closest(TEL_LINKS) !== null) return false;
    return (
      element.querySelector(`${TEL_LINKS}, input, textarea`) === null && element.querySelector(this.#selector) === null
    );
  }

  #button(number: string, element: Element): HTMLElement {
    const button = this.#page.createElement("cti-dial");
    button.setAttribute("number", number);
    button.setAttribute("compact", "");
    const record = recordOf(element);
    if (record !== null) button.setAttribute("record", record);
    return button;
  }
}

/** The page names the record on the element or around it: <tr data-cti-record="4711">. */
function recordOf(element: Element): string | null {
  return element.closest("[data-cti-record]")?.getAttribute("data-cti-record") ?? null;
}

function isEdited(element: HTMLElement): boolean {
  return element.isContentEditable || element.closest('[contenteditable]:not([contenteditable="false" i])') !== null;
}

function validSelector(page: Document, selector: string): string {
  try {
    page.querySelector(selector);
    return selector;
  } catch {
    console.warn(`cti-bridge: data-link-numbers is no CSS selector, only tel: links are made clickable: ${selector}`);
    return TEL_LINKS;
  }
}
