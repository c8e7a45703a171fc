// The plug-in on kintone's screens: which events it listens to, what it tells the panel, what it saves, and that it breaks nothing.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startPage, type Surface } from "../../kintone/src/page.js";
import { type Settings, writeSettings } from "../../kintone/src/settings.js";
import type { Bridge } from "../../src/embed/bridge.js";
import { cell, FakeKintone, PLUGIN, record } from "./fake-kintone.js";

const SETTINGS: Settings = {
  bridge: "https://cti.example.co.jp",
  phones: [{ code: "電話", normalised: "電話_正規化" }],
  title: "会社名",
  place: "bottom-left",
  vouch: true,
  region: "JP",
};

const addresses: string[] = [];
Object.defineProperty(HTMLIFrameElement.prototype, "src", {
  set: (address: string) => addresses.push(address),
  get: () => "",
});

let kintone: FakeKintone;

beforeEach(() => {
  document.body.replaceChildren();
  localStorage.clear();
  sessionStorage.clear();
  delete window.CTIBridge;
  addresses.length = 0;
  kintone = new FakeKintone();
  kintone.config = writeSettings(SETTINGS);
});

afterEach(() => {
  delete window.CTIBridge;
});

function start(events: Surface["events"] = "app"): Bridge {
  const app = events === "app" ? kintone.app : kintone.mobile.app;
  const bridge = startPage(kintone, { app, events, address: (url) => url }, PLUGIN);
  if (bridge === null) throw new Error("the plug-in did not start");
  return bridge;
}

describe("the plug-in", () => {
  it("frames the panel of the bridge that was set, in the user's language, where it was set to sit", () => {
    start();
    expect(addresses).toEqual(["https://cti.example.co.jp/widgets/panel?language=ja"]);
    const box = document.querySelector("[data-cti-bridge]")?.shadowRoot?.querySelector<HTMLElement>(".box");
    expect(box?.dataset["place"]).toBe("bottom-left");
  });

  it("does nothing before it was set up", () => {
    kintone.config = null;
    expect(startPage(kintone, { app: kintone.app, events: "app", address: (url) => url }, PLUGIN)).toBeNull();
    expect(document.querySelector("[data-cti-bridge]")).toBeNull();
    expect(kintone.listened).toEqual([]);
  });

  it("makes one dock, however often it is loaded", () => {
    start();
    expect(startPage(kintone, { app: kintone.app, events: "app", address: (url) => url }, PLUGIN)).toBeNull();
    expect(document.querySelectorAll("[data-cti-bridge]")).toHaveLength(1);
  });

  it("listens on mobile to mobile's events only, which know no editing in lists", () => {
    start("mobile.app");
    expect(kintone.listened.every((type) => type.startsWith("mobile.app.record."))).toBe(true);
    expect(kintone.listened.filter((type) => type.includes("index.edit"))).toEqual([]);
  });
});

describe("events", () => {
  it("are given back to kintone, whichever they are", () => {
    start();
    for (const type of new Set(kintone.listened)) {
      const event = kintone.fire(type, { record: record(5), recordId: 5, records: [] });
      expect(event, type).toMatchObject({ type });
    }
  });

  it("that surprise us are given back all the same: nobody is kept from saving", () => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    start();
    const broken = new Proxy(record(5), {
      get: () => {
        throw new Error("surprise");
      },
    });
    expect(kintone.fire("app.record.edit.submit", { record: broken })).not.toBe(false);
  });
});

describe("saving", () => {
  it.each([
    "app.record.create.submit",
    "app.record.edit.submit",
    "app.record.index.edit.submit",
  ])("%s fills the normalised field", (type) => {
    start();
    const saved = kintone.fire(type, { record: record(5, { 電話: "０３ー１２３４ー５６７８", 電話_正規化: "" }) });
    expect(saved).toMatchObject({ record: { 電話_正規化: { value: "+81312345678" } } });
  });

  it.each(["mobile.app.record.create.submit", "mobile.app.record.edit.submit"])("%s on mobile, too", (type) => {
    start("mobile.app");
    const saved = kintone.fire(type, { record: record(5, { 電話: "03-1234-5678", 電話_正規化: "" }) });
    expect(saved).toMatchObject({ record: { 電話_正規化: { value: "+81312345678" } } });
  });
});

describe("the record on the screen", () => {
  it("is told by its app and number, and by the field that names it", () => {
    const bridge = start();
    const shown = vi.spyOn(bridge, "showRecord");
    kintone.fire("app.record.detail.show", { recordId: 5, record: record(5, { 会社名: "青空商事" }) });
    expect(shown).toHaveBeenLastCalledWith("27:5", "青空商事");
    kintone.fire("app.record.detail.show", { recordId: 6, record: record(6, { 会社名: "" }) });
    expect(shown).toHaveBeenLastCalledWith("27:6", "No. 6");
  });

  it("is none on a list", () => {
    const bridge = start();
    const shown = vi.spyOn(bridge, "showRecord");
    kintone.fire("app.record.index.show", { records: [record(5)] });
    expect(shown).toHaveBeenLastCalledWith(null, "");
  });
});

describe("call buttons", () => {
  it("stand on the list and are gone while a record is edited", async () => {
    start();
    kintone.elements = { 電話: [cell("03-1234-5678")] };
    kintone.fire("app.record.index.show", { records: [record(5)] });
    await vi.waitFor(() => expect(document.querySelector("cti-dial")?.record).toBe("27:5"));
  });

  it("do not disturb a calendar, whose records are no rows", () => {
    start();
    expect(kintone.fire("app.record.index.show", { records: { "2026-11-22": [record(5)] } })).not.toBe(false);
  });
});
