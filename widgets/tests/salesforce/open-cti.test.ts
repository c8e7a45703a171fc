// Open CTI behind the surface: when the page does without it, what is asked of it, and what its refusals become.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readFacts } from "../../salesforce/facts.js";
import { openCti } from "../../salesforce/open-cti.js";
import type { Surface } from "../../salesforce/surface.js";
import type { ScreenRecord } from "../../src/panel/screen.js";
import { settle } from "../fake-bridge.js";
import { CONTACT, FakeOpenCti, frame, type FrameOptions, LIGHTNING, ORG } from "./fake-open-cti.js";

const FACTS = readFacts(JSON.stringify({ org: ORG, api: "68.0" }));
if (FACTS === null) throw new Error("the facts are good");
const ALLOWED = ["https://intranet.example", "https://ACME.lightning.force.com"];

let salesforce: FakeOpenCti;
beforeEach(() => {
  vi.useFakeTimers();
  salesforce = new FakeOpenCti();
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});
afterEach(() => vi.useRealTimers());

const start = (view: Window): void => {
  view.sforce = { opencti: salesforce.api };
};
const why = (options: FrameOptions): Promise<string> =>
  openCti(frame(options).view, FACTS, ALLOWED).then(
    (surface) => surface.kind,
    (error: Error) => error.message,
  );

async function opened(options: FrameOptions = {}): Promise<Surface> {
  const surface = await openCti(frame({ script: start, ...options }).view, FACTS as NonNullable<typeof FACTS>, ALLOWED);
  salesforce.asked.length = 0;
  return surface;
}

describe("finding Open CTI", () => {
  it("loads the script from the org that the bridge names, whatever the address hints at", async () => {
    const { view, loaded } = frame({ script: start });
    await openCti(view, FACTS, ALLOWED);
    expect(loaded).toEqual([`${ORG}/support/api/68.0/lightning/opencti_min.js`]);
    expect(salesforce.of("notifyInitializationComplete")).toHaveLength(1);
  });

  it("loads nothing for a frame that is not allowed, has no hint, or is no frame", async () => {
    const from = (origin: string) => `https://bridge.example/widgets/salesforce?sfdcIFrameOrigin=${origin}`;
    for (const options of [
      { href: from("https://evil.lightning.force.com") },
      { href: from("javascript:alert(1)") },
      { href: "https://bridge.example/widgets/salesforce" },
      { alone: true },
      { ancestor: "https://evil.example" },
    ]) {
      const { view, loaded } = frame({ script: start, ...options });
      await expect(openCti(view, FACTS, ALLOWED)).rejects.toThrow(/may not hold|stands alone|no sfdcIFrameOrigin/);
      expect(loaded).toEqual([]);
    }
  });

  it("does without it when the script is blocked, never comes, or does not start", async () => {
    expect(await why({ script: "error" })).toMatch(/could not be loaded/);
    expect(await why({ script: () => undefined })).toMatch(/did not start/);
    const never = why({ script: null });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await never).toMatch(/could not be loaded/);
  });

  it("does without it when Salesforce refuses the first question or never answers it", async () => {
    salesforce.refusing.set("getCallCenterSettings", "No call center");
    expect(await why({ script: start })).toMatch(/No call center/);
    salesforce.refusing.clear();
    salesforce.silent.add("getCallCenterSettings");
    const silent = why({ script: start });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await silent).toMatch(/no answer/);
  });
});

describe("what is asked of it", () => {
  it("a record, a search and a new record with the number in it", async () => {
    const surface = await opened();
    await surface.openRecord({ id: CONTACT, url: null, asked: false });
    await surface.openSearch?.("045-000-0210");
    await surface.openNewRecord?.("045-000-0210");
    const values = { Phone: "045-000-0210" };
    expect(salesforce.of("screenPop")).toEqual([
      { type: "sfdc:SOBJECT", params: { recordId: CONTACT } },
      { type: "sfdc:SEARCH", params: { searchString: "045-000-0210" } },
      {
        type: "sfdc:NEW_RECORD_MODAL",
        params: { entityName: "Contact", defaultFieldValues: values },
        defaultFieldValues: values,
      },
    ]);
  });

  it("a refusal comes back in Salesforce's words, and silence without any", async () => {
    const surface = await opened();
    await expect(surface.openRecord({ id: "no id", url: null, asked: false })).rejects.toMatchObject({ words: "recordId is invalid" });
    await expect(surface.openSearch?.("03")).rejects.toMatchObject({ name: "Refusal" });
    salesforce.silent.add("screenPop");
    const silent = surface.openRecord({ id: CONTACT, url: null, asked: false });
    const heard = expect(silent).rejects.toMatchObject({ words: "" });
    await vi.advanceTimersByTimeAsync(5_000);
    await heard;
  });

  it("an answer that comes too late changes nothing", async () => {
    const surface = await opened();
    let late: ((reply: object) => void) | null = null;
    Object.assign(salesforce.api, {
      screenPop: ({ callback }: { callback: (reply: object) => void }) => {
        late = callback;
      },
    });
    const popped = surface.openRecord({ id: CONTACT, url: null, asked: false }).catch(() => "given up");
    await vi.advanceTimersByTimeAsync(5_000);
    (late as unknown as (reply: object) => void)({ success: true });
    expect(await popped).toBe("given up");
  });

  it("the panel opens, and grows only when it is too low", async () => {
    (await opened({ height: 600 })).show(true);
    await settle();
    expect(salesforce.asked).toEqual([{ method: "setSoftphonePanelVisibility", argument: { visible: true } }]);
    (await opened({ height: 240 })).show(true);
    await settle();
    expect(salesforce.of("setSoftphonePanelHeight")).toEqual([{ heightPX: 560 }]);
  });

  it("the label names the caller, is cut where it would not fit, and goes back", async () => {
    const surface = await opened();
    surface.label("● 03-1234-5678 山本 さくら");
    surface.label(`● ${"あ".repeat(80)}`);
    surface.label(null);
    const labels = salesforce.of("setSoftphoneItemLabel").map((one) => String(one["label"]));
    expect(labels[0]).toBe("● 03-1234-5678 山本 さくら");
    expect([labels[1]?.length, labels[1]?.at(-1)]).toEqual([40, "…"]);
    expect(labels[2]).toBe("CTI Bridge");
    expect(salesforce.of("setSoftphonePanelLabel")).toHaveLength(3);
  });

  it("what this version does not have is not offered, and not missed", async () => {
    Object.assign(salesforce.api, { SCREENPOP_TYPE: { SOBJECT: "sfdc:SOBJECT" }, refreshView: undefined, setSoftphonePanelLabel: undefined });
    const surface = await opened();
    expect([surface.openSearch, surface.openNewRecord]).toEqual([null, null]);
    surface.refresh();
    surface.label("x");
    await settle();
    expect(salesforce.of("setSoftphoneItemLabel")).toHaveLength(1);
  });

  it("a method that throws is a refusal like any other", async () => {
    const surface = await opened();
    Object.assign(salesforce.api, {
      screenPop: () => {
        throw new TypeError("not in this frame");
      },
    });
    await expect(surface.openRecord({ id: CONTACT, url: null, asked: false })).rejects.toMatchObject({ words: "not in this frame" });
  });
});

describe("what it tells", () => {
  it("a click on a number with its record, the second one as well as the first", async () => {
    const surface = await opened();
    const heard: unknown[] = [];
    salesforce.click("03-1234-5678", CONTACT);
    surface.onDial((...click) => heard.push(click));
    await settle();
    salesforce.click("03-1234-5678", CONTACT.slice(0, 15));
    salesforce.click("090-1111-2222", "");
    expect(heard).toEqual([
      ["03-1234-5678", CONTACT],
      ["090-1111-2222", null],
    ]);
  });

  it("the record that the agent sees at the start and goes to, and none for pages without one", async () => {
    salesforce.navigate(CONTACT, "山本 さくら", "Contact");
    const surface = await opened();
    const heard: (ScreenRecord | null)[] = [];
    surface.onNavigate((record) => heard.push(record));
    await settle();
    salesforce.navigate("500IR00000AbCdE", "00001026", "Case");
    salesforce.navigate("", "", "");
    salesforce.navigate("00TIR00000AbCdEYAV", "Call", "Task");
    expect(heard).toEqual([
      { id: CONTACT, title: "山本 さくら", kind: "Contact" },
      { id: "500IR00000AbCdEYAV", title: "00001026", kind: "Case" },
      null,
      null,
    ]);
  });

  it("the first page is not told when the agent has left it meanwhile", async () => {
    const surface = await opened();
    salesforce.silent.add("getAppViewInfo");
    const heard: (ScreenRecord | null)[] = [];
    surface.onNavigate((record) => heard.push(record));
    salesforce.navigate(CONTACT, "山本 さくら", "Contact");
    await settle();
    expect(heard.map((record) => record?.id)).toEqual([CONTACT]);
  });
});

it("Lightning's origin is compared as browsers spell it", async () => {
  expect(await why({ script: start, ancestor: LIGHTNING })).toBe("open-cti");
});
