// What the host page's browser remembers of the dock. Storage may be blocked; then it simply starts anew.
import { isPlace, type Place } from "./options.js";

const KEY = "cti-bridge.dock";

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
