// The plug-in on an app's page, desktop and mobile alike: the docked panel, call buttons, the caller's record, numbers made plain on save.
import "../../src/embed/dial-button-define.js";
import { Bridge } from "../../src/embed/bridge.js";
import { drawing } from "../../src/embed/drawing.js";
import { SafeStorage } from "../../src/live/ports.js";
import { Editing } from "./editing.js";
import type { Kintone, KintoneApp, KintoneEvent, KintoneRecord } from "./kintone.js";
import { fillNormalised } from "./normalise.js";
import { MARKED, PhoneFields, recordName } from "./numbers.js";
import { RecordOpener } from "./open-record.js";
import { Pops } from "./pops.js";
import { readSettings, type Settings } from "./settings.js";
import { vouch } from "./vouch.js";
import { languageOf, TERMS } from "./words.js";

/** What differs between kintone's desktop and mobile screens. */
export interface Surface {
  readonly app: KintoneApp;
  readonly events: "app" | "mobile.app";
  /** The address of a record on this kind of screen; the bridge knows the desktop's. */
  readonly address: (url: string) => string;
}

/** Null where the plug-in has not been set up, or is on the page already. */
export function startPage(kintone: Kintone, surface: Surface, pluginId: string): Bridge | null {
  const settings = readSettings(kintone.plugin.app.getConfig(pluginId));
  if (settings === null || window.CTIBridge !== undefined) return null;
  const language = languageOf(kintone);
  const bridge = new Bridge(document, window, {
    base: `${settings.bridge}/widgets/`,
    language,
    place: settings.place,
    linkNumbers: MARKED,
    // kintone's own buttons stand where the dock would: it opens when it rings, or when the agent opens it.
    open: false,
    ...(settings.vouch ? { vouch: () => vouch(kintone, pluginId, settings.bridge) } : {}),
  });
  const { dial, on, open, close } = bridge;
  window.CTIBridge = Object.freeze({ dial, on, open, close });
  new Page(kintone, surface, settings, bridge).start();
  return bridge;
}

class Page {
  readonly #kintone: Kintone;
  readonly #surface: Surface;
  readonly #settings: Settings;
  readonly #bridge: Bridge;
  readonly #numbers: PhoneFields;
  readonly #editing = new Editing(document);
  readonly #opener: RecordOpener;
  #shown: string | null = null;

  constructor(kintone: Kintone, surface: Surface, settings: Settings, bridge: Bridge) {
    this.#kintone = kintone;
    this.#surface = surface;
    this.#settings = settings;
    this.#bridge = bridge;
    const codes = settings.phones.map(({ code }) => code);
    this.#numbers = new PhoneFields(document, surface.app, codes);
    const pops = new Pops({
      storage: () => localStorage,
      locks: (navigator.locks as LockManager | undefined) ?? null,
      focused: () => document.hasFocus(),
      hidden: () => document.hidden,
    });
    this.#opener = new RecordOpener(TERMS[languageOf(kintone)], {
      claim: (key) => pops.claim(key),
      shown: () => this.#shown,
      editing: () => this.#editing.active,
      go: (url) => go(surface.address(url)),
      openTab: (url) => window.open(surface.address(url), "_blank") !== null,
      show: (question) => bridge.dock.showNotice(question),
      attract: bridge.open,
      preferences: new SafeStorage(() => localStorage),
      session: new SafeStorage(() => sessionStorage),
    });
  }

  start(): void {
    const { events } = this.#surface;
    this.#on(["record.index.show"], (event) => this.#showList(event));
    this.#on(["record.detail.show"], (event) => this.#showRecord(event));
    this.#on(["record.create.show", "record.edit.show"], () => this.#beginEditing());
    this.#on(["record.create.submit", "record.edit.submit"], (event) => this.#normalise(event));
    if (events === "app") {
      // Rows are edited in the desktop's list only.
      this.#on(["record.index.edit.show"], () => {
        this.#editing.begin();
        this.#opener.refresh();
      });
      this.#on(["record.index.edit.submit"], (event) => this.#normalise(event));
      this.#on(["record.index.edit.finish"], () => {
        this.#editing.end();
        this.#opener.refresh();
      });
    }
    this.#bridge.on("call", (call) => void this.#opener.hear(call));
    this.#bridge.dock.addTool(this.#choiceButton());
  }

  /** kintone applies an event only if its last handler gives it back; and a mistake of ours must not keep anybody from saving. */
  #on(names: readonly string[], handle: (event: KintoneEvent) => void): void {
    this.#kintone.events.on(
      names.map((name) => `${this.#surface.events}.${name}`),
      (event) => {
        try {
          handle(event);
        } catch (error) {
          console.warn("cti-bridge:", error);
        }
        return event;
      },
    );
  }

  #showList(event: KintoneEvent): void {
    this.#editing.end();
    const records: readonly KintoneRecord[] = Array.isArray(event.records) ? event.records : [];
    this.#numbers.showList(records.map((record) => recordName(event.appId, String(record["$id"]?.value ?? ""))));
    this.#become(null, "");
  }

  #showRecord(event: KintoneEvent): void {
    this.#editing.end();
    if (event.recordId === undefined) return;
    const record = recordName(event.appId, event.recordId);
    this.#numbers.showRecord(record);
    const { title } = this.#settings;
    const name = title === null ? undefined : event.record?.[title]?.value;
    this.#become(record, typeof name === "string" && name !== "" ? name : `No. ${event.recordId}`);
  }

  #beginEditing(): void {
    this.#editing.begin();
    this.#numbers.hide();
    this.#opener.refresh();
  }

  #normalise(event: KintoneEvent): void {
    if (event.record !== undefined) fillNormalised(event.record, this.#settings.phones, this.#settings.region);
  }

  #become(record: string | null, title: string): void {
    this.#shown = record;
    this.#bridge.showRecord(record, title);
    this.#opener.refresh();
  }

  #choiceButton(): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset["test"] = "open-settings";
    button.title = TERMS[languageOf(this.#kintone)].openSettings;
    button.setAttribute("aria-label", button.title);
    button.append(drawing("window"));
    button.addEventListener("click", () => this.#opener.toggleChoice());
    return button;
  }
}

/** An address that differs from this page's in its fragment only would not load anything by itself. */
function go(url: string): void {
  const there = new URL(url, location.href);
  const samePage = there.href.split("#")[0] === location.href.split("#")[0];
  location.assign(there);
  if (samePage) location.reload();
}
