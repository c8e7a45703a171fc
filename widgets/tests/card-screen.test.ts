// The card beside a CRM's page: relate the call to the record shown there, take it back, search and create there.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import "../src/panel/cti-bridge-define.js";
import type { BridgePanel } from "../src/panel/cti-bridge.js";
import { Desk } from "../src/panel/desk.js";
import type { Call } from "../src/protocol.js";
import { FakeBridge, settle } from "./fake-bridge.js";
import { call, callFrame, frame } from "./fixtures.js";

const CASE = { id: "case-7", title: "00001026 返品の件", kind: "Case" };
const RELATED = { id: CASE.id, title: CASE.title, url: "https://crm.example/cases/7" };

let bridge: FakeBridge;
let desk: Desk;
let panel: BridgePanel;

beforeEach(async () => {
  vi.useFakeTimers({ now: Date.parse("2026-11-21T09:30:00Z") });
  bridge = new FakeBridge();
  desk = new Desk(bridge.ports(), { base: "https://bridge.example/", language: "ja", hidden: () => false });
  panel = document.createElement("cti-bridge");
  panel.desk = desk;
  document.body.replaceChildren(panel);
  await desk.signIn("a@b.c", "x");
  await settle();
  bridge.socket.tell(frame("snapshot-empty"));
});
afterEach(() => {
  panel.remove();
  desk.close();
  vi.useRealTimers();
});

async function show(name: string, changes: Partial<Call> = {}): Promise<void> {
  bridge.socket.tell({ ...callFrame(name), call: { ...call(name), ...changes } });
  await drawn();
}

async function drawn(): Promise<void> {
  for (let round = 0; round < 4; round += 1) await settle();
}

function found(test: string, root: ParentNode = panel.renderRoot as ShadowRoot): HTMLElement | null {
  for (const element of root.querySelectorAll("*")) {
    if (element instanceof HTMLElement && element.dataset["test"] === test) return element;
    const inside = element.shadowRoot === null ? null : found(test, element.shadowRoot);
    if (inside !== null) return inside;
  }
  return null;
}

describe("relating", () => {
  it("is one click while the CRM's page shows another record, during the call and in the wrap-up", async () => {
    await show("call-talking");
    expect(found("relate")).toBeNull();
    desk.screenRecord = CASE;
    await drawn();
    expect(found("relate")?.textContent).toContain("この通話を「00001026 返品の件」に紐づける");
    await show("call-wrapping-up", { id: call("call-talking").id, version: 900 });
    expect(found("relate")).not.toBeNull();
    bridge.answer(`PUT calls/${call("call-talking").id}/record`, () => ({
      status: 200,
      body: { ...call("call-wrapping-up"), id: call("call-talking").id, version: 901, related: RELATED },
    }));
    found("relate")?.click();
    await drawn();
    expect(bridge.askedFor(`PUT calls/${call("call-talking").id}/record`)[0]?.body).toEqual({ record_id: "case-7" });
    expect([found("relate"), found("related")?.dataset["record"]]).toEqual([null, "case-7"]);
  });

  it("is not offered while it rings, for the chosen contact itself, or after the wrap-up", async () => {
    desk.screenRecord = CASE;
    await show("call-ringing-stage-3");
    expect(found("relate")).toBeNull();
    const { choice } = call("call-talking");
    desk.screenRecord = { id: choice?.contact.id ?? "", title: "山本" };
    await show("call-talking", { id: call("call-ringing-stage-3").id, version: 900 });
    expect(found("relate")).toBeNull();
    desk.screenRecord = CASE;
    await show("call-completed-saved", { id: call("call-ringing-stage-3").id, version: 901 });
    expect(found("relate")).toBeNull();
  });

  it("shows what the call is about with its link, and takes it back", async () => {
    await show("call-talking", { related: RELATED });
    const { id } = call("call-talking");
    expect(found("related")?.textContent).toContain("00001026 返品の件");
    expect(found("open-related")?.getAttribute("href")).toBe(RELATED.url);
    bridge.answer(`DELETE calls/${id}/record`, () => ({ status: 200, body: { ...call("call-talking"), version: 900 } }));
    found("unrelate")?.click();
    await drawn();
    expect(found("related")).toBeNull();
  });

  it("makes no link of a script, and text of markup", async () => {
    await show("call-talking", { related: { id: "x", title: "<img src=x>", url: "javascript:alert(1)" } });
    expect(found("open-related")).toBeNull();
    expect(found("related")?.querySelector("img")).toBeNull();
    expect(found("related")?.textContent).toContain("<img src=x>");
  });

  it("tells in the bridge's words that the record cannot be related", async () => {
    await show("call-talking");
    desk.screenRecord = CASE;
    await drawn();
    const title = "このレコードはCRMに見つかりません";
    bridge.answer(`PUT calls/${call("call-talking").id}/record`, () => ({ status: 404, body: { code: "record_not_found", title } }));
    found("relate")?.click();
    await drawn();
    expect(found("toast")?.textContent).toContain(title);
  });
});

describe("the CRM's own pages", () => {
  it("are offered for a search when several have the number, also while it rings", async () => {
    const asked: string[] = [];
    desk.offers = { name: "Salesforce", search: (one) => asked.push(one.id), create: null };
    await show("call-ringing-many");
    expect(found("screen-search")?.textContent).toContain("Salesforceで検索する");
    found("screen-search")?.click();
    expect(asked).toEqual([call("call-ringing-many").id]);
  });

  it("are offered for a new record when nobody has the number, but never while it rings", async () => {
    const asked: string[] = [];
    desk.offers = { name: "Salesforce", search: null, create: (one) => asked.push(one.id) };
    await show("call-ringing-unknown");
    expect([found("unknown") === null, found("screen-create")]).toEqual([false, null]);
    await show("call-ringing-unknown", { phase: "talking", version: 900 });
    found("screen-create")?.click();
    expect(asked).toEqual([call("call-ringing-unknown").id]);
  });

  it("are not offered where there are none, nor for a caller without a number", async () => {
    await show("call-ringing-many");
    expect(found("screen-search")).toBeNull();
    desk.offers = { name: "Salesforce", search: () => undefined, create: () => undefined };
    await show("call-talking-withheld");
    expect(found("screen-create")).toBeNull();
  });
});
