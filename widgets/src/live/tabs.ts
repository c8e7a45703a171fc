// The tabs of one browser: a typed bus between them, and roles that only one of them may hold at a time.
import type { ServerFrame } from "../protocol.js";
import type { SavedSession } from "../session.js";
import type { Ports } from "./ports.js";
import type { Connection } from "./socket.js";
import type { LiveState } from "./state.js";

export type TabMessage =
  | { readonly type: "session-wanted" }
  | { readonly type: "session"; readonly session: SavedSession | null }
  | { readonly type: "live-wanted" }
  | { readonly type: "live"; readonly live: LiveState | null; readonly connection: Connection }
  | { readonly type: "frame"; readonly frame: ServerFrame }
  | { readonly type: "connection"; readonly connection: Connection }
  | { readonly type: "dismissed"; readonly id: string }
  | { readonly type: "ringer-wanted" }
  | { readonly type: "ringer"; readonly present: boolean }
  | { readonly type: "visible-wanted" }
  | { readonly type: "visible" }
  | { readonly type: "lead"; readonly tab: string; readonly looked: number; readonly arrives: boolean }
  | { readonly type: "lead-gone"; readonly tab: string };

/** The bus. Without BroadcastChannel it is silent, and every tab stands alone. */
export class Tabs {
  readonly #channel: BroadcastChannel | null;
  readonly #listeners = new Set<(message: TabMessage) => void>();

  constructor(name: string, ports: Ports) {
    this.#channel = ports.openChannel?.(name) ?? null;
    this.#channel?.addEventListener("message", (event: MessageEvent<TabMessage>) => {
      for (const listener of this.#listeners) listener(event.data);
    });
  }

  /** False where tabs cannot talk: then sharing a socket would leave the followers blind. */
  get connected(): boolean {
    return this.#channel !== null;
  }

  tell(message: TabMessage): void {
    this.#channel?.postMessage(message);
  }

  listen(listener: (message: TabMessage) => void): void {
    this.#listeners.add(listener);
  }

  close(): void {
    this.#channel?.close();
  }
}

/** A role among the tabs. `onHeld` runs when it becomes this tab's, at once where the browser knows no locks. */
export class Role {
  readonly #name: string;
  readonly #locks: LockManager | null;
  readonly #onHeld: () => void;
  #abort: AbortController | null = null;
  #release: (() => void) | null = null;
  #held = false;

  constructor(name: string, locks: LockManager | null, onHeld: () => void) {
    this.#name = name;
    this.#locks = locks;
    this.#onHeld = onHeld;
  }

  get held(): boolean {
    return this.#held;
  }

  /** Stand in line for the role. */
  seek(): void {
    if (this.#abort !== null) return;
    const abort = new AbortController();
    this.#abort = abort;
    if (this.#locks === null) {
      this.#take();
      return;
    }
    this.#locks
      .request(this.#name, { signal: abort.signal }, () => {
        if (abort.signal.aborted) return undefined;
        const released = new Promise<void>((resolve) => {
          this.#release = resolve;
        });
        this.#take();
        return released;
      })
      .catch(() => {
        // Given up while waiting is no failure. But Chromium with third-party storage blocked has locks and refuses
        // them to embedded pages (SecurityError, seen in 156): such a tab stands alone, with a socket of its own.
        if (!abort.signal.aborted) this.#take();
      });
  }

  /** Give the role up, or leave the line. The next tab in line gets it. */
  leave(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#held = false;
    this.#release?.();
    this.#release = null;
  }

  #take(): void {
    this.#held = true;
    this.#onHeld();
  }
}
