// Joins the desk to the Salesforce screen: rings open the panel, matches open records, clicks dial, pages can be related, logs refresh the view.
import type { Desk } from "../src/panel/desk.js";
import { plainNumber } from "../src/number.js";
import type { Call } from "../src/protocol.js";
import { callerText, safeLink } from "../src/wording.js";
import type { Lead } from "./lead.js";
import { Pops, type Wish } from "./pops.js";
import { recordOfLink } from "./record-id.js";
import { Refusal, type Surface } from "./surface.js";

const NAME = "Salesforce";

export class Join {
  readonly #desk: Desk;
  readonly #surface: Surface;
  readonly #lead: Lead;
  readonly #pops = new Pops();
  #label: string | null = null;

  constructor(desk: Desk, surface: Surface, lead: Lead) {
    this.#desk = desk;
    this.#surface = surface;
    this.#lead = lead;
    const { openSearch, openNewRecord } = surface;
    desk.offers = {
      name: NAME,
      search: openSearch && ((call) => this.#try(openSearch(callerText(call.caller, desk.terms)))),
      create: openNewRecord && ((call) => this.#try(openNewRecord(callerText(call.caller, desk.terms)))),
    };
    surface.onDial((number, record) => this.#dial(number, record));
    surface.onNavigate((record) => {
      desk.screenRecord = record;
    });
    desk.listen({ onChange: () => this.#hear() });
    this.#hear();
  }

  /** This tab leads from now on: what rings must be seen here. */
  led(): void {
    if (this.#ringing() !== undefined) this.#surface.show(true);
  }

  /** Links to records of `origins` open in the Salesforce page that holds the panel, not in a tab with a second phone. */
  openInside(panel: HTMLElement, origins: readonly string[]): void {
    if (this.#surface.kind !== "open-cti") return;
    panel.addEventListener("click", (event) => {
      if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
      const id = link === undefined ? null : recordOfLink(link.href, origins);
      if (link === undefined || id === null) return;
      event.preventDefault();
      this.#try(this.#surface.openRecord({ id, url: link.href, asked: true }));
    });
  }

  #hear(): void {
    const desk = this.#desk;
    const wishes = this.#pops.next(desk.live?.calls ?? null, this.#lead.alone, desk.screenRecord?.id ?? null);
    if (this.#lead.held) for (const wish of wishes) this.#fulfil(wish);
    const label = this.#caller();
    if (label === this.#label) return;
    this.#label = label;
    this.#surface.label(label);
  }

  #fulfil(wish: Wish): void {
    if (wish.type === "show") this.#surface.show(true);
    else if (wish.type === "refresh") this.#surface.refresh();
    else {
      const { contact, picked } = wish;
      this.#try(this.#surface.openRecord({ id: contact.id, url: safeLink(contact.url), asked: picked }));
    }
  }

  #dial(number: string, record: string | null): void {
    if (!this.#lead.seen) return;
    this.#lead.take();
    this.#surface.show(true);
    void this.#desk.dial({ number: plainNumber(number), ...(record === null ? {} : { record_id: record }) });
  }

  /** "● 03-1234-5678 山本 さくら" while there is somebody to talk to. */
  #caller(): string | null {
    const call = this.#ringing() ?? this.#desk.cards.find((one) => one.phase === "talking" || one.phase === "ringing");
    if (call === undefined) return null;
    const name = call.choice?.contact.name ?? "";
    return `● ${callerText(call.caller, this.#desk.terms)} ${name}`.trim();
  }

  #ringing(): Call | undefined {
    return this.#desk.cards.find((call) => call.phase === "ringing" && call.direction === "inbound");
  }

  #try(work: Promise<void>): void {
    const { terms, toasts } = this.#desk;
    work.catch((error: unknown) => {
      const words = error instanceof Refusal ? error.words : "";
      toasts.add(words === "" ? terms.screenSilent(NAME) : terms.screenRefused(NAME, words), "failure");
    });
  }
}
