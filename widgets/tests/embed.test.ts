// The one script tag on a host page: options, memory, greeting, dialling, and the page's own API.
import { beforeEach, describe, expect, it, vi } from "vitest";
import "../src/embed/dial-button-define.js";
import { markTitle, notify } from "../src/embed/attention.js";
import { Bridge } from "../src/embed/bridge.js";
import { recall, remember } from "../src/embed/memory.js";
import { type EmbedOptions, readOptions, TEL_LINKS } from "../src/embed/options.js";
import { type CallNews, enclose, type HostMessage, type PanelMessage } from "../src/messages.js";

const OPTIONS: EmbedOptions = {
  base: "https://bridge.example/phone/widgets/",
  language: "ja",
  place: "right",
  linkNumbers: null,
};
const NEWS: CallNews = {
  id: "CA1",
  phase: "ringing",
  direction: "inbound",
  contactId: "c-1",
  contactUrl: "https://crm.example/c-1",
  matches: 1,
  log: "none",
  logUrl: null,
};

function script(attributes: Record<string, string>): HTMLScriptElement {
  const tag = document.createElement("script");
  Object.defineProperty(tag, "src", { value: "https://bridge.example/phone/widgets/embed.js?v=1" });
  for (const [name, value] of Object.entries(attributes)) tag.setAttribute(name, value);
  return tag;
}

// The test's browser would fetch the frame's page; here the frame stays empty and only remembers where from.
const addresses = new WeakMap<HTMLIFrameElement, string>();
Object.defineProperty(HTMLIFrameElement.prototype, "src", {
  set(this: HTMLIFrameElement, address: string) {
    addresses.set(this, address);
  },
  get: () => "",
});

beforeEach(() => {
  document.body.replaceChildren();
  document.title = "顧客台帳";
  document.documentElement.lang = "ja";
  localStorage.clear();
});

describe("the script tag", () => {
  it("finds the bridge by its own address", () => {
    expect(readOptions(script({}), document).base).toBe("https://bridge.example/phone/widgets/");
  });

  it("takes language, place and selectors from its attributes", () => {
    const options = readOptions(
      script({ "data-language": "en", "data-dock": "bottom-left", "data-link-numbers": ".tel" }),
      document,
    );
    expect(options).toMatchObject({ language: "en", place: "bottom-left", linkNumbers: ".tel" });
  });

  it("without attributes speaks the page's language, docks right, and links tel: links", () => {
    expect(readOptions(script({ "data-language": "auto", "data-dock": "sideways" }), document)).toMatchObject({
      language: "ja",
      place: "right",
      linkNumbers: TEL_LINKS,
    });
  });

  it("leaves the page's numbers alone when told so", () => {
    expect(readOptions(script({ "data-link-numbers": "off" }), document).linkNumbers).toBeNull();
  });
});

describe("the dock's memory", () => {
  const preset = { open: true, place: "right" } as const;

  it("keeps what was remembered, and only what makes sense", () => {
    remember({ open: false, place: "left" });
    expect(recall(preset)).toEqual({ open: false, place: "left" });
    localStorage.setItem("cti-bridge.dock", '{"open":"yes","place":"moon"}');
    expect(recall(preset)).toEqual(preset);
    localStorage.setItem("cti-bridge.dock", "{");
    expect(recall(preset)).toEqual(preset);
  });

  it("forgets, and nothing else, where storage throws", () => {
    const refuse = (): never => {
      throw new DOMException("blocked", "SecurityError");
    };
    vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse });
    expect(() => remember({ open: false, place: "left" })).not.toThrow();
    expect(recall(preset)).toEqual(preset);
    vi.unstubAllGlobals();
  });
});

describe("the embedded bridge", () => {
  function begin(options: Partial<EmbedOptions> = {}) {
    const bridge = new Bridge(document, window, { ...OPTIONS, ...options });
    const host = document.querySelector<HTMLElement>("[data-cti-bridge]");
    const frame = host?.shadowRoot?.querySelector("iframe");
    const box = host?.shadowRoot?.querySelector<HTMLElement>(".box");
    if (!host || !frame || !box) throw new Error("no dock");
    const told: HostMessage[] = [];
    const panel = { postMessage: (data: { message: HostMessage }) => told.push(data.message) };
    Object.defineProperty(frame, "contentWindow", { value: panel });
    const say = (message: PanelMessage, origin = "https://bridge.example", source: unknown = panel): void => {
      window.dispatchEvent(Object.assign(new Event("message"), { origin, source, data: enclose(message) }));
    };
    const load = (): boolean => frame.dispatchEvent(new Event("load"));
    return { bridge, host, frame, box, told, say, load };
  }

  it("frames the panel beside the script, with sound, microphone and clipboard allowed", () => {
    const { frame } = begin();
    expect(addresses.get(frame)).toBe("https://bridge.example/phone/widgets/panel?language=ja");
    expect(frame.allow).toBe("autoplay; microphone; clipboard-write");
    expect(frame.title).toBe("電話パネル");
  });

  it("greets the panel after every load", () => {
    const { told, load } = begin();
    load();
    load();
    expect(told.map((message) => message.type)).toEqual(["hello", "hello"]);
    expect(told[0]).toMatchObject({ language: "ja" });
  });

  it("says which record the page shows, after every load of the panel too", () => {
    const { bridge, told, load } = begin();
    bridge.showRecord("27:5", "青木 ことの");
    expect(told).toEqual([]);
    load();
    expect(told.at(-1)).toEqual({ type: "record", record: "27:5", title: "青木 ことの" });
    bridge.showRecord(null);
    expect(told.at(-1)).toEqual({ type: "record", record: null, title: "" });
  });

  it("brings the panel a ticket where the CRM's server vouches, and says in its hello whether it does", async () => {
    const vouch = vi.fn().mockResolvedValue({ ticket: "t-1" });
    const { told, say, load } = begin({ vouch });
    load();
    expect(told[0]).toMatchObject({ type: "hello", vouches: true });
    say({ type: "ask-ticket" }, "https://evil.example");
    say({ type: "ask-ticket" });
    await vi.waitFor(() => expect(told).toContainEqual({ type: "ticket", ticket: "t-1" }));
    expect(vouch).toHaveBeenCalledOnce();
  });

  it("remembers for the panel that the agent signed out, until they are in again", () => {
    const { told, say, load } = begin();
    say({ type: "signed-out", out: true });
    load();
    expect(told.at(-1)).toMatchObject({ type: "hello", signedOut: true });
    say({ type: "signed-out", out: false });
    load();
    expect(told.at(-1)).toMatchObject({ type: "hello", signedOut: false });
  });

  it("without such a server answers no question for a ticket", () => {
    const { told, say, load } = begin();
    load();
    say({ type: "ask-ticket" });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ type: "hello", vouches: false });
  });

  it("tells the panel, once, that the agent has touched the page: only then may its frame ring", () => {
    const { told, load } = begin();
    document.body.dispatchEvent(new Event("pointerup", { bubbles: true }));
    load();
    document.body.dispatchEvent(new Event("pointerup", { bubbles: true }));
    document.body.dispatchEvent(new Event("pointerup", { bubbles: true }));
    expect(told.filter(({ type }) => type === "touched")).toHaveLength(1);
  });

  it("keeps a number that is dialled before the panel is there", () => {
    const { bridge, told, load } = begin();
    bridge.dial(" ０３ー５５５５ー０１４２ ", { record: "4711" });
    expect(told.some((message) => message.type === "dial")).toBe(false);
    load();
    expect(told.at(-1)).toEqual({ type: "dial", number: "03-5555-0142", record: "4711" });
  });

  it("dials what <cti-dial> asks for, unless the page cancels it", () => {
    const { told, load } = begin();
    load();
    const button = document.createElement("cti-dial");
    button.setAttribute("number", "03-5555-0142");
    document.body.append(button);
    button.shadowRoot?.querySelector("button")?.click();
    button.addEventListener("cti-dial", (event) => event.preventDefault());
    button.shadowRoot?.querySelector("button")?.click();
    expect(told.filter((message) => message.type === "dial")).toHaveLength(1);
  });

  it("tells the page about calls, as an event and to listeners, until they stop listening", () => {
    const { bridge, say } = begin();
    const heard: unknown[] = [];
    document.addEventListener("cti-bridge:call", (event) => heard.push(["event", (event as CustomEvent).detail]), {
      once: true,
    });
    const off = bridge.on("call", (news) => heard.push(["listener", news]));
    say({ type: "call", call: NEWS });
    off();
    say({ type: "call", call: NEWS });
    expect(heard).toEqual([
      ["event", NEWS],
      ["listener", NEWS],
    ]);
  });

  it("a listener of the page that throws does not silence the next", () => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { bridge, say } = begin();
    const next = vi.fn();
    bridge.on("call", () => {
      throw new Error("host");
    });
    bridge.on("call", next);
    say({ type: "call", call: NEWS });
    expect(next).toHaveBeenCalledOnce();
  });

  it("hears nothing from other origins or windows", () => {
    const { bridge, say, box } = begin();
    bridge.close();
    const heard = vi.fn();
    bridge.on("call", heard);
    say({ type: "call", call: NEWS }, "https://evil.example");
    say({ type: "open", open: true }, "https://bridge.example", window);
    expect(heard).not.toHaveBeenCalled();
    expect(box.dataset["open"]).toBe("false");
  });

  it("opens on a ring without taking the focus, and tells the panel", () => {
    const { bridge, say, told, box } = begin();
    bridge.close();
    const field = document.createElement("input");
    document.body.append(field);
    field.focus();
    say({ type: "open", open: true });
    expect(box.dataset["open"]).toBe("true");
    expect(document.activeElement).toBe(field);
    expect(told.at(-1)).toEqual({ type: "open", open: true });
  });

  it("marks the page's title while it rings and leaves the page's own changes alone", () => {
    const { say } = begin();
    say({ type: "state", language: "ja", ringing: 1, missed: 2 });
    expect(document.title).toBe("☎ 顧客台帳");
    document.title = "別の画面";
    say({ type: "state", language: "ja", ringing: 0, missed: 2 });
    expect(document.title).toBe("別の画面");
    markTitle(document, true);
    markTitle(document, true);
    markTitle(document, false);
    expect(document.title).toBe("別の画面");
  });

  it("names the missed calls on the collapsed dock, in the agent's language", () => {
    const { host, say } = begin();
    say({ type: "state", language: "en", ringing: 0, missed: 2 });
    const launcher = host.shadowRoot?.querySelector(".launcher");
    expect(launcher?.getAttribute("aria-label")).toBe("Open the phone panel (2 missed calls)");
    expect(host.lang).toBe("en");
  });
});

describe("a desktop notification", () => {
  it.each([
    [false, "granted", 0],
    [true, "default", 0],
    [true, "denied", 0],
    [true, "granted", 1],
  ])("hidden %s and permission %s: %d shown", (hidden, permission, shown) => {
    const made: string[] = [];
    class Fake extends EventTarget {
      static permission = permission;
      constructor(title: string) {
        super();
        made.push(title);
      }
    }
    vi.stubGlobal("Notification", Fake);
    vi.spyOn(document, "hidden", "get").mockReturnValue(hidden);
    notify("着信中: 佐藤 花子", "", "CA1", () => undefined);
    expect(made).toHaveLength(shown);
    vi.unstubAllGlobals();
  });
});
