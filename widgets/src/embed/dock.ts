// The docked container on the host's page: the panel's frame, a bar to collapse and move it, and a button while it is collapsed.
import type { HostTerms } from "../terms/en.js";
import { dockCss } from "./dock-style.js";
import { drawing, styleSheet } from "./drawing.js";
import { type DockMemory, remember } from "./memory.js";
import { PLACES, type Place } from "./options.js";

export class Dock {
  readonly frame = document.createElement("iframe");
  readonly #host = document.createElement("div");
  readonly #box = document.createElement("section");
  readonly #title = document.createElement("span");
  readonly #move = iconButton("move");
  readonly #collapse = iconButton("collapse");
  readonly #launcher = iconButton("phone");
  readonly #badge = document.createElement("span");
  readonly #bar = document.createElement("div");
  readonly #notice = document.createElement("div");
  readonly #onToggle: (open: boolean) => void;
  #terms: HostTerms;
  #open: boolean;
  #place: Place;
  #ringing = 0;
  #missed = 0;

  constructor(source: string, memory: DockMemory, terms: HostTerms, onToggle: (open: boolean) => void) {
    this.#terms = terms;
    this.#open = memory.open;
    this.#place = memory.place;
    this.#onToggle = onToggle;
    this.#host.dataset["ctiBridge"] = "";
    // Inline and important: no rule of the host's page can hide or move the dock.
    for (const [name, value] of HOST_STYLE) this.#host.style.setProperty(name, value, "important");
    const root = this.#host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styleSheet(dockCss)];

    this.frame.src = source;
    this.frame.allow = "autoplay; microphone; clipboard-write";
    this.#badge.className = "badge";
    this.#launcher.className = "launcher";
    this.#launcher.append(this.#badge);
    this.#launcher.addEventListener("click", () => {
      this.setOpen(true);
      this.#collapse.focus();
    });
    this.#collapse.addEventListener("click", () => {
      this.setOpen(false);
      this.#launcher.focus();
    });
    this.#move.addEventListener("click", () => this.#moveOn());

    this.#bar.className = "bar";
    this.#title.className = "title";
    this.#bar.append(drawing("phone"), this.#title, this.#move, this.#collapse);
    this.#notice.className = "notice";
    this.#notice.setAttribute("role", "status");
    this.#box.className = "box";
    this.#box.append(this.#bar, this.#notice, this.frame);
    root.append(this.#box, this.#launcher);
    this.#draw();
  }

  get open(): boolean {
    return this.#open;
  }

  /** The body may not be there yet when the script is loaded early. */
  placeIn(page: Document): void {
    if (page.body !== null) page.body.append(this.#host);
    else page.addEventListener("DOMContentLoaded", () => page.body.append(this.#host), { once: true });
  }

  /** Shows or hides the panel. Never moves the focus: a ring opens the dock while the agent types elsewhere. */
  setOpen(open: boolean): void {
    if (open === this.#open) return;
    this.#open = open;
    this.#remember();
    this.#draw();
    this.#onToggle(open);
  }

  /** Collapsed from inside the panel: the focus was in there and would be lost. */
  collapseFromInside(): void {
    const inside = this.#host.shadowRoot?.activeElement === this.frame;
    this.setOpen(false);
    if (inside) this.#launcher.focus();
  }

  /** A button of the host's own in the bar, before the ones that move and collapse. */
  addTool(button: HTMLButtonElement): void {
    this.#bar.insertBefore(button, this.#move);
  }

  /** Something of the host's own between bar and panel, instead of what stood there; null: nothing. Never takes the focus. */
  showNotice(notice: HTMLElement | null): void {
    this.#notice.replaceChildren(...(notice === null ? [] : [notice]));
  }

  show(terms: HostTerms, ringing: number, missed: number): void {
    this.#terms = terms;
    this.#ringing = ringing;
    this.#missed = missed;
    this.#draw();
  }

  #moveOn(): void {
    this.#place = PLACES[(PLACES.indexOf(this.#place) + 1) % PLACES.length] ?? "right";
    this.#remember();
    this.#draw();
  }

  #remember(): void {
    remember({ open: this.#open, place: this.#place });
  }

  #draw(): void {
    const terms = this.#terms;
    this.#host.lang = terms.language;
    this.#box.dataset["place"] = this.#place;
    this.#launcher.dataset["place"] = this.#place;
    this.#box.dataset["open"] = String(this.#open);
    this.#launcher.dataset["open"] = String(this.#open);
    this.#launcher.dataset["ringing"] = String(this.#ringing > 0);
    this.#box.dataset["ringing"] = String(this.#ringing > 0);
    this.#box.setAttribute("aria-label", terms.panel);
    this.frame.title = terms.panel;
    this.#title.textContent = terms.panel;
    name(this.#move, terms.move);
    name(this.#collapse, terms.collapse);
    const state = this.#ringing > 0 ? terms.ringing : this.#missed > 0 ? terms.missed(this.#missed) : "";
    name(this.#launcher, state === "" ? terms.expand : `${terms.expand} (${state})`);
    this.#badge.textContent = this.#missed > 0 ? String(this.#missed) : "";
    this.#badge.hidden = this.#missed === 0;
  }
}

const HOST_STYLE = [
  ["all", "initial"],
  ["display", "block"],
  ["position", "fixed"],
  ["inset", "0"],
  ["z-index", "2147483000"],
  // The host spans the window so that nothing clips the dock, but only the dock itself takes clicks.
  ["pointer-events", "none"],
] as const;

function iconButton(shape: Parameters<typeof drawing>[0]): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset["test"] = `dock-${shape}`;
  button.append(drawing(shape));
  return button;
}

function name(button: HTMLButtonElement, label: string): void {
  button.setAttribute("aria-label", label);
  button.title = label;
}
