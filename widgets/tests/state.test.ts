// The rule by which frames change the state: whole calls, higher versions, any order.
import { describe, expect, it } from "vitest";
import { cardsOf, type LiveState, receive, withCall } from "../src/live/state.js";
import type { Call } from "../src/protocol.js";
import { call, callFrame, frame, snapshot } from "./fixtures.js";

const NOW = Date.parse("2026-11-21T09:30:00Z");
const start = (): LiveState => must(receive(null, frame("snapshot-empty"), NOW));

function must(state: LiveState | null): LiveState {
  if (state === null) throw new Error("no state");
  return state;
}

const at = (state: LiveState, id: string): Call | undefined => state.calls.find((one) => one.id === id);

describe("live state", () => {
  it("is nothing until the first snapshot", () => {
    expect(receive(null, frame("call-talking"), NOW)).toBeNull();
  });

  it("takes a call frame as the whole call", () => {
    const state = must(receive(start(), frame("call-ringing-stage-1"), NOW));
    expect(state.calls).toEqual([call("call-ringing-stage-1")]);
  });

  it("ends the same in whatever order the stages of a ring arrive, and however often", () => {
    const stages = ["call-ringing-stage-1", "call-ringing-stage-2", "call-ringing-stage-3"];
    const orders = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2, 1],
      [2, 2, 0, 1, 0],
    ];
    for (const order of orders) {
      const state = order.reduce((known, stage) => must(receive(known, frame(stages[stage] ?? ""), NOW)), start());
      expect(at(state, call("call-ringing-stage-3").id)).toEqual(call("call-ringing-stage-3"));
    }
  });

  it("an older version changes nothing, not even the identity of the list", () => {
    const state = withCall(start(), call("call-talking"));
    expect(withCall(state, call("call-ringing-stage-1"))).toBe(state);
    expect(withCall(state, call("call-talking"))).toBe(state);
  });

  it("a snapshot heals: calls that are gone are gone, lists are replaced", () => {
    const state = must(receive(withCall(start(), call("call-talking")), frame("snapshot-idle"), NOW));
    expect(state.calls).toEqual([]);
    expect(state.missed).toHaveLength(3);
  });

  it("a snapshot that an API answer has overtaken does not bring the older call back", () => {
    const known = withCall(start(), { ...call("call-talking"), version: 99 });
    const late = { ...snapshot("snapshot-busy") };
    expect(at(must(receive(known, late, NOW)), call("call-talking").id)?.version).toBe(99);
  });

  it("knows how far the server's clock is from ours, and does not let a late frame spoil it", () => {
    const behind = must(receive(null, frame("snapshot-empty"), NOW - 60_000));
    expect(behind.skew).toBe(60_000);
    const delayed = must(
      receive(behind, { ...callFrame("call-talking"), sent_at: "2026-11-21T09:30:00+00:00" }, NOW + 30_000),
    );
    expect(delayed.skew).toBe(60_000);
  });

  it("presence, missed callers and health are replaced as they come; an error changes nothing", () => {
    let state = must(receive(start(), frame("presence-away"), NOW));
    expect(state.agent.presence).toBe("away");
    state = must(receive(state, frame("missed"), NOW));
    expect(state.missed).toHaveLength(3);
    state = must(receive(state, frame("health-trouble"), NOW));
    expect(state.health.crm).toBe("down");
    expect(receive(state, frame("error-ticket-expired"), NOW)).toBe(state);
  });
});

describe("cards", () => {
  const among = (...calls: readonly Call[]): LiveState => calls.reduce(withCall, start());

  it("stand with the newest ring on top, then talking, wrapping up, completed", () => {
    const early = { ...call("call-ringing-many"), started_at: "2026-11-21T09:29:00+00:00" };
    const late = { ...call("call-ringing-withheld"), started_at: "2026-11-21T09:31:00+00:00" };
    const wrapping = { ...call("call-wrapping-up"), id: "wrapping" };
    const done = { ...call("call-completed-saved"), id: "done" };
    const order = cardsOf(among(done, wrapping, early, call("call-talking"), late), new Set()).map((one) => one.id);
    expect(order).toEqual([late.id, early.id, call("call-talking").id, "wrapping", "done"]);
  });

  it("go when a colleague took the call, when nobody did, and when the agent dismissed them", () => {
    expect(cardsOf(among(call("call-elsewhere")), new Set())).toEqual([]);
    expect(cardsOf(among(call("call-missed")), new Set())).toEqual([]);
    const done = call("call-completed-delivered");
    expect(cardsOf(among(done), new Set())).toEqual([done]);
    expect(cardsOf(among(done), new Set([done.id]))).toEqual([]);
  });
});
