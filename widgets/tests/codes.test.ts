// One-time codes in the panel: asked for at the sign-in, set up from the menu, or before anything else where the bridge demands it.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import "../src/panel/cti-bridge-define.js";
import type { BridgePanel } from "../src/panel/cti-bridge.js";
import { Desk } from "../src/panel/desk.js";
import { AGENT, FakeBridge, settle } from "./fake-bridge.js";
import { frame } from "./fixtures.js";

let bridge: FakeBridge;
let desk: Desk;
let panel: BridgePanel;
let enrolled: boolean;

const SECRET = "JBSWY3DPEHPK3PXP";
const CODES = ["abcd-efgh-jkmn", "pqrs-tuvw-xyz2"];

beforeEach(async () => {
  vi.useFakeTimers();
  enrolled = false;
  bridge = new FakeBridge();
  bridge.answer("GET totp", () => ({
    status: 200,
    body: { on: enrolled, demanded: false, recovery_codes_left: enrolled ? 2 : 0 },
  }));
  bridge.answer("POST totp", () => ({ status: 201, body: { secret: SECRET, uri: "otpauth://totp/x", qr: "<svg></svg>" } }));
  bridge.answer("POST totp/confirmation", ({ body }) => {
    if ((body as { code: string }).code !== "123456") {
      return { status: 400, body: { code: "wrong_code", title: "", detail: "確認コードが違います" } };
    }
    enrolled = true;
    return { status: 200, body: { recovery_codes: CODES } };
  });
  desk = new Desk(bridge.ports(), { base: "https://bridge.example/", language: "ja", hidden: () => false });
  panel = document.createElement("cti-bridge");
  panel.desk = desk;
  document.body.replaceChildren(panel);
  await drawn();
});
afterEach(() => {
  panel.remove();
  desk.close();
  vi.useRealTimers();
});

async function drawn(): Promise<void> {
  for (let round = 0; round < 4; round += 1) await settle();
}

function all(selector: string, root: ParentNode = panel.renderRoot as ShadowRoot): HTMLElement[] {
  return [...root.querySelectorAll("*")].flatMap((element) => [
    ...(element.matches(selector) ? [element as HTMLElement] : []),
    ...(element.shadowRoot ? all(selector, element.shadowRoot) : []),
  ]);
}
/** The one that can be seen: the menu holds another <cti-second-factor>. */
const one = (test: string, within = "main"): HTMLElement => {
  const root = (panel.renderRoot as ShadowRoot).querySelector(within);
  const found = root === null ? undefined : all(`[data-test="${test}"]`, root.shadowRoot ?? root)[0];
  if (found === undefined) throw new Error(`no ${test} in ${within}`);
  return found;
};
const has = (test: string): boolean => all(`[data-test="${test}"]`).length > 0;

async function submit(fields: Readonly<Record<string, string>>, form: string): Promise<void> {
  for (const [name, value] of Object.entries(fields)) (one(name) as HTMLInputElement).value = value;
  one(form).closest("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await drawn();
}

describe("signing in", () => {
  it("asks for the code only when the bridge does, keeps what was typed, and sends all three", async () => {
    bridge.answer("POST session", ({ body }) => {
      const { code } = body as { code?: string };
      if (code === undefined) return { status: 401, body: { code: "code_required", title: "確認コードを入力してください" } };
      if (code !== "123456") return { status: 401, body: { code: "wrong_code", title: "", detail: "確認コードが違います" } };
      return { status: 200, body: { token: "token-1", expires_in: 3600, agent: AGENT } };
    });
    expect(has("code")).toBe(false);
    await submit({ email: "a@b.c", password: "secret" }, "sign-in");
    expect(bridge.askedFor("POST session")[0]?.body).toEqual({ email: "a@b.c", password: "secret" });
    expect([has("code"), has("sign-in-failure")]).toEqual([true, false]);
    expect((one("password") as HTMLInputElement).value).toBe("secret");
    await submit({ code: "000000" }, "sign-in");
    expect(one("sign-in-failure").textContent).toContain("確認コードが違います");
    await submit({ code: "123456" }, "sign-in");
    expect(bridge.askedFor("POST session")[2]?.body).toEqual({ email: "a@b.c", password: "secret", code: "123456" });
    expect(desk.signedIn).toBe(true);
  });

  it("shows the bridge's words when signing in is paused", async () => {
    const detail = "失敗が続いたためです。30秒後にもう一度お試しください。";
    bridge.answer("POST session", () => ({ status: 429, body: { code: "locked_out", title: "停止中", detail } }));
    await submit({ email: "a@b.c", password: "x" }, "sign-in");
    expect(one("sign-in-failure").textContent).toContain(detail);
    expect(has("code")).toBe(false);
  });
});

describe("a bridge that demands codes", () => {
  async function signIn(): Promise<void> {
    bridge.answer("POST session", () => ({
      status: 200,
      body: { token: "token-1", expires_in: 3600, agent: AGENT, must_enrol: true },
    }));
    bridge.answer("POST tickets", () =>
      enrolled
        ? { status: 201, body: { ticket: "ticket-1", expires_in: 60 } }
        : { status: 403, body: { code: "must_enrol", title: "", detail: "" } },
    );
    await desk.signIn("a@b.c", "x");
    await drawn();
  }

  it("shows nothing else until they are set up, then the recovery codes once, then the desk", async () => {
    await signIn();
    expect([has("must-enrol"), has("dialer")]).toEqual([true, false]);
    one("codes-begin").click();
    await drawn();
    expect(one("codes-picture").getAttribute("src")).toBe("data:image/svg+xml,%3Csvg%3E%3C%2Fsvg%3E");
    expect(one("codes-secret").textContent).toBe(SECRET);
    await submit({ "codes-code": "000000" }, "codes-code");
    expect(one("second-factor-failure").textContent).toContain("確認コードが違います");
    await submit({ "codes-code": "123456" }, "codes-code");
    for (const code of CODES) expect(one("recovery-codes").textContent).toContain(code);
    one("codes-kept").click();
    await drawn();
    bridge.socket.open();
    bridge.socket.tell(frame("snapshot-idle"));
    await drawn();
    expect([has("must-enrol"), has("dialer")]).toEqual([false, true]);
    expect(all("*").some((element) => element.textContent?.includes(CODES[0] ?? "?"))).toBe(false);
  });

  it("is understood from any refusal, as after a reload", async () => {
    await signIn();
    const reloaded = new Desk(bridge.ports(), { base: "https://bridge.example/", language: "ja", hidden: () => false });
    reloaded.start();
    await drawn();
    expect([reloaded.signedIn, reloaded.enrolling.demanded]).toEqual([true, true]);
    reloaded.close();
  });

  it("lets this tab go on when another has set them up", async () => {
    await signIn();
    enrolled = true;
    desk.wake();
    await drawn();
    bridge.socket.open();
    bridge.socket.tell(frame("snapshot-idle"));
    await drawn();
    expect(has("must-enrol")).toBe(false);
  });

  it("can be left by signing out, and the next agent is not asked", async () => {
    await signIn();
    await desk.signOut();
    expect(desk.enrolling.demanded).toBe(false);
  });
});

describe("the menu", () => {
  it("tells whether codes are on, when it is looked at", async () => {
    await desk.signIn("a@b.c", "x");
    enrolled = true;
    await desk.enrolling.load();
    await drawn();
    expect(all('[data-test="codes-on"]')[0]?.textContent).toContain("2個");
  });

  it("signs out on every screen", async () => {
    bridge.answer("DELETE sessions", () => ({ status: 200, body: { ended: 3 } }));
    await desk.signIn("a@b.c", "x");
    await drawn();
    all('[data-test="sign-out-everywhere"]')[0]?.click();
    await drawn();
    expect(bridge.askedFor("DELETE sessions")).toHaveLength(1);
    expect([desk.signedIn, desk.sessionEnded]).toEqual([false, false]);
  });

  it("stays signed in where that did not arrive", async () => {
    bridge.answer("DELETE sessions", () => Promise.reject(new TypeError("network")));
    await desk.signIn("a@b.c", "x");
    await desk.signOutEverywhere();
    expect(desk.signedIn).toBe(true);
  });
});
