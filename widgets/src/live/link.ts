// The agent's live state in this tab, wherever it comes from: one tab of the browser leads and keeps the socket, the others follow.
import type { Agent, Call, ServerFrame } from "../protocol.js";
import type { Ports } from "./ports.js";
import { type Connection, LiveSocket } from "./socket.js";
import { type LiveState, receive, withCall } from "./state.js";
import { Role, type TabMessage, type Tabs } from "./tabs.js";

export interface LinkOwner {
  readonly ticket: () => Promise<string>;
  /** After every change; `before` is the state until then. */
  readonly onChange: (before: LiveState | null) => void;
}

export class LiveLink {
  readonly #ports: Ports;
  readonly #tabs: Tabs;
  readonly #owner: LinkOwner;
  readonly #socket: LiveSocket;
  readonly #leader: Role;
  #running = false;
  #state: LiveState | null = null;
  #connection: Connection = { state: "connecting", retryAt: null };

  constructor(url: string, ports: Ports, tabs: Tabs, owner: LinkOwner) {
    this.#ports = ports;
    this.#tabs = tabs;
    this.#owner = owner;
    this.#socket = new LiveSocket(url, ports, {
      ticket: owner.ticket,
      onFrame: (frame) => this.#hear(frame),
      onConnection: (connection) => {
        this.#connect(connection);
        tabs.tell({ type: "connection", connection });
      },
    });
    // Leading without a way to tell the others would leave them blind: then each tab keeps its own socket.
    this.#leader = new Role(`${url}#leader`, tabs.connected ? ports.locks : null, () => this.#socket.start());
    tabs.listen((message) => this.#listen(message));
  }

  get state(): LiveState | null {
    return this.#state;
  }

  get connection(): Connection {
    return this.#connection;
  }

  get leading(): boolean {
    return this.#leader.held;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#tabs.tell({ type: "live-wanted" });
    this.#leader.seek();
  }

  stop(): void {
    this.#running = false;
    this.#socket.stop();
    this.#leader.leave();
    const before = this.#state;
    this.#state = null;
    this.#connection = { state: "connecting", retryAt: null };
    this.#owner.onChange(before);
  }

  retry(): void {
    this.#socket.retry();
  }

  checkSilence(): void {
    this.#socket.checkSilence();
  }

  /** A call that an API request answered with: shown at once, before the socket tells it too. */
  take(call: Call): void {
    if (this.#state !== null) this.#change(withCall(this.#state, call));
  }

  takeAgent(agent: Agent): void {
    if (this.#state !== null) this.#change({ ...this.#state, agent });
  }

  #hear(frame: ServerFrame): void {
    this.#tabs.tell({ type: "frame", frame });
    this.#change(receive(this.#state, frame, this.#ports.now()));
  }

  #listen(message: TabMessage): void {
    if (!this.#running) return;
    if (message.type === "live-wanted") {
      if (this.leading) this.#tabs.tell({ type: "live", live: this.#state, connection: this.#connection });
      return;
    }
    // Where every tab has its own socket the others' frames are only echoes.
    if (this.leading) return;
    if (message.type === "frame") this.#change(receive(this.#state, message.frame, this.#ports.now()));
    if (message.type === "connection") this.#connect(message.connection);
    if (message.type === "live") {
      this.#connection = message.connection;
      this.#change(message.live);
    }
  }

  #connect(connection: Connection): void {
    this.#connection = connection;
    this.#owner.onChange(this.#state);
  }

  #change(state: LiveState | null): void {
    const before = this.#state;
    this.#state = state;
    this.#owner.onChange(before);
  }
}
