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

/** Storage that never throws: where the browser blocks it, as some do for embedded pages, it lasts until the page goes. */
export class SafeStorage {
  readonly #open: () => Storage | null;
  readonly #own = new Map<string, string>();

  constructor(open: () => Storage | null) {
    this.#open = open;
  }

  get(key: string): string | null {
    try {
      return this.#open()?.getItem(key) ?? this.#own.get(key) ?? null;
    } catch {
      return this.#own.get(key) ?? null;
    }
  }

  set(key: string, value: string | null): void {
    if (value === null) this.#own.delete(key);
    else this.#own.set(key, value);
    try {
      if (value === null) this.#open()?.removeItem(key);
      else this.#open()?.setItem(key, value);
    } catch {
      // Blocked, or full: this page knows it, the next one will not.
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
