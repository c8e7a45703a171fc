// The embedded bridge on a host's page: dock, channel, linker and the page's own small API (window.CTIBridge).
import type { CallNews, PanelMessage } from "../messages.js";
import { plainNumber } from "../number.js";
import type { Language } from "../protocol.js";
import { enHost, type HostTerms } from "../terms/en.js";
import { jaHost } from "../terms/ja.js";
import { askForNotifications, markTitle, notificationState, notify } from "./attention.js";
import { DialEvent } from "./dial-button.js";
import { Dock } from "./dock.js";
import { Linker } from "./linker.js";
import { recall, recallSignedOut, rememberSignedOut } from "./memory.js";
import type { EmbedOptions } from "./options.js";
import { PanelChannel } from "./panel-channel.js";

export interface BridgeEvents {
  /** A call's card changed: its phase or its contact. */
  readonly call: CallNews;
  /** A number of this page is about to be dialled. */
  readonly dial: { readonly number: string; readonly record: string | null };
  /** The dock was opened or collapsed. */
  readonly open: { readonly open: boolean };
}

type Listener<Name extends keyof BridgeEvents> = (detail: BridgeEvents[Name]) => void;

/** From this width on the dock starts open: below it, it would cover the page. Pixels. */
const ROOMY = 1000;
const TERMS: Readonly<Record<Language, HostTerms>> = { ja: jaHost, en: enHost };

export class Bridge {
  readonly #options: EmbedOptions;
  readonly dock: Dock;
  readonly #channel: PanelChannel;
  readonly #linker: Linker | null;
  readonly #listeners = new Map<string, Set<(detail: never) => void>>();
  #ready = false;
  #touched = false;
  #record: { readonly record: string | null; readonly title: string } | null = null;
  #waiting: { number: string; record: string | null } | null = null;

  constructor(page: Document, view: Window, options: EmbedOptions) {
    this.#options = options;
    const source = new URL(`panel?language=${options.language}`, options.base);
    const roomy = view.innerWidth >= ROOMY;
    this.dock = new Dock(
      source.href,
      recall({ open: options.open ?? roomy, place: options.place }),
      TERMS[options.language],
      (open) => {
        this.#channel.tell({ type: "open", open });
        this.#emit("open", { open });
      },
    );
    this.#channel = new PanelChannel(view, this.dock.frame, source.origin, (message) => this.#hear(message));
    // Also after a reload of the frame alone: the panel does not remember its host.
    this.dock.frame.addEventListener("load", () => this.#greet());
    // In the document's bubble phase: a page that dials by itself has cancelled the event by then.
    page.addEventListener(DialEvent.type, (event) => {
      if (event.defaultPrevented || typeof event.detail?.number !== "string") return;
      this.dial(event.detail.number, { record: event.detail.record });
    });
    this.#linker =
      options.linkNumbers === null
        ? null
        : new Linker(page, options.linkNumbers, { dial: (number, record) => this.dial(number, { record }) });
    // Not pointerdown: of a finger, only its lifting counts with browsers.
    for (const gesture of ["pointerup", "keydown"]) {
      page.addEventListener(gesture, () => this.#touch(), { once: true, capture: true, passive: true });
    }
    this.dock.placeIn(page);
    this.#linker?.start();
  }

  /** Rings the agent's own phone, then this number. The bridge decides whether it is one. */
  dial = (number: string, { record = null }: { readonly record?: string | null } = {}): void => {
    const plain = plainNumber(number);
    if (plain === "") return;
    this.#emit("dial", { number: plain, record });
    this.dock.setOpen(true);
    if (this.#ready) this.#channel.tell({ type: "dial", number: plain, record });
    else this.#waiting = { number: plain, record };
  };

  /** Calls back on each event until the returned function is called. */
  on = <Name extends keyof BridgeEvents>(name: Name, listener: Listener<Name>): (() => void) => {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener as (detail: never) => void);
    return () => listeners.delete(listener as (detail: never) => void);
  };

  /** The CRM's record that this page shows now, or null: the card then offers to relate its call to it. */
  showRecord = (record: string | null, title = ""): void => {
    this.#record = { record, title };
    if (this.#ready) this.#channel.tell({ type: "record", record, title });
  };

  open = (): void => this.dock.setOpen(true);

  close = (): void => this.dock.setOpen(false);

  #touch(): void {
    this.#touched = true;
    if (this.#ready) this.#channel.tell({ type: "touched" });
  }

  #greet(): void {
    this.#channel.tell({
      type: "hello",
      language: this.#options.language,
      open: this.dock.open,
      notifications: notificationState(),
      vouches: this.#options.vouch !== undefined,
      signedOut: recallSignedOut(),
    });
    this.#ready = true;
    if (this.#touched) this.#channel.tell({ type: "touched" });
    if (this.#record !== null) this.#channel.tell({ type: "record", ...this.#record });
    if (this.#waiting !== null) this.#channel.tell({ type: "dial", ...this.#waiting });
    this.#waiting = null;
  }

  #hear(message: PanelMessage): void {
    switch (message.type) {
      case "state":
        this.dock.show(TERMS[message.language] ?? enHost, message.ringing, message.missed);
        markTitle(document, message.ringing > 0);
        return;
      case "call":
        this.#emit("call", message.call);
        return;
      case "open":
        if (message.open) this.dock.setOpen(true);
        else this.dock.collapseFromInside();
        return;
      case "notify":
        notify(message.title, message.body, message.tag, () => this.dock.setOpen(true));
        return;
      case "ask-notifications":
        void askForNotifications().then((state) => this.#channel.tell({ type: "notifications", state }));
        return;
      case "ask-ticket":
        void this.#options.vouch?.().then((vouched) => this.#channel.tell({ type: "ticket", ...vouched }));
        return;
      case "signed-out":
        rememberSignedOut(message.out);
    }
  }

  #emit<Name extends keyof BridgeEvents>(name: Name, detail: BridgeEvents[Name]): void {
    document.dispatchEvent(new CustomEvent(`cti-bridge:${name}`, { detail }));
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as Listener<Name>)(detail);
      } catch (error) {
        // A host's mistake must not silence the phone.
        console.warn("cti-bridge: a listener of the page failed", error);
      }
    }
  }
}
