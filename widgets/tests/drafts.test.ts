// Notes: saved soon, tried again, kept under the cursor of the agent who types.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Notes } from "../src/api.js";
import { Drafts } from "../src/drafts.js";
import type { Draft } from "../src/protocol.js";

const EMPTY: Draft = { note: "", disposition: null, saved_at: null };
const draft = (note: string): Draft => ({ note, disposition: null, saved_at: "2026-11-21T09:30:00+00:00" });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function begin(
  save: (notes: Notes) => Promise<Draft> = async (notes) => ({ ...notes, saved_at: "2026-11-21T09:30:00+00:00" }),
) {
  const sent: { id: string; notes: Notes; leaving: boolean }[] = [];
  const drafts = new Drafts({
    save: (id, notes, leaving) => {
      sent.push({ id, notes, leaving });
      return save(notes);
    },
    onChange: () => undefined,
  });
  return { drafts, sent };
}

describe("a draft", () => {
  it("is saved once, 400 ms after the last key", async () => {
    const { drafts, sent } = begin();
    drafts.edit("CA1", EMPTY, { note: "a" });
    await vi.advanceTimersByTimeAsync(399);
    drafts.edit("CA1", EMPTY, { note: "ab" });
    await vi.advanceTimersByTimeAsync(399);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual([{ id: "CA1", notes: { note: "ab", disposition: null }, leaving: false }]);
    expect(drafts.state("CA1", EMPTY)).toBe("saved");
  });

  it("is saved at once when the cursor leaves, and then shows the server's text again", async () => {
    const { drafts, sent } = begin();
    drafts.edit("CA1", EMPTY, { note: "a" });
    drafts.leave("CA1");
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toHaveLength(1);
    expect(drafts.shown("CA1", draft("from another tab")).note).toBe("from another tab");
  });

  it("is sent with keepalive when the page goes away before it was saved", () => {
    const { drafts, sent } = begin();
    drafts.edit("CA1", EMPTY, { note: "a" });
    drafts.leaveAll();
    expect(sent.map((one) => one.leaving)).toEqual([true]);
  });

  it("is never overwritten while the cursor is in the field", async () => {
    const { drafts } = begin();
    drafts.enter("CA1", draft("mine"));
    expect(drafts.shown("CA1", draft("from another tab")).note).toBe("mine");
    drafts.edit("CA1", draft("mine"), { note: "mine, longer" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(drafts.shown("CA1", draft("from another tab")).note).toBe("mine, longer");
    drafts.leave("CA1");
    expect(drafts.shown("CA1", draft("from another tab")).note).toBe("from another tab");
  });

  it("that was only looked at is not sent", async () => {
    const { drafts, sent } = begin();
    drafts.enter("CA1", EMPTY);
    drafts.leave("CA1");
    drafts.leaveAll();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toEqual([]);
  });

  it("keeps result and note together when only one of them changes", async () => {
    const { drafts, sent } = begin();
    drafts.edit("CA1", draft("kept"), { disposition: "callback" });
    await vi.advanceTimersByTimeAsync(400);
    expect(sent[0]?.notes).toEqual({ note: "kept", disposition: "callback" });
  });

  it("that could not be saved is kept and tried again until it is", async () => {
    let up = false;
    const { drafts, sent } = begin((notes) =>
      up ? Promise.resolve({ ...notes, saved_at: "x" }) : Promise.reject(new Error("down")),
    );
    drafts.edit("CA1", EMPTY, { note: "a" });
    drafts.leave("CA1");
    await vi.advanceTimersByTimeAsync(0);
    expect(drafts.state("CA1", EMPTY)).toBe("failed");
    expect(drafts.shown("CA1", EMPTY).note).toBe("a");
    up = true;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(sent).toHaveLength(2);
    expect(drafts.state("CA1", draft("a"))).toBe("saved");
  });

  it("never has two requests under way, so that the older cannot win", async () => {
    let answer: (draft: Draft) => void = () => undefined;
    const { drafts, sent } = begin(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    drafts.edit("CA1", EMPTY, { note: "a" });
    await vi.advanceTimersByTimeAsync(400);
    drafts.edit("CA1", EMPTY, { note: "ab" });
    await vi.advanceTimersByTimeAsync(400);
    expect(sent).toHaveLength(1);
    answer(draft("a"));
    await vi.advanceTimersByTimeAsync(400);
    expect(sent.map((one) => one.notes.note)).toEqual(["a", "ab"]);
  });
});
