// Signing in on the word of the CRM's server: asked once, redeemed, refused, and never against the will of somebody who signed out.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Desk } from "../src/panel/desk.js";
import { AGENT, FakeBridge, settle } from "./fake-bridge.js";

let bridge: FakeBridge;
let desk: Desk;
let asked: number;
/** What the host's page remembers. */
let signedOut: boolean;

function open(): Desk {
  const made = new Desk(bridge.ports(), { base: "https://bridge.example/", language: "en", hidden: () => false });
  made.vouching.askHost = () => {
    asked += 1;
  };
  made.vouching.tellHost = (out) => {
    signedOut = out;
  };
  made.start();
  return made;
}

beforeEach(() => {
  vi.useFakeTimers();
  bridge = new FakeBridge();
  bridge.answer("POST session/redeem", () => ({
    status: 200,
    body: { token: "token-v", expires_in: 3600, agent: AGENT },
  }));
  asked = 0;
  signedOut = false;
  desk = open();
});

afterEach(() => {
  desk.close();
  vi.useRealTimers();
});

describe("a host whose server vouches", () => {
  it("is asked for a ticket, which signs the agent in", async () => {
    desk.vouching.offer(true, signedOut);
    expect([asked, desk.vouching.state]).toEqual([1, "asking"]);
    await desk.vouching.answer("t-1", null);
    expect(bridge.askedFor("POST session/redeem")[0]?.body).toEqual({ ticket: "t-1" });
    expect(desk.signedIn).toBe(true);
  });

  it("is not asked where an earlier page of this tab was signed in", async () => {
    desk.vouching.offer(true, signedOut);
    await desk.vouching.answer("t-1", null);
    desk.close();
    desk = open();
    desk.vouching.offer(true, signedOut);
    expect(desk.signedIn).toBe(true);
    expect(asked).toBe(1);
  });

  it.each(["vouching_off", "wrong_secret", "agent_not_found", "unreachable"] as const)(
    "that says %s leaves the agent's own sign-in",
    async (problem) => {
      desk.vouching.offer(true, signedOut);
      await desk.vouching.answer(null, problem);
      expect([desk.vouching.state, desk.vouching.problem, desk.signedIn]).toEqual(["failed", problem, false]);
    },
  );

  it("whose ticket the bridge refuses leaves it, too", async () => {
    bridge.answer("POST session/redeem", () => ({ status: 401, body: { code: "ticket_used" } }));
    desk.vouching.offer(true, signedOut);
    await desk.vouching.answer("t-1", null);
    expect([desk.vouching.state, desk.vouching.problem]).toEqual(["failed", "refused"]);
  });

  it("that never answers is given up", async () => {
    desk.vouching.offer(true, signedOut);
    await vi.advanceTimersByTimeAsync(15_000);
    expect([desk.vouching.state, desk.vouching.problem]).toEqual(["failed", "unreachable"]);
    await desk.vouching.answer("late", null);
    expect(desk.signedIn).toBe(false);
  });

  it("a ticket that nobody asked for signs nobody in", async () => {
    await desk.vouching.answer("t-1", null);
    expect(desk.signedIn).toBe(false);
    expect(bridge.askedFor("POST session/redeem")).toEqual([]);
  });
});

describe("signing out", () => {
  it("lasts over reloads until the agent asks to be signed in again", async () => {
    desk.vouching.offer(true, signedOut);
    await desk.vouching.answer("t-1", null);
    await desk.signOut();
    desk.close();
    desk = open();
    desk.vouching.offer(true, signedOut);
    expect([asked, desk.vouching.state]).toEqual([1, "ready"]);
    desk.vouching.ask();
    await desk.vouching.answer("t-2", null);
    expect(desk.signedIn).toBe(true);
    desk.close();
    bridge.storage.clear();
    desk = open();
    desk.vouching.offer(true, signedOut);
    expect(asked).toBe(3);
  });
});

describe("a session that the bridge ends", () => {
  it("is begun anew by a ticket, but not over and over", async () => {
    desk.vouching.offer(true, signedOut);
    await desk.vouching.answer("t-1", null);
    await vi.advanceTimersByTimeAsync(120_000);
    bridge.answer("GET calls", () => ({ status: 401, body: { code: "not_signed_in" } }));
    await desk.loadRecent();
    await settle();
    expect([asked, desk.signedIn]).toEqual([2, false]);
    await desk.vouching.answer("t-2", null);
    await desk.loadRecent();
    await settle();
    expect([asked, desk.signedIn]).toEqual([2, false]);
  });
});
