// The two ends of the postMessage channel: each hears only the other, from the right origin.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { PanelChannel } from "../src/embed/panel-channel.js";
import { enclose, type HostMessage, type PanelMessage, readHostMessage, readPanelMessage } from "../src/messages.js";
import { allowedOrigins, Host } from "../src/panel/host.js";

const BRIDGE = "https://bridge.example";
const CRM = "https://crm.example";
const hello: HostMessage = { type: "hello", language: "ja", open: true, notifications: "default" };
const dial: HostMessage = { type: "dial", number: "03-5555-0142", record: null };

/** A window that can be spoken to, and remembers what was posted to it. */
function fakeWindow(parent?: object) {
  const target = new EventTarget();
  const posted: [unknown, string][] = [];
  const view = Object.assign(target, { postMessage: (data: unknown, origin: string) => posted.push([data, origin]) });
  Object.assign(view, { parent: parent ?? view });
  return { view: view as unknown as Window, posted };
}

function say(view: Window, origin: string, source: unknown, data: unknown): void {
  (view as unknown as EventTarget).dispatchEvent(Object.assign(new Event("message"), { origin, source, data }));
}

describe("the panel's end", () => {
  const setUp = () => {
    const crm = fakeWindow();
    const panel = fakeWindow(crm.view);
    const heard: HostMessage[] = [];
    const host = new Host(panel.view, [CRM], (message) => heard.push(message));
    return { crm, panel, heard, host };
  };

  it("hears hello and dial from an allowed parent", () => {
    const { crm, panel, heard } = setUp();
    say(panel.view, CRM, crm.view, enclose(hello));
    say(panel.view, CRM, crm.view, enclose(dial));
    expect(heard).toEqual([hello, dial]);
  });

  it("says nothing to anyone before a hello, and afterwards only to that origin", () => {
    const { crm, panel, host } = setUp();
    host.tell({ type: "open", open: true });
    expect(crm.posted).toEqual([]);
    say(panel.view, CRM, crm.view, enclose(hello));
    host.tell({ type: "open", open: true });
    expect(crm.posted).toEqual([[enclose({ type: "open", open: true }), CRM]]);
  });

  it.each(["https://evil.example", "https://crm.example.evil.example", "http://crm.example", "null", ""])(
    "ignores the origin %s",
    (origin) => {
      const { crm, panel, heard, host } = setUp();
      say(panel.view, origin, crm.view, enclose(hello));
      host.tell({ type: "open", open: true });
      expect([heard, crm.posted]).toEqual([[], []]);
    },
  );

  it("ignores an allowed origin that is not its parent", () => {
    const { panel, heard } = setUp();
    say(panel.view, CRM, fakeWindow().view, enclose(hello));
    say(panel.view, CRM, null, enclose(hello));
    expect(heard).toEqual([]);
  });

  it("ignores every word before the hello", () => {
    const { crm, panel, heard } = setUp();
    say(panel.view, CRM, crm.view, enclose(dial));
    expect(heard).toEqual([]);
  });

  it("on its own in a tab it listens to nobody", () => {
    const alone = fakeWindow();
    const heard = vi.fn();
    const host = new Host(alone.view, [CRM], heard);
    say(alone.view, CRM, alone.view, enclose(hello));
    expect(host.embedded).toBe(false);
    expect(heard).not.toHaveBeenCalled();
  });

  it("allows exactly the origins the server wrote into the page, none when it wrote nothing", () => {
    expect(allowedOrigins(" https://a.example  https://b.example\n")).toEqual([
      "https://a.example",
      "https://b.example",
    ]);
    expect(allowedOrigins("__CTI_EMBED_ORIGINS__")).toEqual([]);
    expect(allowedOrigins("")).toEqual([]);
    expect(allowedOrigins(null)).toEqual([]);
  });
});

describe("the host page's end", () => {
  let view: Window;
  let panel: ReturnType<typeof fakeWindow>;
  let heard: PanelMessage[];
  let channel: PanelChannel;
  const word: PanelMessage = { type: "open", open: true };

  beforeEach(() => {
    view = fakeWindow().view;
    panel = fakeWindow();
    heard = [];
    const frame = { contentWindow: panel.view } as HTMLIFrameElement;
    channel = new PanelChannel(view, frame, BRIDGE, (message) => heard.push(message));
  });

  it("hears the panel's window from the bridge's origin", () => {
    say(view, BRIDGE, panel.view, enclose(word));
    expect(heard).toEqual([word]);
  });

  it("ignores another origin, another window, and no window", () => {
    say(view, "https://evil.example", panel.view, enclose(word));
    say(view, BRIDGE, fakeWindow().view, enclose(word));
    say(view, BRIDGE, null, enclose(word));
    expect(heard).toEqual([]);
  });

  it("speaks to the bridge's origin only, never to any", () => {
    channel.tell(dial);
    expect(panel.posted).toEqual([[enclose(dial), BRIDGE]]);
  });
});

describe("messages", () => {
  it.each([
    null,
    1,
    "open",
    {},
    { cti: 2, message: hello },
    { cti: 1 },
    { cti: 1, message: null },
    { cti: 1, message: { type: "toString" } },
    { cti: 1, message: { type: "dial" } },
    { cti: 1, message: { type: "dial", number: 5 } },
  ])("%j is none of ours", (data) => {
    expect(readHostMessage(data)).toBeNull();
    expect(readPanelMessage(data)).toBeNull();
  });
});
