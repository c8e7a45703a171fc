// Which tab of the browser opens a call's record: each record once for each call, however many tabs hear of it and however often they reload.

const KEY = "cti-bridge.opened";
const LOCK = "cti-bridge.opened";
const REMEMBERED = 60;
/** Head starts in milliseconds: the tab that the agent works in opens the record; another one only where there is none. */
const VISIBLE = 250;
const HIDDEN = 700;

export interface PopPorts {
  /** Shared by the browser's tabs. The browser may refuse it. */
  readonly storage: () => Pick<Storage, "getItem" | "setItem">;
  readonly locks: LockManager | null;
  /** Whether the keyboard is in this tab, its frames included. */
  readonly focused: () => boolean;
  readonly hidden: () => boolean;
}

export class Pops {
  readonly #ports: PopPorts;
  readonly #own = new Set<string>();

  constructor(ports: PopPorts) {
    this.#ports = ports;
  }

  /** True in exactly one tab for a key such as "CA123 27:5". */
  async claim(key: string): Promise<boolean> {
    // This page has dealt with it; another tab's answer cannot change that.
    if (this.#own.has(key)) return false;
    this.#own.add(key);
    if (this.#opened().includes(key)) return false;
    if (!this.#ports.focused()) await wait(this.#ports.hidden() ? HIDDEN : VISIBLE);
    const take = (): boolean => {
      const opened = this.#opened();
      if (opened.includes(key)) return false;
      try {
        this.#ports.storage().setItem(KEY, JSON.stringify([...opened, key].slice(-REMEMBERED)));
      } catch {
        // Blocked or full: the tabs cannot agree. Then only the one that the agent works in opens anything.
        return this.#ports.focused();
      }
      return true;
    };
    if (this.#ports.locks === null) return take();
    let taken = false;
    await this.#ports.locks.request(LOCK, {}, async () => {
      taken = take();
    });
    return taken;
  }

  #opened(): readonly string[] {
    try {
      const saved: unknown = JSON.parse(this.#ports.storage().getItem(KEY) ?? "[]");
      return Array.isArray(saved) ? saved.filter((one) => typeof one === "string") : [];
    } catch {
      return [];
    }
  }
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
