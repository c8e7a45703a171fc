// What the host page's browser remembers of the dock, and that the agent signed out. Storage may be blocked; then it simply starts anew.
import { isPlace, type Place } from "./options.js";

const KEY = "cti-bridge.dock";
const SIGNED_OUT = "cti-bridge.signed-out";

export interface DockMemory {
  readonly open: boolean;
  readonly place: Place;
}

export function recall(preset: DockMemory): DockMemory {
  try {
    const saved = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<DockMemory> | null;
    return {
      open: typeof saved?.open === "boolean" ? saved.open : preset.open,
      place: isPlace(saved?.place) ? saved.place : preset.place,
    };
  } catch {
    return preset;
  }
}

export function remember(memory: DockMemory): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(memory));
  } catch {
    // Blocked or full: the dock forgets, nothing else.
  }
}

/** Whether the agent signed out on purpose: then nobody signs them in by themselves. */
export function recallSignedOut(): boolean {
  try {
    return localStorage.getItem(SIGNED_OUT) !== null;
  } catch {
    return false;
  }
}

export function rememberSignedOut(out: boolean): void {
  try {
    if (out) localStorage.setItem(SIGNED_OUT, "1");
    else localStorage.removeItem(SIGNED_OUT);
  } catch {
    // Blocked: it holds until this page goes.
  }
}
