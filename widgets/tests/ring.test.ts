// The ring: who makes sound, what is announced and how often, when a notification is due.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SafeStorage } from "../src/live/ports.js";
import { Tabs } from "../src/live/tabs.js";
import type { Call } from "../src/protocol.js";
import { Announcer, notificationOf } from "../src/ring/announce.js";
import { Ringer } from "../src/ring/ringer.js";
import { Tone } from "../src/ring/tone.js";
import { TERMS } from "../src/terms/terms.js";
import { FakeBridge, fakeChannels, fakeLocks, MemoryStorage, settle } from "./fake-bridge.js";
import { call } from "./fixtures.js";

const { ja, en } = TERMS;

describe("the announcement", () => {
  it("names number and line at once, and then the person, each once", () => {
    const announcer = new Announcer();
    const said = [
      "call-ringing-stage-1",
      "call-ringing-stage-1",
      "call-ringing-stage-2",
      "call-ringing-stage-3",
      "call-talking",
    ].map((name) => announcer.next([call(name)], ja));
    expect(said).toEqual(["着信です。090-1234-5678、代表宛て。", null, "相手は佐藤 花子様です。", null, null]);
  });

  it("says the name with the first word when it is known by then, and not again", () => {
    const announcer = new Announcer();
    expect(announcer.next([call("call-ringing-stage-3")], en)).toBe("Incoming call. 佐藤 花子, on 代表.");
    expect(announcer.next([call("call-ringing-stage-3")], en)).toBeNull();
  });

  it("says how many contacts have the number, that none has it, that it is withheld", () => {
    expect(new Announcer().next([call("call-ringing-many")], en)).toContain("3 contacts have this number.");
    expect(new Announcer().next([call("call-ringing-unknown")], ja)).toContain("この番号の登録はありません。");
    expect(new Announcer().next([call("call-ringing-withheld")], ja)).toBe("着信です。非通知、代表宛て。");
  });

  it("does not claim that nobody has a number when the CRM could not be asked", () => {
    expect(new Announcer().next([call("call-ringing-lookup-failed")], ja)).not.toContain("登録はありません");
  });

  it("says nothing about calls that the agent makes", () => {
    expect(new Announcer().next([call("call-outbound-ringing")], ja)).toBeNull();
  });

  it("announces a second ring while the first is still there", () => {
    const announcer = new Announcer();
    announcer.next([call("call-ringing-stage-3")], ja);
    expect(announcer.next([call("call-ringing-stage-3"), call("call-ringing-withheld")], ja)).toContain("非通知");
  });

  it("a notification has name, company, number and line", () => {
    expect(notificationOf(call("call-ringing-stage-3"), ja)).toEqual({
      title: "着信中: 佐藤 花子",
      body: "株式会社ひかり食品\n090-1234-5678\n代表",
    });
  });
});

/** As much of Web Audio as the tone touches; every oscillator that starts is counted. */
function fakeAudio(allowed = true) {
  const counted = { oscillators: 0 };
  const node = (): object => ({
    gain: { value: 0, setValueAtTime: () => undefined, linearRampToValueAtTime: () => undefined },
    frequency: { value: 0 },
    connect: (to: object) => to,
    disconnect: () => undefined,
    start: () => {
      counted.oscillators += 1;
    },
    stop: () => undefined,
  });
  const context = Object.assign(new EventTarget(), {
    state: "suspended",
    currentTime: 0,
    destination: {},
    createGain: node,
    createOscillator: node,
    resume: async () => {
      if (allowed) context.state = "running";
    },
  });
  return { counted, context: context as unknown as AudioContext };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the tone", () => {
  const storage = (): SafeStorage => {
    const memory = new MemoryStorage();
    return new SafeStorage(() => memory as unknown as Storage);
  };

  it("is silent until the browser allows sound, and then rings every three seconds until stopped", async () => {
    const { counted, context } = fakeAudio();
    const tone = new Tone(
      storage(),
      () => undefined,
      () => context,
    );
    tone.start();
    expect(counted.oscillators).toBe(0);
    await tone.test();
    const once = counted.oscillators;
    expect(once).toBeGreaterThan(0);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(counted.oscillators).toBe(3 * once);
    tone.stop();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(counted.oscillators).toBe(3 * once);
  });

  it("a refused test leaves it locked and untested", async () => {
    const tone = new Tone(
      storage(),
      () => undefined,
      () => fakeAudio(false).context,
    );
    await tone.test();
    expect([tone.unlocked, tone.tested]).toEqual([false, false]);
  });

  it("remembers the volume, within its bounds", () => {
    const kept = storage();
    new Tone(
      kept,
      () => undefined,
      () => null,
    ).setVolume(7);
    expect(
      new Tone(
        kept,
        () => undefined,
        () => null,
      ).volume,
    ).toBe(1);
  });
});

describe("the ringer", () => {
  function tab(bridge: FakeBridge, browser: object, changes: { leading?: boolean; hidden?: boolean } = {}) {
    vi.stubGlobal("AudioContext", function AudioContextStub() {
      return fakeAudio().context;
    });
    const ports = bridge.ports(browser);
    const notified: string[] = [];
    const ringer = new Ringer("test", ports, new Tabs("ring", ports), {
      onChange: () => undefined,
      leading: () => changes.leading ?? true,
      hidden: () => changes.hidden ?? false,
      notify: (one: Call) => notified.push(one.id),
    });
    return { ringer, notified };
  }
  const browser = () => ({ locks: fakeLocks(), openChannel: fakeChannels() });
  const ringing = call("call-ringing-stage-1");

  it("asks for a sound test until one was made", async () => {
    const { ringer } = tab(new FakeBridge(), browser());
    expect(ringer.sound).toBe("off");
    await ringer.tone.test();
    await settle();
    expect(ringer.sound).toBe("on");
  });

  it("rings in one tab only, and the others say so", async () => {
    const bridge = new FakeBridge();
    const shared = browser();
    const [first, second] = [tab(bridge, shared).ringer, tab(bridge, shared).ringer];
    await first.tone.test();
    await second.tone.test();
    await settle();
    for (const ringer of [first, second]) ringer.hear([ringing]);
    expect([first.tone.ringing, second.tone.ringing]).toEqual([true, false]);
    expect([first.sound, second.sound]).toEqual(["on", "elsewhere"]);
  });

  it("rings in a follower when the leading tab may not make sound", async () => {
    const bridge = new FakeBridge();
    const shared = browser();
    const leader = tab(bridge, shared, { leading: true }).ringer;
    const follower = tab(bridge, shared, { leading: false }).ringer;
    await follower.tone.test();
    await settle();
    for (const ringer of [leader, follower]) ringer.hear([ringing]);
    expect([leader.tone.ringing, follower.tone.ringing]).toEqual([false, true]);
    expect(leader.sound).toBe("elsewhere");
  });

  it("the next tab rings when the ringing one is closed", async () => {
    const bridge = new FakeBridge();
    const shared = browser();
    const [first, second] = [tab(bridge, shared).ringer, tab(bridge, shared).ringer];
    await first.tone.test();
    await second.tone.test();
    await settle();
    second.hear([ringing]);
    first.close();
    await settle();
    expect(second.tone.ringing).toBe(true);
  });

  it("stops when the call is taken, and does not ring for calls the agent makes", async () => {
    const { ringer } = tab(new FakeBridge(), browser());
    await ringer.tone.test();
    await settle();
    ringer.hear([ringing]);
    expect(ringer.tone.ringing).toBe(true);
    ringer.hear([call("call-elsewhere")]);
    expect(ringer.tone.ringing).toBe(false);
    ringer.hear([call("call-outbound-ringing")]);
    expect(ringer.tone.ringing).toBe(false);
  });

  it("notifies once, from the leading tab, when no tab can be seen", async () => {
    const bridge = new FakeBridge();
    const shared = browser();
    const leader = tab(bridge, shared, { hidden: true });
    const follower = tab(bridge, shared, { hidden: true, leading: false });
    for (const one of [leader, follower]) {
      one.ringer.hear([ringing]);
      one.ringer.hear([call("call-ringing-stage-2")]);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect([leader.notified, follower.notified]).toEqual([[ringing.id], []]);
  });

  it("does not notify when another tab of the agent is in sight, or the call is gone by then", async () => {
    const bridge = new FakeBridge();
    const shared = browser();
    const leader = tab(bridge, shared, { hidden: true });
    tab(bridge, shared, { hidden: false, leading: false });
    leader.ringer.hear([ringing]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(leader.notified).toEqual([]);

    const alone = tab(new FakeBridge(), browser(), { hidden: true });
    alone.ringer.hear([ringing]);
    alone.ringer.hear([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(alone.notified).toEqual([]);
  });
});
