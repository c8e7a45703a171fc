// How the caller's record opens: each way, never over something being edited, once per browser.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Editing } from "../../kintone/src/editing.js";
import { mobileAddress } from "../../kintone/src/mobile-address.js";
import { type OpenerPorts, RecordOpener, type Way } from "../../kintone/src/open-record.js";
import { Pops } from "../../kintone/src/pops.js";
import { en } from "../../kintone/src/terms/en.js";
import { SafeStorage } from "../../src/live/ports.js";
import type { CallNews } from "../../src/messages.js";
import { fakeLocks, MemoryStorage } from "../fake-bridge.js";

const URL5 = "https://acme.cybozu.com/k/27/show#record=5";
const TALKING: CallNews = {
  id: "CA1",
  phase: "talking",
  direction: "inbound",
  contactId: "27:5",
  contactUrl: URL5,
  matches: 1,
  log: "none",
  logUrl: null,
};

function begin(way: Way = "ask", changes: Partial<OpenerPorts> = {}) {
  const store = new SafeStorage(() => null);
  const session = new SafeStorage(() => null);
  const went: string[] = [];
  const opened: string[] = [];
  let question: HTMLElement | null = null;
  const ports: OpenerPorts = {
    claim: async () => true,
    shown: () => null,
    editing: () => false,
    go: (url) => went.push(url),
    openTab: (url) => opened.push(url) > 0,
    show: (shown) => {
      question = shown;
    },
    attract: vi.fn(),
    preferences: store,
    session,
    ...changes,
  };
  const opener = new RecordOpener(en, ports);
  opener.way = way;
  const button = (test: string): HTMLButtonElement | null =>
    question?.querySelector<HTMLButtonElement>(`[data-test="${test}"]`) ?? null;
  return { opener, ports, went, opened, button, asked: () => question?.querySelector(".question")?.textContent ?? null };
}

describe("when the agent takes a call", () => {
  it("asks, shows itself for it, and opens what is chosen", async () => {
    const { opener, ports, went, button, asked } = begin();
    await opener.hear(TALKING);
    expect(asked()).toBe(en.openTitle);
    expect(ports.attract).toHaveBeenCalledOnce();
    expect(went).toEqual([]);
    button("open-here")?.click();
    expect(went).toEqual([URL5]);
    expect(asked()).toBeNull();
  });

  it("opens in this tab when that was chosen", async () => {
    const { opener, went } = begin("here");
    await opener.hear(TALKING);
    expect(went).toEqual([URL5]);
  });

  it("opens a new tab when that was chosen", async () => {
    const { opener, went, opened } = begin("new");
    await opener.hear(TALKING);
    expect([went, opened]).toEqual([[], [URL5]]);
  });

  it("asks when the browser blocks the new tab", async () => {
    const { opener, asked } = begin("new", { openTab: () => false });
    await opener.hear(TALKING);
    expect(asked()).toBe(en.openBlocked);
  });

  it.each<[string, Partial<CallNews>]>([
    ["while it only rings", { phase: "ringing" }],
    ["for calls that the agent makes", { direction: "outbound" }],
    ["for a caller who is nobody's record", { contactId: null, contactUrl: null }],
    ["for a call that a colleague took", { phase: "elsewhere" }],
  ])("does nothing %s", async (_, changes) => {
    const { opener, went, asked } = begin("here");
    await opener.hear({ ...TALKING, ...changes });
    expect([went, asked()]).toEqual([[], null]);
  });

  it("does nothing when that record is on the screen already", async () => {
    const { opener, went } = begin("here", { shown: () => "27:5" });
    await opener.hear(TALKING);
    expect(went).toEqual([]);
  });

  it("does nothing when another tab has it", async () => {
    const { opener, went } = begin("here", { claim: async () => false });
    await opener.hear(TALKING);
    expect(went).toEqual([]);
  });
});

describe("while something is being edited", () => {
  it.each<Way>(["ask", "here"])("%s: this tab stays, and only a new tab is offered", async (way) => {
    const { opener, went, opened, button, asked } = begin(way, { editing: () => true });
    await opener.hear(TALKING);
    expect(asked()).toContain(en.openEditing);
    expect(button("open-here")).toBeNull();
    button("open-new")?.click();
    expect([went, opened]).toEqual([[], [URL5]]);
  });

  it("a click that comes after somebody began to type opens nothing here", async () => {
    let editing = false;
    const { opener, went, button, asked } = begin("ask", { editing: () => editing });
    await opener.hear(TALKING);
    editing = true;
    button("open-here")?.click();
    expect(went).toEqual([]);
    expect(asked()).toContain(en.openEditing);
  });

  it("this tab is offered as soon as the editing is over", async () => {
    let editing = true;
    const { opener, button } = begin("ask", { editing: () => editing });
    await opener.hear(TALKING);
    editing = false;
    opener.refresh();
    expect(button("open-here")).not.toBeNull();
  });
});

describe("the question", () => {
  it("stands there again on kintone's next page, until it is answered", async () => {
    const first = begin();
    await first.opener.hear(TALKING);
    const second = begin("ask", { session: first.ports.session, claim: async () => false });
    await second.opener.hear({ ...TALKING, phase: "wrapping_up" });
    expect(second.asked()).toBe(en.openTitle);
    second.button("open-not")?.click();
    const third = begin("ask", { session: first.ports.session, claim: async () => false });
    await third.opener.hear({ ...TALKING, phase: "wrapping_up" });
    expect(third.asked()).toBeNull();
  });

  it("goes when the agent opens that record by themselves, or completes the call", async () => {
    let shown: string | null = null;
    const { opener, asked } = begin("ask", { shown: () => shown });
    await opener.hear(TALKING);
    shown = "27:5";
    opener.refresh();
    expect(asked()).toBeNull();
    const other = begin();
    await other.opener.hear(TALKING);
    await other.opener.hear({ ...TALKING, phase: "completed" });
    expect(other.asked()).toBeNull();
  });

  it("lets the agent choose the way from now on", async () => {
    const { opener, ports, went, button } = begin();
    opener.toggleChoice();
    const select = button("open-way") as unknown as HTMLSelectElement;
    select.value = "here";
    select.dispatchEvent(new Event("change"));
    expect(new RecordOpener(en, ports).way).toBe("here");
    await opener.hear(TALKING);
    expect(went).toEqual([URL5]);
  });
});

describe("of several tabs", () => {
  const tab = (storage: MemoryStorage, locks: LockManager, state: "front" | "visible" | "hidden"): Pops =>
    new Pops({
      storage: () => storage,
      locks,
      focused: () => state === "front",
      hidden: () => state === "hidden",
    });

  it("the one that the agent works in has it, whoever hears first", async () => {
    const [storage, locks] = [new MemoryStorage(), fakeLocks()];
    const hidden = tab(storage, locks, "hidden").claim("CA1 27:5");
    const front = tab(storage, locks, "front").claim("CA1 27:5");
    expect([await hidden, await front]).toEqual([false, true]);
  });

  it("another one has it where that tab is gone", async () => {
    expect(await tab(new MemoryStorage(), fakeLocks(), "hidden").claim("CA1 27:5")).toBe(true);
  });

  it("it is had once, over reloads and repeated news; another contact of the same call is another", async () => {
    const [storage, locks] = [new MemoryStorage(), fakeLocks()];
    const pops = tab(storage, locks, "front");
    expect(await pops.claim("CA1 27:5")).toBe(true);
    expect(await pops.claim("CA1 27:5")).toBe(false);
    expect(await tab(storage, locks, "front").claim("CA1 27:5")).toBe(false);
    expect(await tab(storage, locks, "front").claim("CA1 27:6")).toBe(true);
  });

  it("where the browser refuses storage, only the tab that the agent works in opens anything", async () => {
    const refuse = (): never => {
      throw new DOMException("blocked", "SecurityError");
    };
    const blocked = (focused: boolean): Pops =>
      new Pops({ storage: refuse, locks: null, focused: () => focused, hidden: () => false });
    expect(await blocked(true).claim("CA1 27:5")).toBe(true);
    expect(await blocked(false).claim("CA1 27:5")).toBe(false);
  });
});

describe("editing", () => {
  beforeEach(() => document.body.replaceChildren());

  it("is an open form, from its event to the next", () => {
    const editing = new Editing(document);
    expect(editing.active).toBe(false);
    editing.begin();
    expect(editing.active).toBe(true);
    editing.end();
    expect(editing.active).toBe(false);
  });

  it("is a comment half written, but not an empty box with the cursor in it, nor a button", () => {
    const editing = new Editing(document);
    const comment = document.createElement("textarea");
    const button = document.createElement("input");
    button.type = "submit";
    button.value = "送信";
    document.body.append(comment, button);
    comment.focus();
    expect(editing.active).toBe(false);
    comment.value = "折り返し";
    expect(editing.active).toBe(true);
    button.focus();
    expect(editing.active).toBe(false);
  });

  it("is still a comment half written when the keyboard has gone elsewhere, until it is sent", () => {
    const editing = new Editing(document);
    const comment = document.createElement("textarea");
    const answer = document.createElement("button");
    document.body.append(comment, answer);
    comment.focus();
    comment.value = "折り返し";
    comment.dispatchEvent(new InputEvent("input", { bubbles: true }));
    answer.focus();
    expect(editing.active).toBe(true);
    comment.value = "";
    expect(editing.active).toBe(false);
    comment.value = "もう一度";
    comment.remove();
    expect(editing.active).toBe(false);
  });

  it("is no choice in a list of views, and nothing in our own dock", () => {
    const editing = new Editing(document);
    const dock = document.createElement("div");
    dock.dataset["ctiBridge"] = "";
    const inside = document.createElement("input");
    dock.attachShadow({ mode: "open" }).append(inside);
    const views = document.createElement("select");
    const all = document.createElement("option");
    all.textContent = "すべて";
    views.append(all);
    document.body.append(dock, views);
    inside.value = "here";
    inside.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
    views.dispatchEvent(new InputEvent("input", { bubbles: true }));
    expect(editing.active).toBe(false);
  });
});

describe("on mobile", () => {
  it.each([
    [URL5, "https://acme.cybozu.com/k/m/27/show?record=5"],
    ["https://acme.cybozu.com/k/guest/4/27/show#record=5", "https://acme.cybozu.com/k/guest/4/27/show#record=5"],
    ["https://elsewhere.example/records/5", "https://elsewhere.example/records/5"],
  ])("%s is opened as %s", (desktop, mobile) => {
    expect(mobileAddress(desktop)).toBe(mobile);
  });
});
