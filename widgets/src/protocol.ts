// The wire as the bridge speaks it: frames of the live socket and bodies of the JSON API. Mirrors frames.schema.json.

export type Moment = string;
export type Language = "ja" | "en";
export type Role = "agent" | "supervisor" | "administrator";
export type Presence = "available" | "on_call" | "wrapping_up" | "away";
export type Phase = "ringing" | "talking" | "wrapping_up" | "completed" | "elsewhere" | "missed";
export type Outcome = "answered" | "missed" | "busy" | "no_answer" | "failed" | "canceled";
export type Reason = "same_number" | "chosen_before" | "called_recently" | "open_case" | "latest_contact";
export type ActivityKind = "call" | "note" | "email" | "visit" | "case" | "deal" | "order" | "appointment";
export type ErrorCode =
  | "bad_frame"
  | "bad_version"
  | "ticket_invalid"
  | "ticket_used"
  | "ticket_expired"
  | "hello_expected"
  | "too_many_sockets"
  | "server_error";

export interface Agent {
  readonly id: number;
  readonly name: string;
  readonly presence: Presence;
  readonly language: Language;
  readonly can_dial: boolean;
  readonly role: Role;
}

export interface Person {
  readonly id: number;
  readonly name: string;
}

export interface Line {
  readonly id: number;
  readonly name: string;
  readonly number: string;
  readonly display: string;
  readonly greeting: string;
  readonly language: Language;
}

export interface Caller {
  readonly kind: "number" | "withheld" | "unreadable";
  readonly number: string | null;
  readonly display: string;
  readonly region: string;
}

export interface LastSpoken {
  readonly at: Moment;
  readonly agent: string | null;
  readonly disposition: string | null;
  readonly note: string;
  readonly contact_name: string | null;
}

export interface Lookup {
  readonly state: "waiting" | "done" | "failed" | "skipped";
  readonly source: "crm" | "index" | null;
  readonly stale: boolean;
  readonly fetched_at: Moment | null;
  readonly message: string | null;
}

export interface Contact {
  readonly id: string;
  readonly kind: "person" | "company";
  readonly name: string;
  readonly reading: string;
  readonly company: string;
  readonly title: string;
  readonly url: string | null;
  readonly numbers: readonly { readonly label: string; readonly text: string }[];
}

export interface Match {
  readonly contact: Contact;
  readonly field: string;
  readonly as_typed: string;
  readonly reasons: readonly Reason[];
}

export interface Choice {
  readonly contact: Contact;
  readonly how: "only_match" | "picked" | "learned";
  readonly by: string | null;
  readonly at: Moment | null;
}

/** A case, deal, order … of the CRM that a call is about. */
export interface RelatedRecord {
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
}

export interface ActivityItem {
  readonly kind: ActivityKind;
  readonly title: string;
  readonly detail: string;
  readonly at: Moment | null;
  readonly url: string | null;
}

export interface Activity {
  readonly state: "waiting" | "done" | "failed";
  readonly history: readonly ActivityItem[];
  readonly open: readonly ActivityItem[];
  readonly upcoming: readonly ActivityItem[];
}

export interface Draft {
  readonly note: string;
  readonly disposition: string | null;
  readonly saved_at: Moment | null;
}

export interface CallLog {
  readonly state: "none" | "saved" | "retrying" | "parked" | "delivered";
  readonly url: string | null;
  readonly message: string | null;
}

/** One agent's whole view of one call. */
export interface Call {
  readonly id: string;
  readonly version: number;
  readonly direction: "inbound" | "outbound";
  readonly phase: Phase;
  readonly stage: 1 | 2 | 3;
  readonly line: Line | null;
  readonly caller: Caller;
  readonly agent: Person | null;
  readonly started_at: Moment;
  readonly answered_at: Moment | null;
  readonly ended_at: Moment | null;
  readonly outcome: Outcome | null;
  readonly last_spoken: LastSpoken | null;
  readonly lookup: Lookup;
  readonly matches: readonly Match[];
  readonly choice: Choice | null;
  readonly related: RelatedRecord | null;
  readonly activity: Activity | null;
  readonly draft: Draft;
  readonly log: CallLog;
}

export interface MissedCaller {
  readonly key: string;
  readonly caller: Caller;
  readonly count: number;
  readonly last_at: Moment;
  readonly line: Line | null;
  readonly contact_name: string | null;
  readonly call_id: string;
}

export interface Health {
  readonly phone: "ok" | "quiet" | "failing";
  readonly crm: "ok" | "slow" | "down";
  readonly unsent: number;
  readonly parked: number;
}

export interface Disposition {
  readonly code: string;
  readonly label: string;
}

export interface Capabilities {
  readonly search: boolean;
  readonly create_contact: boolean;
  readonly add_number: boolean;
  readonly activity: boolean;
}

export interface HelloFrame {
  readonly v: 1;
  readonly type: "hello";
  readonly ticket: string;
}

export interface SnapshotFrame {
  readonly v: 1;
  readonly type: "snapshot";
  readonly sent_at: Moment;
  readonly agent: Agent;
  readonly calls: readonly Call[];
  readonly missed: readonly MissedCaller[];
  readonly health: Health;
  readonly lines: readonly Line[];
  readonly dispositions: readonly Disposition[];
  readonly capabilities: Capabilities;
}

export interface CallFrame {
  readonly v: 1;
  readonly type: "call";
  readonly sent_at: Moment;
  readonly call: Call;
}

export interface PresenceFrame {
  readonly v: 1;
  readonly type: "presence";
  readonly agent: Agent;
}

export interface MissedFrame {
  readonly v: 1;
  readonly type: "missed";
  readonly missed: readonly MissedCaller[];
}

export interface HealthFrame {
  readonly v: 1;
  readonly type: "health";
  readonly health: Health;
}

export interface ErrorFrame {
  readonly v: 1;
  readonly type: "error";
  readonly code: ErrorCode;
  readonly message: string;
}

export type ServerFrame = SnapshotFrame | CallFrame | PresenceFrame | MissedFrame | HealthFrame | ErrorFrame;

const SERVER_FRAMES: ReadonlySet<string> = new Set(["snapshot", "call", "presence", "missed", "health", "error"]);

/** The frame in a socket's text, or null when it is not JSON or of a type this widget does not know. */
export function readFrame(text: string): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== "object" || frame === null || !("type" in frame) || !("v" in frame)) return null;
    if (frame.v !== 1 || typeof frame.type !== "string" || !SERVER_FRAMES.has(frame.type)) return null;
    return frame as ServerFrame;
  } catch {
    return null;
  }
}

/** Answer of POST /api/session; renewal answers the same without the agent. Seconds. */
export interface SessionGrant {
  readonly token: string;
  readonly expires_in: number;
}

/** Answer of POST /api/session and /api/session/redeem. */
export interface SignedIn extends SessionGrant {
  readonly agent: Agent;
  /** One-time codes must be set up before anything else. */
  readonly must_enrol?: boolean;
}

/** Answer of GET /api/totp. */
export interface SecondFactorState {
  readonly on: boolean;
  readonly demanded: boolean;
  readonly recovery_codes_left: number;
}

/** Answer of POST /api/totp: what an authenticator app needs; `qr` is an SVG picture of `uri`. */
export interface Enrolment {
  readonly secret: string;
  readonly uri: string;
  readonly qr: string;
}

/** The call that a recording is of, as `GET /api/recordings/{id}/call` tells it. */
export interface RecordedCall {
  readonly id: string;
  readonly direction: "inbound" | "outbound";
  readonly caller: Caller;
  readonly contact_name: string | null;
  readonly line: { readonly name: string; readonly display: string } | null;
  readonly agent: string | null;
  readonly started_at: Moment | null;
  readonly talk_seconds: number;
  /** The reader's. */
  readonly language: Language;
}

export interface DialRequest {
  readonly number: string;
  readonly line_id?: number;
  /** Any record of the CRM's screen: a contact, or a case, deal, order … of one. */
  readonly record_id?: string;
}

export interface ContactDraft {
  readonly name: string;
  readonly reading: string;
  readonly company: string;
}
