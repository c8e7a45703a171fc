// One live socket kept alive: ticket, hello, frames, silence, and coming back. It knows nothing of what frames mean.
import type { HelloFrame, ServerFrame } from "../protocol.js";
import { readFrame } from "../protocol.js";
import { Backoff } from "./backoff.js";
import type { Ports } from "./ports.js";

export interface Connection {
  /** waiting: lost, the next attempt comes at `retryAt`. stopped: no attempt will help. */
  readonly state: "connecting" | "live" | "waiting" | "stopped";
  /** Milliseconds of our own clock. */
  readonly retryAt: number | null;
}

/** The server says something at least every 25 seconds. */
const SILENCE = 60_000;
const OPENING = 15_000;

export interface SocketOwner {
  /** A fresh single-use ticket; throws `retryAfter` (milliseconds) on the error when the server named a time. */
  readonly ticket: () => Promise<string>;
  readonly onFrame: (frame: ServerFrame) => void;
  readonly onConnection: (connection: Connection) => void;
}

export class LiveSocket {
  readonly #url: string;
  readonly #ports: Ports;
  readonly #owner: SocketOwner;
  readonly #backoff: Backoff;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running = false;
  #openedAt: number | null = null;
  #heardAt = 0;
  /** Each attempt has its own number; whatever an older one still tells is ignored. */
  #attempt = 0;

  constructor(url: string, ports: Ports, owner: SocketOwner) {
    this.#url = url;
    this.#ports = ports;
    this.#owner = owner;
    this.#backoff = new Backoff(ports.random);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#connect();
  }

  stop(): void {
    this.#running = false;
    this.#drop();
  }

  /** Now instead of at `retryAt`: the agent asked, or the network came back. */
  retry(): void {
    if (!this.#running || this.#socket !== null) return;
    void this.#connect();
  }

  /** After sleep or throttled timers: a socket that has been silent too long is dead even if it looks open. */
  checkSilence(): void {
    if (this.#socket === null || this.#openedAt === null) return;
    if (this.#ports.now() - this.#heardAt >= SILENCE) this.#lost(this.#attempt, null);
  }

  async #connect(): Promise<void> {
    this.#drop();
    const attempt = this.#attempt;
    this.#tell({ state: "connecting", retryAt: null });
    let ticket: string;
    try {
      ticket = await this.#owner.ticket();
    } catch (error) {
      this.#lost(attempt, null, retryAfterOf(error));
      return;
    }
    if (attempt !== this.#attempt || !this.#running) return;
    const socket = this.#ports.openSocket(this.#url);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lost(attempt, null), OPENING);
    socket.addEventListener("open", () => {
      if (attempt !== this.#attempt) return;
      socket.send(JSON.stringify({ v: 1, type: "hello", ticket } satisfies HelloFrame));
    });
    socket.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (attempt === this.#attempt && typeof event.data === "string") this.#hear(event.data);
    });
    socket.addEventListener("close", (event) => this.#lost(attempt, event.code));
  }

  #hear(text: string): void {
    this.#heardAt = this.#ports.now();
    this.#listenForSilence();
    const frame = readFrame(text);
    if (frame === null) return;
    if (frame.type === "snapshot" && this.#openedAt === null) {
      this.#openedAt = this.#heardAt;
      this.#tell({ state: "live", retryAt: null });
    }
    if (frame.type === "error" && frame.code === "bad_version") {
      this.stop();
      this.#tell({ state: "stopped", retryAt: null });
      return;
    }
    this.#owner.onFrame(frame);
  }

  #listenForSilence(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const attempt = this.#attempt;
    this.#timer = setTimeout(() => this.#lost(attempt, null), SILENCE);
  }

  #lost(attempt: number, closeCode: number | null, retryAfter = 0): void {
    if (attempt !== this.#attempt || !this.#running) return;
    const lived = this.#openedAt === null ? 0 : this.#ports.now() - this.#openedAt;
    this.#drop();
    const wait = this.#backoff.after(closeCode, lived, retryAfter);
    this.#tell({ state: "waiting", retryAt: this.#ports.now() + wait });
    this.#timer = setTimeout(() => void this.#connect(), wait);
  }

  #drop(): void {
    this.#attempt += 1;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#openedAt = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #tell(connection: Connection): void {
    this.#owner.onConnection(connection);
  }
}

function retryAfterOf(error: unknown): number {
  if (typeof error === "object" && error !== null && "retryAfter" in error && typeof error.retryAfter === "number") {
    return error.retryAfter;
  }
  return 0;
}
