// The settings screen: the app's own fields to choose from, what is saved where, and the test that says in words what is wrong.
import axe from "axe-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { showConfig } from "../../kintone/src/config-page.js";
import { readSettings, SECRET_HEADER, ticketAddress, writeSettings } from "../../kintone/src/settings.js";
import { en } from "../../kintone/src/terms/en.js";
import { ja } from "../../kintone/src/terms/ja.js";
import { tryBridge } from "../../kintone/src/trial.js";
import { enclose } from "../../src/messages.js";
import { FakeKintone, PLUGIN } from "./fake-kintone.js";

const BRIDGE = "https://cti.example.co.jp";
const OPENAPI = JSON.stringify({ info: { title: "CTI Bridge" } });

let kintone: FakeKintone;
let place: HTMLElement;
/** Whether the bridge lets this page show its panel. */
let framed: boolean;

Object.defineProperty(HTMLIFrameElement.prototype, "src", { set: () => undefined, get: () => "" });

beforeEach(() => {
  kintone = new FakeKintone();
  kintone.screen = "settings";
  kintone.formFields = {
    会社名: { type: "SINGLE_LINE_TEXT", code: "会社名", label: "会社名" },
    電話: { type: "LINK", code: "電話", label: "電話番号", protocol: "CALL" },
    携帯: { type: "SINGLE_LINE_TEXT", code: "携帯", label: "携帯番号" },
    電話_正規化: { type: "SINGLE_LINE_TEXT", code: "電話_正規化", label: "電話(正規化)" },
    計算: { type: "SINGLE_LINE_TEXT", code: "計算", label: "計算", expression: "会社名 & 携帯" },
    金額: { type: "NUMBER", code: "金額", label: "金額" },
    明細: { type: "SUBTABLE", code: "明細", label: "明細" },
  };
  framed = true;
  document.body.replaceChildren();
  place = document.createElement("section");
  document.body.append(place);
});

const field = <E extends HTMLElement>(name: string): E => {
  const found = place.querySelector<E>(`[name="${name}"]`);
  if (found === null) throw new Error(`no field ${name}`);
  return found;
};
const phone = (code: string): HTMLInputElement => {
  const found = place.querySelector<HTMLInputElement>(`[name="phone"][value="${code}"]`);
  if (found === null) throw new Error(`no phone field ${code}`);
  return found;
};
const press = (test: string): void => place.querySelector<HTMLButtonElement>(`[data-test="${test}"]`)?.click();
const submit = (): boolean | undefined =>
  place.querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
const findings = (): string[] => [...place.querySelectorAll("[data-test=findings] li")].map((one) => one.textContent ?? "");

/** The panel in the test's own hidden frame, which answers where it is allowed to. */
function answerFrames(): void {
  new MutationObserver(() => {
    const frame = document.querySelector("iframe");
    if (frame === null || !framed || Object.hasOwn(frame, "contentWindow")) return;
    const panel = {
      postMessage: () => {
        const data = enclose({ type: "state", language: "ja", ringing: 0, missed: 0 });
        window.dispatchEvent(Object.assign(new Event("message"), { origin: BRIDGE, source: panel, data }));
      },
    };
    Object.defineProperty(frame, "contentWindow", { value: panel });
    frame.dispatchEvent(new Event("load"));
  }).observe(document.body, { childList: true });
}

describe("the form", () => {
  it("offers the app's text and link fields, the telephone link chosen beforehand", async () => {
    await showConfig(kintone, PLUGIN, place);
    const offered = [...place.querySelectorAll<HTMLInputElement>("[name=phone]")];
    expect(offered.map(({ value }) => value)).toEqual(["電話", "会社名", "携帯", "電話_正規化", "計算"]);
    expect(offered.filter(({ checked }) => checked).map(({ value }) => value)).toEqual(["電話"]);
  });

  it("offers as normalised only text that a script may write, and never the field itself", async () => {
    await showConfig(kintone, PLUGIN, place);
    const options = [...field<HTMLSelectElement>("normalised 携帯").options].map(({ value }) => value);
    expect(options).toEqual(["", "会社名", "電話_正規化"]);
  });

  it("speaks the user's language, and English to those who speak neither", async () => {
    await showConfig(kintone, PLUGIN, place);
    expect(place.textContent).toContain(ja.lead);
    kintone.language = "zh";
    await showConfig(kintone, PLUGIN, place);
    expect(place.textContent).toContain(en.lead);
  });

  it("shows what was saved, and names fields that the app has lost", async () => {
    kintone.config = writeSettings({
      bridge: BRIDGE,
      phones: [
        { code: "携帯", normalised: "電話_正規化" },
        { code: "なくなった", normalised: null },
      ],
      title: "会社名",
      place: "left",
      vouch: false,
      region: "JP",
    });
    await showConfig(kintone, PLUGIN, place);
    expect(field<HTMLInputElement>("address").value).toBe(BRIDGE);
    expect([phone("電話").checked, phone("携帯").checked]).toEqual([false, true]);
    expect(field<HTMLSelectElement>("normalised 携帯").value).toBe("電話_正規化");
    expect(field<HTMLSelectElement>("place").value).toBe("left");
    expect(place.textContent).toContain("なくなった");
  });

  it("has no accessibility mistakes that axe can find", async () => {
    await showConfig(kintone, PLUGIN, place);
    const found = await axe.run(place, { rules: { "color-contrast": { enabled: false } } });
    expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  });
});

describe("saving", () => {
  async function fill(): Promise<void> {
    await showConfig(kintone, PLUGIN, place);
    field<HTMLInputElement>("address").value = `${BRIDGE}/`;
    field<HTMLInputElement>("secret").value = "s3cret-s3cret";
    field<HTMLSelectElement>("normalised 電話").value = "電話_正規化";
    field<HTMLSelectElement>("title").value = "会社名";
  }

  it("puts the secret into the proxy's own store, for exactly the ticket's address, and nowhere else", async () => {
    await fill();
    submit();
    await vi.waitFor(() => expect(kintone.saved.at(-1)).toBe("config"));
    expect(kintone.stored.get(`POST ${ticketAddress(BRIDGE)}`)?.headers).toEqual({ [SECRET_HEADER]: "s3cret-s3cret" });
    expect(JSON.stringify(kintone.config)).not.toContain("s3cret");
    expect(readSettings(kintone.config)).toEqual({
      bridge: BRIDGE,
      phones: [{ code: "電話", normalised: "電話_正規化" }],
      title: "会社名",
      place: "right",
      vouch: true,
      region: "JP",
    });
  });

  it("keeps the saved secret when none is typed, and takes it along to a new address, leaving none behind", async () => {
    await fill();
    submit();
    await vi.waitFor(() => expect(kintone.saved.at(-1)).toBe("config"));
    await showConfig(kintone, PLUGIN, place);
    expect(field<HTMLInputElement>("secret").value).toBe("");
    expect(place.textContent).toContain(ja.secretKept);
    field<HTMLInputElement>("address").value = "https://new.example.co.jp";
    submit();
    await vi.waitFor(() => expect(kintone.saved.filter((one) => one === "config")).toHaveLength(2));
    expect(kintone.stored.get(`POST ${ticketAddress(BRIDGE)}`)?.headers).toEqual({});
    expect(kintone.stored.get(`POST ${ticketAddress("https://new.example.co.jp")}`)?.headers).toEqual({
      [SECRET_HEADER]: "s3cret-s3cret",
    });
  });

  it("empties the store when agents are to sign in themselves", async () => {
    await fill();
    submit();
    await vi.waitFor(() => expect(kintone.saved.at(-1)).toBe("config"));
    await showConfig(kintone, PLUGIN, place);
    press("sign-in-own");
    submit();
    await vi.waitFor(() => expect(readSettings(kintone.config)?.vouch).toBe(false));
    expect(kintone.stored.get(`POST ${ticketAddress(BRIDGE)}`)?.headers).toEqual({});
  });

  it.each<[string, () => void, string]>([
    ["no address", () => (field<HTMLInputElement>("address").value = ""), ja.addressEmpty],
    ["http", () => (field<HTMLInputElement>("address").value = "http://cti.example.co.jp"), ja.addressHttp],
    ["no secret", () => (field<HTMLInputElement>("secret").value = ""), ja.secretEmpty],
    ["no such country", () => (field<HTMLInputElement>("region").value = "ZZ"), ja.regionWrong],
    [
      "one normalised field for two",
      () => {
        phone("携帯").click();
        field<HTMLSelectElement>("normalised 携帯").value = "電話_正規化";
      },
      ja.normalisedTwice("電話(正規化)"),
    ],
    [
      "a telephone field to be filled",
      () => {
        phone("会社名").click();
        field<HTMLSelectElement>("normalised 電話").value = "会社名";
      },
      ja.normalisedIsPhone("会社名"),
    ],
  ])("saves nothing with %s, and says so", async (_, spoil, words) => {
    await fill();
    spoil();
    submit();
    expect(findings()).toEqual([words]);
    expect(kintone.saved).toEqual([]);
  });
});

describe("the test button", () => {
  const bridge =
    (ticket: [string, number]): FakeKintone["answer"] =>
    ({ url }) =>
      url.endsWith("/api/openapi.json") ? [OPENAPI, 200, {}] : [ticket[0], ticket[1], {}];
  const tried = { address: BRIDGE, secret: "s3cret" };

  beforeEach(answerFrames);

  it("finds everything well: reached, shown here, secret right", async () => {
    kintone.answer = bridge(['{"ticket":"t"}', 201]);
    expect(await tryBridge(tried, kintone, en, window)).toEqual([
      { level: "good", text: en.tryReached },
      { level: "good", text: en.tryOriginGood },
      { level: "good", text: en.trySecretGood },
    ]);
    expect(kintone.proxied.every(({ through }) => through === "script")).toBe(true);
    expect(document.querySelector("iframe")).toBeNull();
  });

  it.each<[string, [string, number], string, string]>([
    ["the wrong secret", ['{"code":"wrong_secret"}', 403], "bad", en.tryWrongSecret],
    ["a bridge that vouches for nobody", ['{"code":"vouching_off"}', 403], "bad", en.tryVouchingOff],
    ["an administrator who takes no calls", ['{"code":"agent_not_found"}', 404], "note", en.tryNobody("hanako@example.com")],
    ["a bridge in trouble", ['{"code":"server_error"}', 500], "bad", en.tryRefused(500)],
  ])("%s", async (_, ticket, level, text) => {
    kintone.answer = bridge(ticket);
    expect((await tryBridge(tried, kintone, en, window)).at(-1)).toEqual({ level, text });
  });

  it("an address that nothing answers at, or something else", async () => {
    kintone.answer = () => Promise.reject("no route");
    expect(await tryBridge(tried, kintone, en, window)).toEqual([{ level: "bad", text: en.tryUnreachable }]);
    for (const answer of ["<html>", '{"info":{"title":"Pet store"}}', "null"]) {
      kintone.answer = () => [answer, 200, {}];
      expect(await tryBridge(tried, kintone, en, window)).toEqual([{ level: "bad", text: en.tryNotOurs }]);
    }
  });

  it("http, before anything is sent anywhere", async () => {
    const found = await tryBridge({ address: "http://cti.example.co.jp", secret: "s" }, kintone, en, window);
    expect(found).toEqual([{ level: "bad", text: en.addressHttp }]);
    expect(kintone.proxied).toEqual([]);
  });

  it("an origin that the bridge does not know: names it, and where to write it", async () => {
    framed = false;
    vi.useFakeTimers();
    kintone.answer = bridge(['{"ticket":"t"}', 201]);
    const running = tryBridge(tried, kintone, en, window);
    await vi.advanceTimersByTimeAsync(9_000);
    vi.useRealTimers();
    expect((await running)[1]).toEqual({ level: "bad", text: en.tryOrigin(window.location.origin) });
  });

  it("asks for no ticket where agents sign in themselves", async () => {
    kintone.answer = bridge(["", 500]);
    expect(await tryBridge({ address: BRIDGE, secret: null }, kintone, en, window)).toHaveLength(2);
    expect(kintone.proxied).toHaveLength(1);
  });
});
