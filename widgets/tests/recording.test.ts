// The page that plays a recording: sign-in, the call's facts, honest troubles, the player by mouse and by keys.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Ports } from "../src/live/ports.js";
import type { RecordedCall } from "../src/protocol.js";
import { Listening } from "../src/recording/listening.js";
import "../src/recording/cti-recording-define.js";
import type { Player, RecordingPage } from "../src/recording/cti-recording-define.js";
import { ja } from "../src/terms/ja.js";
import { AGENT, FakeBridge, fakeChannels, settle } from "./fake-bridge.js";

const ID = `RE${"0a".repeat(16)}`;
const CALL: RecordedCall = {
  id: "CA1",
  direction: "inbound",
  caller: { kind: "number", number: "+819012345678", display: "090-1234-5678", region: "" },
  contact_name: "山田 太郎 <b>",
  line: { name: "代表", display: "050-3123-4567" },
  agent: "佐藤",
  started_at: "2026-11-22T05:05:00+00:00",
  talk_seconds: 65,
  language: "ja",
};
const SOUND = new Blob(["sound"], { type: "audio/mpeg" });

let bridge: FakeBridge;
let page: RecordingPage;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-22T06:00:00Z") });
  bridge = new FakeBridge();
  bridge.answer(`GET recordings/${ID}/call`, () => ({ status: 200, body: CALL }));
  bridge.answer(`GET recordings/${ID}`, () => ({ status: 200, body: SOUND }));
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:https://bridge.example/1");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue(undefined);
});
afterEach(() => {
  page.remove();
  vi.useRealTimers();
});

/** The fake answers have no blob; the sound is what they would give as JSON. */
function ports(changes: Partial<Ports> = {}): Ports {
  const plain = bridge.ports(changes);
  return {
    ...plain,
    fetch: async (input, init) => {
      const answer = await plain.fetch(input, init);
      return Object.assign(answer, { blob: () => answer.json() as Promise<Blob> });
    },
  };
}

async function open(recording: string | null = ID, changes: Partial<Ports> = {}): Promise<Listening> {
  const listening = new Listening(ports(changes), { base: "https://bridge.example/", language: "en", recording });
  page = document.createElement("cti-recording");
  page.desk = listening;
  document.body.replaceChildren(page);
  listening.start();
  await drawn();
  return listening;
}

async function signIn(listening: Listening): Promise<void> {
  await listening.signIn("a@b.c", "x");
  await drawn();
}

async function drawn(): Promise<void> {
  for (let round = 0; round < 8; round += 1) await settle();
}

/** Through every shadow tree. */
function all(selector: string, root: ParentNode = page.renderRoot as ShadowRoot): Element[] {
  return [...root.querySelectorAll("*")].flatMap((element) => [
    ...(element.matches(selector) ? [element] : []),
    ...(element.shadowRoot ? all(selector, element.shadowRoot) : []),
  ]);
}
const has = (test: string): boolean => all(`[data-test="${test}"]`).length > 0;
const one = (test: string): HTMLElement => {
  const found = all(`[data-test="${test}"]`)[0];
  if (!(found instanceof HTMLElement)) throw new Error(`no ${test}`);
  return found;
};
const text = (test: string): string => (one(test).textContent ?? "").replace(/\s+/g, " ").trim();

describe("the page of a recording", () => {
  it("asks to sign in first, in the page's language, and offers no CRM to vouch", async () => {
    const listening = await open();
    expect(has("sign-in")).toBe(true);
    expect(has("vouch")).toBe(false);
    expect(text("sign-in")).toContain("Sign in to listen to the recording.");
    expect(bridge.asked).toEqual([]);
    await signIn(listening);
    expect(has("sign-in")).toBe(false);
    expect(listening.language).toBe("ja");
  });

  it("says who refused a wrong password, and stays", async () => {
    const listening = await open();
    bridge.answer("POST session", () => ({ status: 401, body: { code: "wrong_password", detail: "Check the password." } }));
    await expect(listening.signIn("a@b.c", "x")).rejects.toThrow("Check the password.");
    expect(has("sign-in")).toBe(true);
    expect(bridge.askedFor(`GET recordings/${ID}`)).toEqual([]);
  });

  it("shows whose call it was, as text, and fetches the sound with the token", async () => {
    await signIn(await open());
    expect(text("party")).toBe("山田 太郎 <b>");
    expect(text("facts")).toContain("090-1234-5678");
    expect(text("facts")).toContain("着信");
    expect(text("when")).toContain("2026年11月22日");
    expect(text("agent")).toBe("佐藤");
    expect(text("facts")).toContain("1:05");
    const [asked] = bridge.askedFor(`GET recordings/${ID}`);
    expect(asked?.headers.get("Authorization")).toBe("Bearer token-1");
    expect(asked?.headers.get("Accept-Language")).toBe("ja");
    expect(URL.createObjectURL).toHaveBeenCalledWith(SOUND);
    expect((all("audio")[0] as HTMLAudioElement).src).toBe("blob:https://bridge.example/1");
  });

  it("needs no sign-in where the panel is signed in in another tab", async () => {
    const channels = fakeChannels();
    const panel = channels("cti-bridge:https://bridge.example/");
    panel.addEventListener("message", (event) => {
      if ((event as MessageEvent<{ type: string }>).data.type !== "session-wanted") return;
      const session = { token: "panel's", grantedAt: Date.now(), expiresAt: Date.now() + 60_000 };
      panel.postMessage({ type: "session", session });
    });
    await open(ID, { openChannel: channels });
    expect(has("player")).toBe(true);
    expect(bridge.askedFor(`GET recordings/${ID}`)[0]?.headers.get("Authorization")).toBe("Bearer panel's");
    panel.postMessage({ type: "session", session: null });
    await drawn();
    expect(has("sign-in")).toBe(true);
    expect(has("facts")).toBe(false);
    expect(URL.revokeObjectURL).toHaveBeenCalledWith("blob:https://bridge.example/1");
  });

  it("says when the link is broken, without asking anybody", async () => {
    for (const broken of [null, "", "RE1", `${ID}0`, "../../api/session", `${ID}\n`, "RE<script>"]) {
      await open(broken);
      expect(text("trouble"), String(broken)).toContain("This link is not complete");
      expect(has("sign-in")).toBe(false);
      expect(has("again")).toBe(false);
    }
    expect(bridge.asked).toEqual([]);
  });

  it.each([
    [404, "recording_not_found", "この録音は見つかりません", false],
    [403, "recording_not_allowed", "この録音は再生できません", false],
    [410, "recording_deleted", "この録音はもうありません", false],
    [409, "recording_not_ready", "録音はまだ準備中です", true],
    [503, "recordings_busy", "録音の再生が混み合っています", true],
    [503, "recording_unreachable", "いま録音を再生できません", true],
    [500, "server_error", "いま録音を再生できません", true],
  ])("tells a %i %s honestly", async (status, code, heading, again) => {
    bridge.answer(`GET recordings/${ID}`, () => ({ status, body: { code, title: "t", detail: "ブリッジの言葉" } }));
    await signIn(await open());
    expect(text("trouble")).toContain(heading);
    expect(text("trouble")).toContain("ブリッジの言葉");
    expect(has("again")).toBe(again);
    expect(has("facts")).toBe(true);
    expect(has("player")).toBe(false);
    expect(has("fetching")).toBe(false);
  });

  it("plays after another try, once the recording is ready", async () => {
    let tries = 0;
    bridge.answer(`GET recordings/${ID}`, () => {
      tries += 1;
      return tries === 1 ? { status: 409, body: { code: "recording_not_ready" } } : { status: 200, body: SOUND };
    });
    await signIn(await open());
    one("again").click();
    await drawn();
    expect(has("player")).toBe(true);
    expect(has("trouble")).toBe(false);
  });

  it("says so when the bridge cannot be reached", async () => {
    bridge.answer(`GET recordings/${ID}`, () => Promise.reject(new TypeError("down")));
    await signIn(await open());
    expect(text("trouble")).toContain(ja.offline);
    expect(has("again")).toBe(true);
  });

  it("asks to sign in again when the session is over, and then goes on", async () => {
    let refused = true;
    bridge.answer(`GET recordings/${ID}`, () =>
      refused ? { status: 401, body: { code: "session_over" } } : { status: 200, body: SOUND },
    );
    const listening = await open();
    await signIn(listening);
    expect(text("sign-in-failure")).toBe(ja.sessionEnded);
    refused = false;
    await signIn(listening);
    expect(has("player")).toBe(true);
  });

  it("lets an answer that comes after the session's end go", async () => {
    let arrive: (answer: never) => void = () => undefined;
    bridge.answer(`GET recordings/${ID}`, () => new Promise<never>((resolve) => (arrive = resolve)));
    bridge.answer("POST session/renew", () => ({ status: 401, body: { code: "session_over" } }));
    const listening = await open();
    await signIn(listening);
    expect(has("fetching")).toBe(true);
    await vi.advanceTimersByTimeAsync(AGENT.id * 3_600_000);
    arrive({ status: 200, body: SOUND } as never);
    await drawn();
    expect(listening.sound).toBeNull();
    expect(has("sign-in")).toBe(true);
  });
});

describe("the player", () => {
  let player: Player;
  let audio: HTMLAudioElement;
  const play = vi.fn<() => Promise<void>>();
  const pause = vi.fn<() => void>();

  beforeEach(async () => {
    await signIn(await open());
    player = all("cti-player")[0] as Player;
    audio = all("audio")[0] as HTMLAudioElement;
    let at = 0;
    play.mockReset().mockImplementation(() => {
      audio.dispatchEvent(new Event("play"));
      return Promise.resolve();
    });
    pause.mockReset().mockImplementation(() => {
      audio.dispatchEvent(new Event("pause"));
    });
    Object.defineProperties(audio, {
      duration: { get: () => 90, configurable: true },
      currentTime: { get: () => at, set: (seconds: number) => (at = seconds), configurable: true },
      play: { value: play },
      pause: { value: pause },
    });
    audio.dispatchEvent(new Event("loadedmetadata"));
    await drawn();
  });

  const press = async (key: string, target: EventTarget = document.body, init: KeyboardEventInit = {}): Promise<boolean> => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true, ...init });
    const free = target.dispatchEvent(event);
    await drawn();
    return free;
  };

  it("plays and pauses with its button, and says which it will do", async () => {
    expect(text("play")).toBe("再生");
    one("play").click();
    await drawn();
    expect(text("play")).toBe("一時停止");
    one("play").click();
    await drawn();
    expect([play.mock.calls.length, pause.mock.calls.length]).toEqual([1, 1]);
    expect(text("play")).toBe("再生");
  });

  it("does not begin by itself", () => {
    expect(play).not.toHaveBeenCalled();
    expect(document.activeElement === null || document.activeElement === document.body).toBe(true);
  });

  it("shows the sound's own length, and moves without leaving it", async () => {
    expect(text("time")).toBe("0:00 / 1:30");
    one("forward").click();
    await drawn();
    expect(text("time")).toBe("0:10 / 1:30");
    expect(one("position").getAttribute("aria-valuetext")).toBe("1:30のうち0:10");
    one("back").click();
    one("back").click();
    expect(audio.currentTime).toBe(0);
    const range = one("position") as HTMLInputElement;
    range.value = "85";
    range.dispatchEvent(new Event("input"));
    one("forward").click();
    await drawn();
    expect(audio.currentTime).toBe(90);
    expect(text("time")).toBe("1:30 / 1:30");
  });

  it("follows the sound while it plays", async () => {
    audio.currentTime = 61.7;
    audio.dispatchEvent(new Event("timeupdate"));
    await drawn();
    expect(text("time")).toBe("1:01 / 1:30");
    expect((one("position") as HTMLInputElement).value).toBe("61");
  });

  it("plays at the speed that is chosen", async () => {
    const speed = one("speed") as HTMLSelectElement;
    expect([...speed.options].map((option) => option.textContent)).toEqual([
      "0.75倍", "1倍", "1.25倍", "1.5倍", "1.75倍", "2倍",
    ]);
    expect(speed.value).toBe("1");
    speed.value = "1.75";
    speed.dispatchEvent(new Event("change"));
    expect([audio.playbackRate, audio.defaultPlaybackRate]).toEqual([1.75, 1.75]);
  });

  it("obeys keys, but not those that belong to a control or to the browser", async () => {
    expect(await press(" ")).toBe(false);
    expect(play).toHaveBeenCalledTimes(1);
    await press("ArrowRight");
    await press("ArrowRight", one("position"));
    expect(audio.currentTime).toBe(10);
    await press("ArrowLeft");
    expect(audio.currentTime).toBe(5);
    expect(await press(" ", one("play"))).toBe(true);
    expect(await press("ArrowRight", one("speed"))).toBe(true);
    expect(await press("ArrowLeft", document.body, { altKey: true })).toBe(true);
    expect(await press("x")).toBe(true);
    expect([audio.currentTime, play.mock.calls.length, pause.mock.calls.length]).toEqual([5, 1, 0]);
    player.remove();
    await press("ArrowRight");
    expect(audio.currentTime).toBe(5);
  });

  it("says when the browser cannot play the sound, and offers another try", async () => {
    audio.dispatchEvent(new Event("error"));
    await drawn();
    expect(text("trouble")).toContain("このブラウザーでは再生できません");
    expect(has("player")).toBe(false);
    one("again").click();
    await drawn();
    expect(has("player")).toBe(true);
  });

  it("names every control, and has no title to hover for", () => {
    for (const element of all("button, input, select")) {
      const label = element.id === "" ? "" : (all(`label[for="${element.id}"]`)[0]?.textContent ?? "");
      const name = element.getAttribute("aria-label") ?? ((element.textContent ?? "").trim() || label);
      expect(element.matches("select") ? label : name, element.outerHTML).not.toBe("");
    }
  });
});
