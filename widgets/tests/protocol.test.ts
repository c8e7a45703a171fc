// The typed wire against the one schema file, and the example frames that both test suites share.
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import schema from "../../cti_bridge/live/frames.schema.json";
import type { Call, HelloFrame, ServerFrame } from "../src/protocol.js";
import { readFrame } from "../src/protocol.js";
import { call, FRAMES, snapshot } from "./fixtures.js";

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
const valid = ajv.compile(schema);

const errorsOf = (frame: unknown): string => (valid(frame) ? "" : ajv.errorsText(valid.errors));

describe("the wire", () => {
  it.each(Object.entries(FRAMES))("example %s fits the schema", (_name, frame) => {
    expect(errorsOf(frame)).toBe("");
  });

  it("has at least one example of every frame type", () => {
    const types = new Set(Object.values(FRAMES).map((frame) => (frame as { type: string }).type));
    expect([...types].sort()).toEqual(["call", "error", "health", "hello", "missed", "presence", "snapshot"]);
  });

  it("has an example of every phase, lookup state and log state", () => {
    const calls = Object.values(FRAMES).flatMap((frame) =>
      "call" in (frame as object) ? [(frame as { call: Call }).call] : [],
    );
    const seen = (pick: (call: Call) => string): string[] => [...new Set(calls.map(pick))].sort();
    expect(seen((one) => one.phase)).toEqual(["completed", "elsewhere", "missed", "ringing", "talking", "wrapping_up"]);
    expect(seen((one) => one.lookup.state)).toEqual(["done", "failed", "skipped", "waiting"]);
    expect(seen((one) => one.log.state)).toEqual(["delivered", "none", "parked", "retrying", "saved"]);
  });

  it("our types name every member that the schema requires, and no other", () => {
    const members = (name: string): string[] => [...required(name)].sort();
    expect(Object.keys(call("call-ringing-stage-3")).sort()).toEqual(members("call"));
    expect(Object.keys(snapshot("snapshot-idle")).sort()).toEqual(members("snapshot"));
    // A literal of our type must satisfy the schema without a member added by hand.
    const typed: ServerFrame = {
      v: 1,
      type: "presence",
      agent: { id: 1, name: "A", presence: "away", language: "en", can_dial: false, role: "agent" },
    };
    expect(errorsOf(typed)).toBe("");
    expect(errorsOf({ v: 1, type: "hello", ticket: "t" } satisfies HelloFrame)).toBe("");
  });

  it("the schema refuses a frame that lost a member", () => {
    const broken = { ...snapshot("snapshot-idle") } as Partial<ReturnType<typeof snapshot>>;
    delete (broken as { lines?: unknown }).lines;
    expect(errorsOf(broken)).not.toBe("");
  });

  it("a frame that is no JSON, of an unknown type or of another version is ignored", () => {
    expect(readFrame("{")).toBeNull();
    expect(readFrame("null")).toBeNull();
    expect(readFrame('{"v":1,"type":"weather"}')).toBeNull();
    expect(readFrame('{"v":2,"type":"missed","missed":[]}')).toBeNull();
    expect(readFrame('{"v":1,"type":"missed","missed":[]}')).toEqual({ v: 1, type: "missed", missed: [] });
  });
});

function required(name: string): readonly string[] {
  const found = (schema.$defs as Record<string, { required?: string[] }>)[name]?.required;
  if (found === undefined) throw new Error(`no ${name} in the schema`);
  return found;
}
