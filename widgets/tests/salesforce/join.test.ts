// The desk joined to Open CTI: what pops when, once, in one of several tabs; clicks, pages, logs.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readFacts } from "../../salesforce/facts.js";
import { Join } from "../../salesforce/join.js";
import { Lead } from "../../salesforce/lead.js";
import { OpenCti } from "../../salesforce/open-cti.js";
import { Desk } from "../../src/panel/desk.js";
import type { Call, ServerFrame } from "../../src/protocol.js";
import { FakeBridge, fakeChannels, fakeLocks, settle } from "../fake-bridge.js";
import { call, callFrame, frame as wire } from "../fixtures.js";
import { CONTACT, FakeOpenCti, frame, ORG } from "./fake-open-cti.js";

const FACTS = readFacts(JSON.stringify({ org: ORG, api: "68.0" })) as NonNullable<ReturnType<typeof readFacts>>;
const CASE = "500IR00000AbCdEYAV";

class Tab {
  readonly salesforce = new FakeOpenCti();
  readonly page = Object.assign(new EventTarget(), { hidden: false });
  readonly view = Object.assign(new EventTarget(), { document: this.page }) as unknown as Window;
  readonly desk: Desk;
  readonly lead: Lead;
  readonly join: Join;

  constructor(ports: ReturnType<FakeBridge["ports"]>, hidden: boolean) {
    this.page.hidden = hidden;
    this.desk = new Desk(ports, { base: "https://bridge.example/", language: "ja", hidden: () => this.page.hidden });
    const surface = new OpenCti(frame().view, this.salesforce.api, FACTS);
    const joined: Join[] = [];
    this.lead = new Lead("https://bridge.example/", ports, this.view, () => joined[0]?.led());
    this.join = new Join(this.desk, surface, this.lead);
    joined.push(this.join);
  }

  async signIn(): Promise<void> {
    await this.desk.signIn("misaki@example.jp", "secret");
    await settle();
  }

  look(): void {
    this.page.hidden = false;
    this.page.dispatchEvent(new Event("visibilitychange"));
  }

  get pops(): readonly unknown[] {
    return this.salesforce.of("screenPop").map((one) => one["params"]);
  }

  get labels(): readonly unknown[] {
    return this.salesforce.of("setSoftphoneItemLabel").map((one) => one["label"]);
  }

  close(): void {
    this.lead.close();
    this.desk.close();
  }
}

let bridge: FakeBridge;
let shared: { locks: LockManager; openChannel: ((name: string) => BroadcastChannel) | null };
let tabs: Tab[];
let versions = 0;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-21T09:30:00Z") });
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  bridge = new FakeBridge();
  shared = { locks: fakeLocks(), openChannel: fakeChannels() };
  bridge.random = () => Math.random();
  tabs = [];
});
afterEach(() => {
  for (const tab of tabs) tab.close();
  vi.useRealTimers();
});

function open({ hidden = false } = {}): Tab {
  vi.advanceTimersByTime(1);
  const tab = new Tab(bridge.ports(shared), hidden);
  tabs.push(tab);
  return tab;
}

async function live(first: ServerFrame = wire("snapshot-empty")): Promise<Tab> {
  const tab = open();
  await tab.signIn();
  bridge.socket.open();
  bridge.socket.tell(first);
  await settle();
  return tab;
}

/** This example, as a newer version of the one call that the test is about. */
function told(name: string, changes: Partial<Call> = {}): Call {
  versions += 1;
  return { ...call(name), id: "CA1", version: 100 + versions, ...changes };
}

async function tell(name: string, changes: Partial<Call> = {}): Promise<void> {
  bridge.socket.tell({ ...callFrame(name), call: told(name, changes) });
  await settle();
}

const chosen = (id: string, how: "only_match" | "picked" | "learned" = "only_match"): Pick<Call, "choice"> => {
  const { choice } = call("call-ringing-stage-3");
  if (choice === null) throw new Error("the example has a choice");
  return { choice: { ...choice, how, contact: { ...choice.contact, id, name: "山本 さくら", url: `${ORG}/${id}` } } };
};

describe("a ring", () => {
  it("opens the panel, names the caller, and pops the record once, however many frames come", async () => {
    const tab = await live();
    await tell("call-ringing-stage-1");
    expect(tab.salesforce.of("setSoftphonePanelVisibility")).toEqual([{ visible: true }]);
    expect(tab.pops).toEqual([]);
    await tell("call-ringing-stage-2", chosen(CONTACT));
    await tell("call-ringing-stage-3", chosen(CONTACT));
    await tell("call-talking", chosen(CONTACT));
    expect(tab.pops).toEqual([{ recordId: CONTACT }]);
    expect(tab.salesforce.of("setSoftphonePanelVisibility")).toHaveLength(1);
    const { display } = call("call-talking").caller;
    expect(tab.labels.at(-1)).toBe(`● ${display} 山本 さくら`);
    await tell("call-wrapping-up", chosen(CONTACT));
    expect(tab.labels.at(-1)).toBe("CTI Bridge");
  });

  it("of a learned choice pops it too; a later pick of the agent's pops the other record", async () => {
    const tab = await live();
    await tell("call-ringing-learned", chosen(CONTACT, "learned"));
    await tell("call-talking-picked", chosen("003IR00000ZzZzZYAV", "picked"));
    expect(tab.pops).toEqual([{ recordId: CONTACT }, { recordId: "003IR00000ZzZzZYAV" }]);
  });

  it("of several pops nothing and offers the search page; of nobody offers a new record, but never while it rings", async () => {
    const tab = await live();
    await tell("call-ringing-many");
    await tell("call-ringing-unknown");
    expect(tab.pops).toEqual([]);
    tab.desk.offers?.search?.(call("call-ringing-many"));
    await settle();
    expect(tab.pops).toEqual([{ searchString: call("call-ringing-many").caller.display }]);
    expect(tab.desk.offers?.create).not.toBeNull();
  });

  it("that a colleague took leaves the screen alone", async () => {
    const tab = await live();
    await tell("call-elsewhere", chosen(CONTACT));
    expect(tab.pops).toEqual([]);
  });

  it("is popped when the page was loaded while it rang; a call in progress leaves the agent where they are", async () => {
    const calls = [told("call-ringing-stage-3", chosen(CONTACT)), told("call-talking", { ...chosen("003IR00000ZzZzZYAV"), id: "CA2" })];
    const tab = await live({ ...wire("snapshot-empty"), calls } as ServerFrame);
    expect(tab.pops).toEqual([{ recordId: CONTACT }]);
  });

  it("does not leave the record that is on the screen already", async () => {
    const tab = await live();
    tab.salesforce.navigate(CONTACT, "山本 さくら", "Contact");
    await tell("call-ringing-stage-3", chosen(CONTACT));
    expect(tab.pops).toEqual([]);
  });

  it("whose record Salesforce does not show says so in Salesforce's words", async () => {
    const tab = await live();
    tab.salesforce.refusing.set("screenPop", "Insufficient Privileges");
    await tell("call-ringing-stage-3", chosen(CONTACT));
    expect(tab.desk.toasts.shown.map((toast) => toast.text).join()).toContain("Insufficient Privileges");
  });
});

describe("a call the agent makes", () => {
  it("starts from a click in Salesforce with its record, twice in a row", async () => {
    const tab = await live();
    bridge.answer("POST calls", () => ({ status: 201, body: { call_id: "CA9" } }));
    tab.salesforce.click("０３－１２３４－５６７８", CONTACT);
    await settle();
    tab.salesforce.click("090-1111-2222", "");
    await settle();
    expect(bridge.askedFor("POST calls").map((one) => one.body)).toEqual([
      { number: "03-1234-5678", record_id: CONTACT },
      { number: "090-1111-2222" },
    ]);
    expect(tab.salesforce.of("setSoftphonePanelVisibility")[0]).toEqual({ visible: true });
  });

  it("is not dialled by a tab in the background, even if it heard the click", async () => {
    const tab = await live();
    tab.page.hidden = true;
    tab.salesforce.click("03-1234-5678", CONTACT);
    await settle();
    expect(bridge.askedFor("POST calls")).toEqual([]);
  });

  it("keeps the agent on the page they dialled from, until they pick somebody", async () => {
    const tab = await live();
    await tell("call-outbound-ringing", chosen(CONTACT, "picked"));
    await tell("call-talking", { ...chosen(CONTACT, "picked"), direction: "outbound" });
    expect(tab.pops).toEqual([]);
    await tell("call-talking", { ...chosen("003IR00000ZzZzZYAV", "picked"), direction: "outbound" });
    expect(tab.pops).toEqual([{ recordId: "003IR00000ZzZzZYAV" }]);
  });

  it("waits with its record for the sign-in", async () => {
    const tab = open();
    tab.salesforce.click("03-1234-5678", CONTACT);
    expect([tab.desk.dialNumber, tab.desk.dialRecord]).toEqual(["03-1234-5678", CONTACT]);
  });
});

describe("the screen", () => {
  it("tells the desk its record; relating the call to it does not navigate away", async () => {
    const tab = await live();
    await tell("call-talking");
    tab.salesforce.navigate(CASE, "00001026", "Case");
    expect(tab.desk.screenRecord).toEqual({ id: CASE, title: "00001026", kind: "Case" });
    const related = { id: CASE, title: "00001026 返品", url: null };
    bridge.answer("PUT calls/CA1/record", () => ({ status: 200, body: told("call-talking", { ...chosen(CONTACT, "picked"), related }) }));
    const before = tab.pops.length;
    expect(await tab.desk.relate("CA1", CASE)).toBe(true);
    expect(bridge.askedFor("PUT calls/CA1/record")[0]?.body).toEqual({ record_id: CASE });
    expect(tab.pops).toHaveLength(before);
  });

  it("is refreshed once when the log has arrived, and not for logs that were there before", async () => {
    const tab = await live();
    await tell("call-completed-saved");
    expect(tab.salesforce.of("refreshView")).toEqual([]);
    await tell("call-completed-delivered");
    await tell("call-completed-delivered");
    expect(tab.salesforce.of("refreshView")).toHaveLength(1);
  });
});

describe("links in the panel", () => {
  function panel(tab: Tab, href: string): HTMLAnchorElement {
    const [holder, link] = [document.createElement("div"), document.createElement("a")];
    link.href = href;
    holder.attachShadow({ mode: "open" }).append(link);
    document.body.replaceChildren(holder);
    tab.join.openInside(holder, [ORG]);
    return link;
  }
  const click = (link: HTMLAnchorElement, init: MouseEventInit = {}): boolean =>
    link.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true, cancelable: true, ...init }));

  it("to records of the org open in the Salesforce page, without a tab with a second phone", async () => {
    const tab = await live();
    expect(click(panel(tab, `${ORG}/lightning/r/Contact/${CONTACT}/view`))).toBe(false);
    await settle();
    expect(tab.pops).toEqual([{ recordId: CONTACT }]);
  });

  it("stay the browser's with a key held, and where they lead elsewhere", async () => {
    const tab = await live();
    const link = panel(tab, `${ORG}/lightning/r/Contact/${CONTACT}/view`);
    expect([click(link, { ctrlKey: true }), click(link, { shiftKey: true }), click(link, { button: 1 })]).toEqual([true, true, true]);
    expect(click(panel(tab, `https://elsewhere.example/lightning/r/Contact/${CONTACT}/view`))).toBe(true);
    expect(tab.pops).toEqual([]);
  });
});

describe("two tabs", () => {
  it("pop once, in the tab that was looked at last, and both name the caller", async () => {
    const first = await live();
    const second = open();
    await second.signIn();
    await tell("call-ringing-stage-3", chosen(CONTACT));
    expect([first.pops.length, second.pops.length]).toEqual([0, 1]);
    expect(first.labels.at(-1)).toBe(second.labels.at(-1));
    expect(first.salesforce.of("setSoftphonePanelVisibility")).toEqual([]);

    vi.advanceTimersByTime(10);
    first.look();
    await settle();
    expect([first.lead.held, second.lead.held]).toEqual([true, false]);
    // The ring is seen where the agent looks now, without being popped again.
    expect(first.salesforce.of("setSoftphonePanelVisibility")).toEqual([{ visible: true }]);
    await tell("call-talking", chosen(CONTACT));
    expect([first.pops.length, second.pops.length]).toEqual([0, 1]);
  });

  it("the other one takes over when the leading tab is closed", async () => {
    const first = await live();
    const second = open();
    await second.signIn();
    second.close();
    tabs.pop();
    await settle();
    expect(first.lead.held).toBe(true);
    await tell("call-ringing-stage-3", chosen(CONTACT));
    expect(first.pops).toEqual([{ recordId: CONTACT }]);
  });

  it("a tab opened during the ring does not pop again", async () => {
    await live();
    await tell("call-ringing-stage-3", chosen(CONTACT));
    vi.advanceTimersByTime(10);
    const second = open();
    await second.signIn();
    expect(second.lead.held).toBe(true);
    expect(second.desk.cards).toHaveLength(1);
    expect(second.pops).toEqual([]);
  });

  it("a tab opened in the background leaves the lead where it is", async () => {
    const first = await live();
    const second = open({ hidden: true });
    expect([first.lead.held, second.lead.held]).toEqual([true, false]);
    second.look();
    expect([first.lead.held, second.lead.held]).toEqual([false, true]);
  });

  it("of three, the one looked at before leads when the last one is closed", async () => {
    const first = await live();
    const [second, third] = [open(), open()];
    vi.advanceTimersByTime(10);
    first.view.dispatchEvent(new Event("pointerdown"));
    vi.advanceTimersByTime(10);
    third.look();
    third.close();
    tabs.pop();
    expect([first.lead.held, second.lead.held]).toEqual([true, false]);
  });

  it("each leads itself where the browser does not let them talk", async () => {
    shared = { ...shared, openChannel: null };
    const first = await live();
    const second = open();
    await settle();
    expect([first.lead.held, second.lead.held]).toEqual([true, true]);
  });
});
