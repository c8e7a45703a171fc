// Defines <cti-dial>, once, even when the page loads the script twice.
import { DialButton } from "./dial-button.js";

declare global {
  interface HTMLElementTagNameMap {
    "cti-dial": DialButton;
  }
}

if (customElements.get("cti-dial") === undefined) customElements.define("cti-dial", DialButton);

export { DialButton };
