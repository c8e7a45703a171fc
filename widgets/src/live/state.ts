// What the live socket has told so far, and the one pure rule by which a frame changes it.
import type {
  Agent,
  Call,
  Capabilities,
  Disposition,
  Health,
  Line,
  MissedCaller,
  Phase,
  ServerFrame,
} from "../protocol.js";

export interface LiveState {
  /** Server clock minus ours, in milliseconds: add it to Date.now() before comparing with the server's moments. */
  readonly skew: number;
  readonly agent: Agent;
  readonly calls: readonly Call[];
  readonly missed: readonly MissedCaller[];
  readonly health: Health;
  readonly lines: readonly Line[];
  readonly dispositions: readonly Disposition[];
  readonly capabilities: Capabilities;
}

/** The state after one frame. Null until the first snapshot; frames before it have nothing to change. */
export function receive(state: LiveState | null, frame: ServerFrame, now: number): LiveState | null {
  if (frame.type === "snapshot") {
    return {
      skew: Date.parse(frame.sent_at) - now,
      agent: frame.agent,
      // The answer of an API request may have overtaken this snapshot on its way.
      calls: frame.calls.map((call) =>
        newer(
          call,
          state?.calls.find((known) => known.id === call.id),
        ),
      ),
      missed: frame.missed,
      health: frame.health,
      lines: frame.lines,
      dispositions: frame.dispositions,
      capabilities: frame.capabilities,
    };
  }
  if (state === null) return null;
  switch (frame.type) {
    case "call":
      return {
        ...withCall(state, frame.call),
        // A frame can be late but never early: the largest difference seen is the nearest to the truth.
        skew: Math.max(state.skew, Date.parse(frame.sent_at) - now),
      };
    case "presence":
      return { ...state, agent: frame.agent };
    case "missed":
      return { ...state, missed: frame.missed };
    case "health":
      return { ...state, health: frame.health };
    case "error":
      return state;
  }
}

/** The state with this call in it, unless a newer version of it is known already. */
export function withCall(state: LiveState, call: Call): LiveState {
  const known = state.calls.find((one) => one.id === call.id);
  if (known === undefined) return { ...state, calls: [...state.calls, call] };
  if (newer(call, known) === known) return state;
  return { ...state, calls: state.calls.map((one) => (one.id === call.id ? call : one)) };
}

function newer(call: Call, known: Call | undefined): Call {
  return known !== undefined && known.version >= call.version ? known : call;
}

const PLACE: Record<Phase, number> = { ringing: 0, talking: 1, wrapping_up: 2, completed: 3, elsewhere: 4, missed: 4 };

/** The calls that deserve a card: ringing first and the newest ring on top; calls that others took or nobody took have none. */
export function cardsOf(state: LiveState, dismissed: ReadonlySet<string>): readonly Call[] {
  return state.calls
    .filter((call) => PLACE[call.phase] < 4 && !dismissed.has(call.id))
    .sort((a, b) => PLACE[a.phase] - PLACE[b.phase] || Date.parse(b.started_at) - Date.parse(a.started_at));
}
