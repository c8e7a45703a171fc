// The example frames, shared with the Python suite: tests/fixtures/frames/*.json at the repository's root.
import type { Call, CallFrame, ServerFrame, SnapshotFrame } from "../src/protocol.js";

const files = import.meta.glob<{ default: unknown }>("../../tests/fixtures/frames/*.json", { eager: true });

export const FRAMES: Readonly<Record<string, unknown>> = Object.fromEntries(
  Object.entries(files).map(([path, module]) => [path.replace(/^.*\/|\.json$/g, ""), module.default]),
);

export function frame(name: string): ServerFrame {
  const found = FRAMES[name];
  if (found === undefined) throw new Error(`no frame named ${name}`);
  return structuredClone(found) as ServerFrame;
}

export const snapshot = (name: string): SnapshotFrame => frame(name) as SnapshotFrame;
export const callFrame = (name: string): CallFrame => frame(name) as CallFrame;
export const call = (name: string): Call => callFrame(name).call;
