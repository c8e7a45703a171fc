// Coming back: back-off, close codes, silence, tickets.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "../src/api.js";
import { Backoff } from "../src/live/backoff.js";
import { type Connection, LiveSocket } from "../src/live/socket.js";
import { FakeBridge, settle } from "./fake-bridge.js";
import { frame } from "./fixtures.js";

beforeEach(() => vi.useFakeTimers({ now: Date.parse("2026-11-21T09:30:00Z") }));
afterEach(() => vi.useRealTimers());

describe("back-off", () => {
  const waits = (random: number, code: number | null, times: number): number[] => {
    const backoff = new Backoff(() => random);
    return Array.from({ length: times }, () => backoff.after(code, 0));
  };

  it("waits at least half a second and at most twenty, longer each time", () => {
    expect(waits(0, null, 8)).toEqual(Array(8).fill(500));
    const longest = waits(1, null, 8);
    expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000, 20_000]);
  });

  it("spreads the agents over the whole span", () => {
    const [low, middle, high] = [0, 0.5, 1].map((random) => waits(random, null, 5)[4]);
    expect([low, middle, high]).toEqual([500, 8_250, 16_000]);
  });

  it("comes back within two seconds when the server says it restarts", () => {
    expect(waits(0, 1001, 1)).toEqual([0]);
    expect(waits(1, 1001, 1)).toEqual([2_000]);
  });

  it("does not hammer a server that restarts again and again", () => {
    expect(waits(1, 1001, 4)[3]).toBe(8_000);
  });

  it("waits from five seconds when the server is full", () => {
    expect(waits(0, 1013, 3)).toEqual([5_000, 5_000, 5_000]);
    expect(waits(1, 1013, 3)).toEqual([10_000, 20_000, 20_000]);
  });

  it("starts anew only after a connection that lived ten seconds", () => {
    const backoff = new Backoff(() => 1);
    backoff.after(null, 0);
    backoff.after(null, 0);
    expect(backoff.after(1006, 9_999)).toBe(4_000);
    expect(backoff.after(1006, 10_000)).toBe(1_000);
  });

  it("honours a time that the server names", () => {
    expect(new Backoff(() => 0).after(null, 0, 7_000)).toBe(7_000);
  });
});

describe("live socket", () => {
  function begin(ticket: () => Promise<string> = async () => "ticket-1") {
    const bridge = new FakeBridge();
    const told: Connection["state"][] = [];
    const frames: string[] = [];
    const socket = new LiveSocket("ws://bridge.test/live", bridge.ports(), {
      ticket,
      onFrame: (one) => frames.push(one.type),
      onConnection: (connection) => told.push(connection.state),
    });
    socket.start();
    return { bridge, socket, told, frames };
  }

  it("says hello with a fresh ticket and is live with the snapshot", async () => {
    const { bridge, told, frames } = begin();
    await settle();
    bridge.socket.open();
    expect(bridge.socket.sent.map((text) => JSON.parse(text))).toEqual([{ v: 1, type: "hello", ticket: "ticket-1" }]);
    expect(told).toEqual(["connecting"]);
    bridge.socket.tell(frame("snapshot-empty"));
    expect(told).toEqual(["connecting", "live"]);
    expect(frames).toEqual(["snapshot"]);
  });

  it("comes back with another ticket after it was dropped", async () => {
    const tickets = ["ticket-1", "ticket-2"];
    const { bridge, told } = begin(async () => tickets.shift() ?? "");
    await settle();
    bridge.socket.open();
    bridge.socket.tell(frame("snapshot-empty"));
    bridge.socket.drop(1006);
    expect(told.at(-1)).toBe("waiting");
    await vi.advanceTimersByTimeAsync(750);
    expect(bridge.sockets).toHaveLength(2);
    bridge.socket.open();
    expect(JSON.parse(bridge.socket.sent[0] ?? "")).toMatchObject({ ticket: "ticket-2" });
  });

  it("takes a minute of silence for death", async () => {
    const { bridge, told } = begin();
    await settle();
    bridge.socket.open();
    bridge.socket.tell(frame("snapshot-empty"));
    await vi.advanceTimersByTimeAsync(50_000);
    bridge.socket.tell(frame("health-good"));
    await vi.advanceTimersByTimeAsync(59_000);
    expect(told.at(-1)).toBe("live");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told.at(-1)).toBe("waiting");
    expect(bridge.sockets[0]?.closed).toBe(true);
  });

  it("hears nothing any more from a socket it has given up", async () => {
    const { bridge, told, frames } = begin();
    await settle();
    const old = bridge.socket;
    old.open();
    old.tell(frame("snapshot-empty"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told.at(-1)).toBe("waiting");
    const until = told.length;
    old.tell(frame("call-talking"));
    old.drop(1006);
    expect(frames).toEqual(["snapshot"]);
    expect(told).toHaveLength(until);
  });

  it("waits as long as a refused ticket asks", async () => {
    const { told, bridge } = begin(() => Promise.reject(new Problem(503, "busy", "", 9_000)));
    await settle();
    expect(told).toEqual(["connecting", "waiting"]);
    await vi.advanceTimersByTimeAsync(8_900);
    expect(told).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(told.slice(2)).toEqual(["connecting", "waiting"]);
    expect(bridge.sockets).toHaveLength(0);
  });

  it("stops for good when the server speaks another version", async () => {
    const { bridge, told } = begin();
    await settle();
    bridge.socket.tell({ v: 1, type: "error", code: "bad_version", message: "" });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(told.at(-1)).toBe("stopped");
    expect(bridge.sockets).toHaveLength(1);
  });

  it("tries at once when the agent asks, and only once", async () => {
    const { bridge, socket } = begin();
    await settle();
    bridge.socket.drop(1013);
    socket.retry();
    await settle();
    socket.retry();
    await settle();
    expect(bridge.sockets).toHaveLength(2);
  });
});
