// Defines <cti-bridge> and the elements it is made of.
import { CallCard } from "./call-card.js";
import { ContactSearch } from "./contact-search.js";
import { BridgePanel } from "./cti-bridge.js";
import { DeskBar } from "./desk-bar.js";
import { Dialer } from "./dialer.js";
import { Menu } from "./menu.js";
import { MissedList } from "./missed-list.js";
import { CallNotes } from "./notes.js";
import { RecentList } from "./recent-list.js";
import { SecondFactor } from "./second-factor.js";
import { SignIn } from "./sign-in.js";
import { UnknownCaller } from "./unknown-caller.js";

declare global {
  interface HTMLElementTagNameMap {
    "cti-bridge": BridgePanel;
    "cti-call-card": CallCard;
    "cti-contact-search": ContactSearch;
    "cti-desk-bar": DeskBar;
    "cti-dialer": Dialer;
    "cti-menu": Menu;
    "cti-missed-list": MissedList;
    "cti-notes": CallNotes;
    "cti-recent-list": RecentList;
    "cti-second-factor": SecondFactor;
    "cti-sign-in": SignIn;
    "cti-unknown-caller": UnknownCaller;
  }
}

const ELEMENTS: Readonly<Record<string, CustomElementConstructor>> = {
  "cti-bridge": BridgePanel,
  "cti-call-card": CallCard,
  "cti-contact-search": ContactSearch,
  "cti-desk-bar": DeskBar,
  "cti-dialer": Dialer,
  "cti-menu": Menu,
  "cti-missed-list": MissedList,
  "cti-notes": CallNotes,
  "cti-recent-list": RecentList,
  "cti-second-factor": SecondFactor,
  "cti-sign-in": SignIn,
  "cti-unknown-caller": UnknownCaller,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (customElements.get(name) === undefined) customElements.define(name, element);
}

export { BridgePanel };
