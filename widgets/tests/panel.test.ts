// The panel drawn from example frames: text stays text, controls have names, keys do what the help says, focus stays.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import "../src/panel/cti-bridge-define.js";
import type { BridgePanel } from "../src/panel/cti-bridge.js";
import { Desk } from "../src/panel/desk.js";
import { FakeBridge, settle } from "./fake-bridge.js";
import { call, frame } from "./fixtures.js";

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

async function show(...names: readonly string[]): Promise<void> {
  await desk.signIn("a@b.c", "x");
  await settle();
  for (const name of names) bridge.socket.tell(frame(name));
  await drawn();
}

/** Through every shadow tree. */
function all(selector: string, root: ParentNode = panel.renderRoot as ShadowRoot): Element[] {
  return [...root.querySelectorAll("*")].flatMap((element) => [
    ...(element.matches(selector) ? [element] : []),
    ...(element.shadowRoot ? all(selector, element.shadowRoot) : []),
  ]);
}
const one = (test: string): HTMLElement => {
  const found = all(`[data-test="${test}"]`)[0];
  if (!(found instanceof HTMLElement)) throw new Error(`no ${test}`);
  return found;
};
const has = (test: string): boolean => all(`[data-test="${test}"]`).length > 0;
const press = (element: Element, key: string, init: KeyboardEventInit = {}): boolean =>
  element.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true, ...init }),
  );

describe("the panel", () => {
  it("asks to sign in first, and shows the desk afterwards", async () => {
    expect(has("sign-in")).toBe(true);
    await show("snapshot-idle");
    expect([has("sign-in"), has("idle"), has("missed"), has("dialer")]).toEqual([false, true, true, true]);
    expect(all('[data-test="missed-caller"]')).toHaveLength(3);
  });

  it("shows hostile CRM text as text, and makes no link of a script", async () => {
    await show("snapshot-empty", "call-with-markup");
    expect(one("contact").textContent).toContain("<script>globalThis.broken=1</script>");
    expect(one("greeting").textContent).toContain("<img src=x onerror=");
    expect(all("script, img, [onload], [onerror]")).toEqual([]);
    expect(all("a").map((link) => link.getAttribute("href"))).not.toContainEqual(
      expect.stringMatching(/^(javascript|data):/),
    );
    expect("broken" in globalThis).toBe(false);
  });

  it("says why: the field, as typed, and the rule", async () => {
    await show("snapshot-empty", "call-ringing-stage-3");
    expect(one("why").textContent).toContain("携帯「０９０ー１２３４ー５６７８」と一致");
    expect(one("why").textContent).toContain("この番号の登録は1件だけです");
    expect(all("[data-reason]").map((tag) => tag.getAttribute("data-reason"))).toEqual([
      "called_recently",
      "open_case",
    ]);
  });

  it("a learned contact says who picked it, and can be undone", async () => {
    await show("snapshot-empty", "call-ringing-learned");
    expect(one("contact").dataset["how"]).toBe("learned");
    expect(one("why").textContent).toContain("田村さん");
    one("undo-choice").click();
    await drawn();
    expect(bridge.askedFor(`DELETE calls/${call("call-ringing-learned").id}/choice`)).toHaveLength(1);
  });

  it("picks one of many with its number key on the card", async () => {
    await show("snapshot-empty", "call-ringing-many");
    expect(all('[data-test="pick"]')).toHaveLength(3);
    press(one("card"), "2");
    await drawn();
    expect(bridge.askedFor(`PUT calls/${call("call-ringing-many").id}/choice`)[0]?.body).toEqual({
      contact_id: "c-103",
    });
  });

  it("does not take a digit typed into a field, or with a modifier, for a pick", async () => {
    await show("snapshot-empty", "call-talking-picked");
    press(one("note"), "1");
    press(one("card"), "1", { ctrlKey: true });
    await drawn();
    expect(bridge.asked.filter((asked) => asked.path.endsWith("/choice"))).toEqual([]);
  });

  it("offers to create a contact or add the number when nobody has it", async () => {
    await show("snapshot-empty", "call-ringing-unknown");
    expect(has("unknown")).toBe(true);
    one("offer-create").click();
    await drawn();
    (one("new-name") as HTMLInputElement).value = "新井 誠";
    one("create-contact").dispatchEvent(new Event("submit", { cancelable: true }));
    await drawn();
    const { id } = call("call-ringing-unknown");
    expect(bridge.askedFor(`POST calls/${id}/contact`)[0]?.body).toEqual({ name: "新井 誠", reading: "", company: "" });
  });

  it("does not say that nobody has the number when the lookup failed", async () => {
    await show("snapshot-empty", "call-ringing-lookup-failed");
    expect(has("unknown")).toBe(false);
    expect(one("lookup").textContent).toContain("CRMを検索できませんでした。");
  });

  it("says how old a stale answer is", async () => {
    await show("snapshot-empty", "call-ringing-stale");
    expect(one("lookup").textContent).toContain("一昨日の情報");
  });

  it("tells the agent what to ask a caller without a number, and puts it into the note", async () => {
    await show("snapshot-empty", "call-talking-withheld");
    expect(one("ask").textContent).toContain("お名前");
    one("ask-insert").click();
    await drawn();
    expect((one("note") as HTMLTextAreaElement).value).toBe("お名前: \n会社名: \n折り返し先の電話番号: ");
  });

  it("never changes the note under the cursor of the agent who types", async () => {
    await show("snapshot-empty", "call-talking");
    const note = one("note") as HTMLTextAreaElement;
    note.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
    note.value = "自分の文";
    note.dispatchEvent(new InputEvent("input", { bubbles: true }));
    bridge.socket.tell({
      ...frame("call-talking"),
      call: {
        ...call("call-talking"),
        version: 40,
        draft: { note: "別の文", disposition: null, saved_at: "2026-11-21T09:31:00+00:00" },
      },
    });
    await drawn();
    expect(note.value).toBe("自分の文");
  });

  it("Ctrl+Enter completes the wrap-up, a conversion's Enter does not", async () => {
    await show("snapshot-empty", "call-wrapping-up");
    press(one("note"), "Enter", { ctrlKey: true, isComposing: true });
    press(one("note"), "Enter");
    await drawn();
    const request = `POST calls/${call("call-wrapping-up").id}/completion`;
    expect(bridge.askedFor(request)).toHaveLength(0);
    press(one("note"), "Enter", { ctrlKey: true });
    await drawn();
    expect(bridge.askedFor(request)).toHaveLength(1);
  });

  it("a ring is announced assertively and leaves the focus where it is", async () => {
    await show("snapshot-empty");
    const field = one("dial-number");
    field.focus();
    const focus = vi.spyOn(HTMLElement.prototype, "focus");
    bridge.socket.tell(frame("call-ringing-stage-1"));
    await drawn();
    expect(focus).not.toHaveBeenCalled();
    expect(one("announcement").getAttribute("aria-live")).toBe("assertive");
    expect(one("announcement").textContent).toBe("着信です。090-1234-5678、代表宛て。");
  });

  it("Escape asks to collapse; a question mark shows the help, but not while typing", async () => {
    await show("snapshot-empty");
    let collapsed = 0;
    panel.addEventListener("cti-collapse", () => {
      collapsed += 1;
    });
    press(panel, "Escape");
    expect(collapsed).toBe(1);
    const help = one("help-dialog") as HTMLDialogElement;
    press(one("dial-number"), "?");
    expect(help.open).toBe(false);
    press(panel, "?");
    expect(help.open).toBe(true);
  });

  it("every log state has its own words", async () => {
    const words: string[] = [];
    await show("snapshot-empty");
    for (const name of ["saved", "retrying", "parked", "delivered"]) {
      bridge.socket.tell(frame(`call-completed-${name}`));
      await drawn();
      words.push(one("log").querySelector("p span")?.textContent ?? "");
    }
    expect(new Set(words).size).toBe(4);
    expect(words[0]).toBe("保存済み・CRMへはこれから登録します");
  });

  it("shows the health in words for each dot", async () => {
    await show("snapshot-empty", "health-trouble");
    expect(one("health-crm").dataset["light"]).toBe("bad");
    expect(one("health-crm").parentElement?.textContent).toContain("応答がありません");
    expect(one("health-unsent").textContent).toContain("4");
  });

  it("says that the connection is lost, and tries again on request", async () => {
    await show("snapshot-idle");
    bridge.socket.drop(1013);
    await drawn();
    expect(one("connection").dataset["state"]).toBe("waiting");
    one("retry").click();
    await drawn();
    expect(bridge.sockets).toHaveLength(2);
    expect(has("missed")).toBe(true);
  });

  it("changes its language at once, everywhere", async () => {
    await show("snapshot-idle");
    one("language-en").click();
    await drawn();
    expect(panel.lang).toBe("en");
    expect(one("missed").textContent).toContain("Missed calls");
    expect(bridge.askedFor("PUT language")[0]?.body).toEqual({ language: "en" });
  });

  it("every button and field in every state has a name", async () => {
    for (const name of [
      "call-ringing-many",
      "call-ringing-unknown",
      "call-talking-withheld",
      "call-wrapping-up",
      "call-completed-parked",
    ]) {
      await show("snapshot-idle", name);
      for (const control of all("button, input, select, textarea")) {
        const label =
          control.id === "" ? null : (control.getRootNode() as ShadowRoot).querySelector(`label[for="${control.id}"]`);
        const words = control.getAttribute("aria-label") ?? label?.textContent ?? control.textContent ?? "";
        expect(words.trim(), control.outerHTML).not.toBe("");
      }
    }
  });
});
