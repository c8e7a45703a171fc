// What the CRM's page (embed.js) and the panel's page say to each other with postMessage. Both ends check the origin and the source first.
import type { Call, Language } from "./protocol.js";

export type NotificationState = "default" | "granted" | "denied" | "unsupported";

/** What a CRM page may know about a call: enough to open the record or the log, no more. */
export interface CallNews {
  readonly id: string;
  readonly phase: Call["phase"];
  readonly direction: Call["direction"];
  readonly contactId: string | null;
  readonly contactUrl: string | null;
  /** How many contacts have the number. */
  readonly matches: number;
  readonly log: Call["log"]["state"];
  readonly logUrl: string | null;
}

/** Why the CRM's server could not vouch for its user. The first three are the bridge's own codes. */
export const VOUCH_PROBLEMS = ["vouching_off", "wrong_secret", "agent_not_found", "unreachable", "refused"] as const;
export type VouchProblem = (typeof VOUCH_PROBLEMS)[number];

export type HostMessage =
  /** The first word, after every load of the panel: from then on the panel knows its host. */
  | {
      readonly type: "hello";
      readonly language: Language;
      readonly open: boolean;
      readonly notifications: NotificationState;
      /** Whether the CRM's server can vouch for its user: then the panel asks for a ticket instead of a password. */
      readonly vouches?: boolean;
      /** The agent signed out on purpose, which the host's page remembers: browsers refuse storage to many a frame. */
      readonly signedOut?: boolean;
    }
  /** The record that the page shows now; null: none. */
  | { readonly type: "record"; readonly record: string | null; readonly title: string }
  /** The answer to ask-ticket. */
  | { readonly type: "ticket"; readonly ticket: string | null; readonly problem?: VouchProblem }
  | { readonly type: "dial"; readonly number: string; readonly record: string | null }
  | { readonly type: "open"; readonly open: boolean }
  /** The agent has clicked or typed on the page: from now on browsers let its frames make sound, too. */
  | { readonly type: "touched" }
  | { readonly type: "notifications"; readonly state: NotificationState };

export type PanelMessage =
  | { readonly type: "state"; readonly language: Language; readonly ringing: number; readonly missed: number }
  | { readonly type: "call"; readonly call: CallNews }
  | { readonly type: "open"; readonly open: boolean }
  | { readonly type: "notify"; readonly title: string; readonly body: string; readonly tag: string }
  | { readonly type: "ask-notifications" }
  | { readonly type: "ask-ticket" }
  /** Signed out on purpose, or in again. */
  | { readonly type: "signed-out"; readonly out: boolean };

export interface Envelope<Message> {
  readonly cti: 1;
  readonly message: Message;
}

const HOST_TYPES: Readonly<Record<HostMessage["type"], readonly [string, string][]>> = {
  hello: [
    ["language", "string"],
    ["open", "boolean"],
    ["notifications", "string"],
  ],
  record: [["title", "string"]],
  ticket: [],
  dial: [["number", "string"]],
  open: [["open", "boolean"]],
  touched: [],
  notifications: [["state", "string"]],
};

const PANEL_TYPES: Readonly<Record<PanelMessage["type"], readonly [string, string][]>> = {
  state: [
    ["language", "string"],
    ["ringing", "number"],
    ["missed", "number"],
  ],
  call: [["call", "object"]],
  open: [["open", "boolean"]],
  notify: [
    ["title", "string"],
    ["body", "string"],
    ["tag", "string"],
  ],
  "ask-notifications": [],
  "ask-ticket": [],
  "signed-out": [["out", "boolean"]],
};

export const enclose = <Message>(message: Message): Envelope<Message> => ({ cti: 1, message });

export const readHostMessage = (data: unknown): HostMessage | null => open<HostMessage>(data, HOST_TYPES);
export const readPanelMessage = (data: unknown): PanelMessage | null => open<PanelMessage>(data, PANEL_TYPES);

/** The message, or null for anything that is not ours: pages are full of other people's messages. */
function open<Message>(data: unknown, types: Readonly<Record<string, readonly [string, string][]>>): Message | null {
  if (typeof data !== "object" || data === null || !("cti" in data) || data.cti !== 1 || !("message" in data))
    return null;
  const message = data.message as Record<string, unknown> | null;
  if (typeof message !== "object" || message === null || typeof message["type"] !== "string") return null;
  if (!Object.hasOwn(types, message["type"])) return null;
  const members = types[message["type"]] ?? [];
  return members.every(([name, type]) => typeof message[name] === type && message[name] !== null)
    ? (message as Message)
    : null;
}
