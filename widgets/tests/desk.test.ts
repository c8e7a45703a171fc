// The desk from sign-in to sign-out, against a bridge in memory.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Ports } from "../src/live/ports.js";
import type { ServerFrame } from "../src/protocol.js";
import { Desk } from "../src/panel/desk.js";
import { FakeBridge, fakeChannels, settle } from "./fake-bridge.js";
import { call, callFrame, frame } from "./fixtures.js";

let bridge: FakeBridge;
let desk: Desk;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-21T09:30:00Z") });
  bridge = new FakeBridge();
  desk = open();
});
afterEach(() => {
  desk.close();
  vi.useRealTimers();
});

const open = (ports: Partial<Ports> = {}): Desk =>
  new Desk(bridge.ports(ports), { base: "https://bridge.example/phone/", language: "en", hidden: () => false });

async function signedIn(): Promise<void> {
  await desk.signIn("misaki@example.jp", "secret");
  await settle();
  bridge.socket.open();
  bridge.socket.tell(frame("snapshot-empty"));
}

const ringing = (id: string): ServerFrame => ({
  ...callFrame("call-ringing-stage-1"),
  call: { ...call("call-ringing-stage-1"), id },
});

describe("the session", () => {
  it("signs in, asks for a ticket with the token, and speaks the agent's language", async () => {
    await signedIn();
    expect(bridge.asked[0]).toMatchObject({
      method: "POST",
      path: "session",
      body: { email: "misaki@example.jp", password: "secret" },
    });
    expect(bridge.asked[0]?.headers.get("Authorization")).toBeNull();
    expect(bridge.askedFor("POST tickets")[0]?.headers.get("Authorization")).toBe("Bearer token-1");
    expect(bridge.askedFor("POST tickets")[0]?.headers.get("Accept-Language")).toBe("ja");
    expect(desk.language).toBe("ja");
  });

  it("gives the bridge's own words for a refusal, and stays signed out", async () => {
    bridge.answer("POST session", () => ({ status: 401, body: { code: "wrong_password", title: "Wrong password" } }));
    const refusal = await desk.signIn("a@b.c", "x").catch((error: unknown) => desk.problemText(error));
    expect(refusal).toBe("Wrong password");
    expect([desk.signedIn, desk.sessionEnded]).toEqual([false, false]);
  });

  it("says in the agent's language that the bridge cannot be reached", async () => {
    bridge.answer("POST session", () => Promise.reject(new TypeError("network")));
    const refusal = await desk.signIn("a@b.c", "x").catch((error: unknown) => desk.problemText(error));
    expect(refusal).toBe(desk.terms.offline);
  });

  it("survives a reload of the page", async () => {
    await signedIn();
    const reloaded = open();
    reloaded.start();
    expect(reloaded.signedIn).toBe(true);
    reloaded.close();
  });

  it("works, until the reload, where the browser forbids storage", async () => {
    const blocked = new (await import("../src/live/ports.js")).SafeStorage(() => {
      throw new DOMException("blocked", "SecurityError");
    });
    const guarded = open({ storage: blocked, preferences: blocked });
    await guarded.signIn("a@b.c", "x");
    expect(guarded.signedIn).toBe(true);
    guarded.close();
  });

  it("is shared with a tab that opens later, and ends in both", async () => {
    const openChannel = fakeChannels();
    const first = open({ openChannel });
    await first.signIn("a@b.c", "x");
    bridge.storage.clear();
    const second = open({ openChannel });
    second.start();
    expect(second.signedIn).toBe(true);
    await first.signOut();
    expect([first.signedIn, second.signedIn]).toEqual([false, false]);
    first.close();
    second.close();
  });

  it("is renewed at half its life", async () => {
    await signedIn();
    await vi.advanceTimersByTimeAsync(1_799_000);
    expect(bridge.askedFor("POST session/renew")).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bridge.askedFor("POST session/renew")).toHaveLength(1);
    await desk.setPresence("away");
    expect(bridge.askedFor("PUT presence")[0]?.headers.get("Authorization")).toBe("Bearer token-2");
  });

  it("ends when the bridge refuses the token, and says so", async () => {
    await signedIn();
    bridge.answer("PUT presence", () => ({ status: 401, body: { code: "token_expired", title: "x" } }));
    await desk.setPresence("away");
    expect([desk.signedIn, desk.sessionEnded, desk.live]).toEqual([false, true, null]);
    expect(desk.toasts.shown).toEqual([]);
  });

  it("signing out tells the bridge and closes the socket", async () => {
    await signedIn();
    await desk.signOut();
    expect(bridge.askedFor("DELETE session")).toHaveLength(1);
    expect(bridge.socket.closed).toBe(true);
    expect([desk.signedIn, desk.sessionEnded]).toEqual([false, false]);
    expect(bridge.storage.size).toBe(0);
  });
});

describe("calls", () => {
  it("tell the CRM's page each new phase and contact, once", async () => {
    const told: string[] = [];
    desk.listen({ onCall: (one) => told.push(`${one.phase} ${one.choice?.contact.id ?? "-"}`) });
    await signedIn();
    for (const name of [
      "call-ringing-stage-1",
      "call-ringing-stage-2",
      "call-ringing-stage-3",
      "call-talking",
      "call-wrapping-up",
    ]) {
      bridge.socket.tell(frame(name));
    }
    expect(told).toEqual(["ringing -", "ringing c-101", "talking c-101", "wrapping_up c-101"]);
  });

  it("that a colleague takes leave a short word with the name, and no card", async () => {
    await signedIn();
    bridge.socket.tell(frame("call-ringing-stage-1"));
    expect(desk.cards).toHaveLength(1);
    bridge.socket.tell(frame("call-elsewhere"));
    expect(desk.cards).toEqual([]);
    expect(desk.toasts.shown.map((toast) => toast.text)).toEqual(["田村 翔さんが応答しました"]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(desk.toasts.shown).toEqual([]);
  });

  it("that nobody took leave a short word, which makes way for the next ring", async () => {
    await signedIn();
    bridge.socket.tell(frame("call-ringing-stage-1"));
    bridge.socket.tell(frame("call-missed"));
    expect(desk.toasts.shown).toHaveLength(1);
    bridge.socket.tell(ringing("CA-next"));
    expect(desk.toasts.shown).toEqual([]);
  });

  it("that nobody took leave no word over another card", async () => {
    await signedIn();
    bridge.socket.tell(ringing("CA-other"));
    bridge.socket.tell(frame("call-ringing-stage-1"));
    bridge.socket.tell(frame("call-missed"));
    expect(desk.toasts.shown).toEqual([]);
  });

  it("that were never seen ringing leave no word", async () => {
    await signedIn();
    bridge.socket.tell(frame("call-elsewhere"));
    expect(desk.toasts.shown).toEqual([]);
  });

  it("a pick is shown as soon as the bridge answers", async () => {
    await signedIn();
    bridge.socket.tell(frame("call-ringing-many"));
    const picked = call("call-talking-picked");
    bridge.answer(`PUT calls/${picked.id}/choice`, () => ({ status: 200, body: picked }));
    expect(await desk.choose(picked.id, "c-103")).toBe(true);
    expect(desk.cards[0]?.choice?.contact.id).toBe("c-103");
    expect(bridge.askedFor(`PUT calls/${picked.id}/choice`)[0]?.body).toEqual({ contact_id: "c-103" });
  });

  it("a refused request leaves the state alone and shows the bridge's words", async () => {
    await signedIn();
    bridge.socket.tell(frame("call-ringing-many"));
    const { id } = call("call-ringing-many");
    bridge.answer(`PUT calls/${id}/choice`, () => ({
      status: 404,
      body: { code: "unknown_contact", detail: "この顧客は削除されています。" },
    }));
    expect(await desk.choose(id, "gone")).toBe(false);
    expect(desk.cards[0]?.choice).toBeNull();
    expect(desk.toasts.shown[0]).toMatchObject({ text: "この顧客は削除されています。", kind: "failure" });
  });

  it("completion waits for a draft under way, so that the last note wins", async () => {
    await signedIn();
    bridge.socket.tell(frame("call-wrapping-up"));
    const { id, draft } = call("call-wrapping-up");
    const order: string[] = [];
    bridge.answer(`PUT calls/${id}/draft`, async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      order.push("draft");
      return { status: 200, body: call("call-wrapping-up") } as never;
    });
    bridge.answer(`POST calls/${id}/completion`, () => {
      order.push("completion");
      return { status: 200, body: call("call-completed-saved") };
    });
    desk.drafts.edit(id, draft, { note: "x" });
    await vi.advanceTimersByTimeAsync(400);
    const completing = desk.complete(id, desk.drafts.shown(id, draft));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await completing).toBe(true);
    expect(order).toEqual(["draft", "completion"]);
    expect(bridge.askedFor(`POST calls/${id}/completion`)[0]?.body).toEqual({ note: "x", disposition: "callback" });
    expect(desk.cards[0]?.phase).toBe("completed");
  });

  it("a note not yet saved is sent so that it outlives the page", async () => {
    await signedIn();
    bridge.socket.tell(frame("call-talking"));
    const { id, draft } = call("call-talking");
    desk.drafts.edit(id, draft, { note: "x" });
    desk.leave();
    expect(bridge.askedFor(`PUT calls/${id}/draft`)).toMatchObject([{ keepalive: true, body: { note: "x" } }]);
  });

  it("a delivered log's card goes by itself, a parked one stays", async () => {
    await signedIn();
    bridge.socket.tell(frame("call-wrapping-up"));
    bridge.socket.tell(frame("call-completed-parked"));
    await vi.advanceTimersByTimeAsync(40_000);
    expect(desk.cards).toHaveLength(1);
    bridge.socket.tell(frame("call-completed-delivered"));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(desk.cards).toEqual([]);
  });

  it("timers follow the server's clock", async () => {
    await signedIn();
    bridge.socket.tell({ ...callFrame("call-talking"), sent_at: "2026-11-21T09:32:10+00:00" });
    expect(desk.now).toBe(Date.parse("2026-11-21T09:32:10Z"));
  });
});

describe("dialling", () => {
  it("rings the number for the record that the page named, and empties the field", async () => {
    await signedIn();
    bridge.answer("POST calls", () => ({ status: 201, body: { call_id: "CA9" } }));
    expect(await desk.dial({ number: "03-5555-0142", record_id: "4711" })).toBe(true);
    expect(bridge.askedFor("POST calls")[0]?.body).toEqual({ number: "03-5555-0142", record_id: "4711" });
    expect(desk.dialNumber).toBe("");
  });

  it.each([409, 403, 422, 502])(
    "keeps the number in the field when the bridge answers %d, with its words",
    async (status) => {
      await signedIn();
      bridge.answer("POST calls", () => ({ status, body: { code: "x", title: "理由" } }));
      expect(await desk.dial({ number: "03-5555-0142" })).toBe(false);
      expect(desk.dialNumber).toBe("03-5555-0142");
      expect(desk.toasts.shown[0]?.text).toBe("理由");
    },
  );

  it("waits in the field until the agent has signed in", async () => {
    expect(await desk.dial({ number: "03-5555-0142" })).toBe(false);
    expect(bridge.askedFor("POST calls")).toEqual([]);
    expect(desk.dialNumber).toBe("03-5555-0142");
  });

  it("a second click while the first is under way dials once", async () => {
    await signedIn();
    bridge.answer("POST calls", () => ({ status: 201, body: { call_id: "CA9" } }));
    await Promise.all([desk.dial({ number: "1234567" }), desk.dial({ number: "1234567" })]);
    expect(bridge.askedFor("POST calls")).toHaveLength(1);
  });
});
