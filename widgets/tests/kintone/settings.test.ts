// What an administrator types and what kintone keeps of it.
import { describe, expect, it } from "vitest";
import { readAddress, readSettings, type Settings, ticketAddress, writeSettings } from "../../kintone/src/settings.js";

const SETTINGS: Settings = {
  bridge: "https://cti.example.co.jp",
  phones: [
    { code: "電話", normalised: "電話_正規化" },
    { code: "携帯", normalised: null },
  ],
  title: "会社名",
  place: "bottom-right",
  vouch: true,
  region: "JP",
};

describe("the bridge's address", () => {
  it.each([
    ["https://cti.example.co.jp", "https://cti.example.co.jp"],
    [" cti.example.co.jp/ ", "https://cti.example.co.jp"],
    ["ｈｔｔｐｓ：／／cti.example.co.jp", "https://cti.example.co.jp"],
    ["https://cti.example.co.jp/phone/", "https://cti.example.co.jp/phone"],
    ["https://cti.example.co.jp/widgets/embed.js", "https://cti.example.co.jp"],
    ["http://127.0.0.1:5080", "http://127.0.0.1:5080"],
  ])("%j is %j", (typed, address) => {
    expect(readAddress(typed)).toEqual({ address });
  });

  it.each([
    ["", "empty"],
    ["  ", "empty"],
    ["http://cti.example.co.jp", "http"],
    ["https://", "unreadable"],
    ["ftp://cti.example.co.jp", "unreadable"],
    ["not an address", "unreadable"],
    ["https://me:secret@cti.example.co.jp", "unreadable"],
  ])("%j is none: %s", (typed, problem) => {
    expect(readAddress(typed)).toEqual({ problem });
  });

  it("is where tickets are asked for, exactly: kintone stores the secret for what begins with this", () => {
    expect(ticketAddress("https://cti.example.co.jp/phone")).toBe("https://cti.example.co.jp/phone/api/session/ticket");
  });
});

describe("settings", () => {
  it("come back from kintone as they were saved, as texts under plain keys", () => {
    const saved = writeSettings(SETTINGS);
    expect(Object.entries(saved).every(([key, value]) => /^[a-z]+$/.test(key) && typeof value === "string")).toBe(true);
    expect(readSettings(saved)).toEqual(SETTINGS);
  });

  it("hold no secret", () => {
    expect(JSON.stringify(writeSettings(SETTINGS))).not.toMatch(/secret/i);
  });

  it.each([null, {}, { settings: "{" }, { settings: "null" }, { settings: '{"bridge":"http://far.example"}' }])(
    "%j is not set up",
    (config) => {
      expect(readSettings(config as Record<string, string> | null)).toBeNull();
    },
  );

  it("that lost their shape fall back to what is safe", () => {
    const odd = { bridge: "https://cti.example.co.jp", phones: ["電話", { code: 5 }], place: "moon", region: "Japan" };
    expect(readSettings({ settings: JSON.stringify(odd) })).toEqual({
      bridge: "https://cti.example.co.jp",
      phones: [],
      title: null,
      place: "right",
      vouch: false,
      region: "JP",
    });
  });
});
