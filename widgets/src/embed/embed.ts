// The one script tag on a CRM's page: reads its own attributes, places the panel, makes numbers clickable.
import "./dial-button-define.js";
import { Bridge } from "./bridge.js";
import { readOptions } from "./options.js";

declare global {
  interface Window {
    CTIBridge?: Pick<Bridge, "dial" | "on" | "open" | "close">;
  }
}

const script = document.currentScript;
// A second tag must not make a second dock.
if (script instanceof HTMLScriptElement && script.src !== "" && window.CTIBridge === undefined) {
  const { dial, on, open, close } = new Bridge(document, window, readOptions(script, document));
  window.CTIBridge = Object.freeze({ dial, on, open, close });
}
