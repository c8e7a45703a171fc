// The host page's end of the channel to the panel: hears only the panel's own window from the bridge's own origin.
import { enclose, type HostMessage, type PanelMessage, readPanelMessage } from "../messages.js";

export class PanelChannel {
  readonly #frame: HTMLIFrameElement;
  readonly #origin: string;
  readonly #onMessage: (message: PanelMessage) => void;

  constructor(view: Window, frame: HTMLIFrameElement, origin: string, onMessage: (message: PanelMessage) => void) {
    this.#frame = frame;
    this.#origin = origin;
    this.#onMessage = onMessage;
    view.addEventListener("message", (event) => this.#hear(event));
  }

  /** The browser delivers it only if the frame still shows the bridge's origin. */
  tell(message: HostMessage): void {
    this.#frame.contentWindow?.postMessage(enclose(message), this.#origin);
  }

  #hear(event: MessageEvent<unknown>): void {
    if (event.origin !== this.#origin || event.source === null || event.source !== this.#frame.contentWindow) return;
    const message = readPanelMessage(event.data);
    if (message !== null) this.#onMessage(message);
  }
}
