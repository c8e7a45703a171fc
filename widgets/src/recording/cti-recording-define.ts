// Defines <cti-recording> and the elements it is made of.
import { SignIn } from "../panel/sign-in.js";
import { RecordingPage } from "./cti-recording.js";
import { Player } from "./player.js";

declare global {
  interface HTMLElementTagNameMap {
    "cti-recording": RecordingPage;
    "cti-player": Player;
  }
}

const ELEMENTS: Readonly<Record<string, CustomElementConstructor>> = {
  "cti-recording": RecordingPage,
  "cti-player": Player,
  "cti-sign-in": SignIn,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (customElements.get(name) === undefined) customElements.define(name, element);
}

export { Player, RecordingPage };
