// The panel's end of the channel to the CRM's page: says nothing until an allowed origin has said hello.
import { enclose, type HostMessage, type PanelMessage, readHostMessage } from "../messages.js";

const PLACEHOLDER = /^__.*__$/;

/** The origins in `<meta name="cti-embed-origins">`; none when the server has not filled it in. */
export function allowedOrigins(content: string | null): readonly string[] {
  return (content ?? "").split(/\s+/).filter((origin) => origin !== "" && !PLACEHOLDER.test(origin));
}

export class Host {
  readonly #window: Window;
  readonly #origins: readonly string[];
  readonly #onMessage: (message: HostMessage) => void;
  #origin: string | null = null;

  constructor(view: Window, origins: readonly string[], onMessage: (message: HostMessage) => void) {
    this.#window = view;
    this.#origins = origins;
    this.#onMessage = onMessage;
    if (this.embedded) view.addEventListener("message", (event) => this.#hear(event));
  }

  /** False in a tab or window of its own. */
  get embedded(): boolean {
    return this.#window.parent !== this.#window;
  }

  get known(): boolean {
    return this.#origin !== null;
  }

  tell(message: PanelMessage): void {
    if (this.#origin !== null) this.#window.parent.postMessage(enclose(message), this.#origin);
  }

  #hear(event: MessageEvent<unknown>): void {
    if (event.source !== this.#window.parent || !this.#origins.includes(event.origin)) return;
    const message = readHostMessage(event.data);
    if (message === null) return;
    if (message.type === "hello") this.#origin = event.origin;
    // Every other word must come from the same place as the hello.
    if (event.origin === this.#origin) this.#onMessage(message);
  }
}
