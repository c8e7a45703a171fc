// What the panel takes from the browser, named in one place so that tests and the dev pages can give it something else.

export interface Ports {
  readonly fetch: typeof fetch;
  readonly openSocket: (url: string) => WebSocket;
  /** Null where the browser has none: then every tab keeps a socket of its own. */
  readonly locks: LockManager | null;
  /** Null where the browser has none. */
  readonly openChannel: ((name: string) => BroadcastChannel) | null;
  readonly storage: SafeStorage;
  readonly preferences: SafeStorage;
  readonly now: () => number;
  readonly random: () => number;
}

/** Storage that never throws: a blocked or full one forgets. */
export class SafeStorage {
  readonly #open: () => Storage | null;

  constructor(open: () => Storage | null) {
    this.#open = open;
  }

  get(key: string): string | null {
    try {
      return this.#open()?.getItem(key) ?? null;
    } catch {
      return null;
    }
  }

  set(key: string, value: string | null): void {
    try {
      if (value === null) this.#open()?.removeItem(key);
      else this.#open()?.setItem(key, value);
    } catch {
      // Blocked by the browser, or full: what was to be remembered is forgotten, nothing else.
    }
  }
}

export function browserPorts(): Ports {
  return {
    fetch: (input, init) => fetch(input, init),
    openSocket: (url) => new WebSocket(url),
    // Absent in insecure contexts, whatever the types say.
    locks: (navigator.locks as LockManager | undefined) ?? null,
    openChannel: "BroadcastChannel" in globalThis ? (name) => new BroadcastChannel(name) : null,
    storage: new SafeStorage(() => sessionStorage),
    preferences: new SafeStorage(() => localStorage),
    now: () => Date.now(),
    random: () => Math.random(),
  };
}
