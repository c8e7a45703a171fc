// The tabs of one browser: one socket, followers that see the same, and a heir.
import { describe, expect, it } from "vitest";
import { LiveLink } from "../src/live/link.js";
import type { Ports } from "../src/live/ports.js";
import { Tabs } from "../src/live/tabs.js";
import { FakeBridge, fakeChannels, fakeLocks, settle } from "./fake-bridge.js";
import { call, frame } from "./fixtures.js";

function tab(bridge: FakeBridge, browser: Partial<Ports>) {
  bridge.now = () => Date.parse("2026-11-21T09:30:00Z");
  const ports = bridge.ports(browser);
  const tabs = new Tabs("test", ports);
  const link = new LiveLink("ws://bridge.test/live", ports, tabs, {
    ticket: async () => "t",
    onChange: () => undefined,
  });
  link.start();
  return link;
}

describe("tabs of one browser", () => {
  const browser = (): Partial<Ports> => ({ locks: fakeLocks(), openChannel: fakeChannels() });

  it("share one socket, and the followers see what the leader hears", async () => {
    const bridge = new FakeBridge();
    const shared = browser();
    const [first, second] = [tab(bridge, shared), tab(bridge, shared)];
    await settle();
    expect(bridge.sockets).toHaveLength(1);
    expect([first.leading, second.leading]).toEqual([true, false]);
    bridge.socket.open();
    bridge.socket.tell(frame("snapshot-empty"));
    bridge.socket.tell(frame("call-talking"));
    expect(second.state).toEqual(first.state);
    expect(second.connection.state).toBe("live");
  });

  it("a tab that comes later gets the state at once", async () => {
    const bridge = new FakeBridge();
    const shared = browser();
    const first = tab(bridge, shared);
    await settle();
    bridge.socket.tell(frame("snapshot-busy"));
    const late = tab(bridge, shared);
    await settle();
    expect(late.state).toEqual(first.state);
    expect(bridge.sockets).toHaveLength(1);
  });

  it("another tab takes over when the leader leaves, with the state still shown", async () => {
    const bridge = new FakeBridge();
    const shared = browser();
    const [first, second] = [tab(bridge, shared), tab(bridge, shared)];
    await settle();
    bridge.socket.tell(frame("snapshot-busy"));
    first.stop();
    await settle();
    expect(second.leading).toBe(true);
    expect(second.state?.calls).toHaveLength(2);
    expect(bridge.sockets).toHaveLength(2);
  });

  it("each keeps its own socket where the browser has no locks, and echoes are ignored", async () => {
    const bridge = new FakeBridge();
    const shared: Partial<Ports> = { locks: null, openChannel: fakeChannels() };
    const [, second] = [tab(bridge, shared), tab(bridge, shared)];
    await settle();
    expect(bridge.sockets).toHaveLength(2);
    bridge.sockets[0]?.tell(frame("snapshot-busy"));
    expect(second?.state).toBeNull();
  });

  it("each keeps its own socket where the browser has locks but refuses them to embedded pages", async () => {
    const bridge = new FakeBridge();
    const locks = { request: () => Promise.reject(new DOMException("The request was denied.", "SecurityError")) };
    const shared = { locks: locks as unknown as LockManager, openChannel: fakeChannels() };
    tab(bridge, shared);
    tab(bridge, shared);
    await settle();
    expect(bridge.sockets).toHaveLength(2);
  });

  it("an API answer is shown before the socket tells it", async () => {
    const bridge = new FakeBridge();
    const link = tab(bridge, {});
    await settle();
    bridge.socket.tell(frame("snapshot-busy"));
    link.take({ ...call("call-talking"), version: 50 });
    expect(link.state?.calls.find((one) => one.id === call("call-talking").id)?.version).toBe(50);
  });
});
