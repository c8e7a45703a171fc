// A bridge in memory for tests and for the dev pages: answers requests from a table, plays the live socket, records what it was asked.
import { type Ports, SafeStorage } from "../src/live/ports.js";
import type { ServerFrame } from "../src/protocol.js";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers: Headers;
  readonly keepalive: boolean;
}

type Answer = (asked: Asked) => { readonly status: number; readonly body?: unknown } | Promise<never>;

export class FakeSocket extends EventTarget {
  readonly sent: string[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.dispatchEvent(new Event("open"));
  }

  tell(frame: ServerFrame | object): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  drop(code: number): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

export class MemoryStorage extends Map<string, string> {
  getItem(key: string): string | null {
    return this.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.set(key, value);
  }
  removeItem(key: string): void {
    this.delete(key);
  }
}

export class FakeBridge {
  readonly asked: Asked[] = [];
  readonly sockets: FakeSocket[] = [];
  readonly storage = new MemoryStorage();
  readonly preferences = new MemoryStorage();
  readonly #answers = new Map<string, Answer>();
  now: () => number = () => Date.now();
  random: () => number = () => 0.5;

  constructor() {
    this.answer("POST session", () => ({ status: 200, body: { token: "token-1", expires_in: 3600, agent: AGENT } }));
    this.answer("POST session/renew", () => ({ status: 200, body: { token: "token-2", expires_in: 3600 } }));
    this.answer("DELETE session", () => ({ status: 204 }));
    this.answer("POST tickets", () => ({
      status: 201,
      body: { ticket: `ticket-${this.sockets.length + 1}`, expires_in: 60 },
    }));
    this.answer("GET calls", () => ({ status: 200, body: { calls: [] } }));
  }

  /** "PUT calls/CA1/draft" → what to answer from now on. */
  answer(request: string, answer: Answer): void {
    this.#answers.set(request, answer);
  }

  askedFor(request: string): readonly Asked[] {
    return this.asked.filter((one) => `${one.method} ${one.path}` === request);
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  ports(changes: Partial<Ports> = {}): Ports {
    return {
      fetch: (input, init) => this.#fetch(String(input), init),
      openSocket: () => {
        const socket = new FakeSocket();
        this.sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      locks: null,
      openChannel: null,
      storage: new SafeStorage(() => this.storage as unknown as Storage),
      preferences: new SafeStorage(() => this.preferences as unknown as Storage),
      now: () => this.now(),
      random: () => this.random(),
      ...changes,
    };
  }

  async #fetch(url: string, init: RequestInit | undefined): Promise<Response> {
    const path = url.replace(/^.*\/api\//, "").replace(/\?.*$/, "");
    const asked: Asked = {
      method: init?.method ?? "GET",
      path,
      body: typeof init?.body === "string" ? JSON.parse(init.body) : null,
      headers: new Headers(init?.headers),
      keepalive: init?.keepalive === true,
    };
    this.asked.push(asked);
    const answer = this.#answers.get(`${asked.method} ${path}`);
    const { status, body } =
      answer === undefined ? { status: 404, body: { code: "not_found", title: "Not found" } } : await answer(asked);
    // Not a real Response: its body arrives by a timer of its own, which fake timers would hold up.
    return { ok: status < 300, status, headers: new Headers(), json: async () => body } as Response;
  }
}

export const AGENT = { id: 7, name: "高橋 美咲", presence: "available", language: "ja", can_dial: true, role: "agent" } as const;

/** Lets promises that are ready go on, also under fake timers. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await Promise.resolve();
}

/** In-memory BroadcastChannel: delivers to every other channel of the same name, at once. */
export function fakeChannels(): (name: string) => BroadcastChannel {
  const all = new Set<{ name: string; target: EventTarget }>();
  return (name) => {
    const target = new EventTarget();
    const entry = { name, target };
    all.add(entry);
    return Object.assign(target, {
      postMessage: (data: unknown) => {
        for (const other of all) {
          if (other !== entry && other.name === name) {
            other.target.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) }));
          }
        }
      },
      close: () => all.delete(entry),
    }) as unknown as BroadcastChannel;
  };
}

/** In-memory LockManager: exclusive locks, first come first served, abortable while waiting. */
export function fakeLocks(): LockManager {
  const tails = new Map<string, Promise<void>>();
  return {
    query: () => Promise.resolve({}),
    request: async (name: string, options: LockOptions, work: () => Promise<void>) => {
      const before = tails.get(name) ?? Promise.resolve();
      let release = (): void => undefined;
      tails.set(
        name,
        new Promise<void>((resolve) => {
          release = resolve;
        }),
      );
      await before;
      try {
        if (options.signal?.aborted) throw new DOMException("aborted", "AbortError");
        await work();
      } finally {
        release();
      }
    },
  } as unknown as LockManager;
}
