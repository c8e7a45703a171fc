// What the script tag's data- attributes ask for.
import type { VouchProblem } from "../messages.js";
import type { Language } from "../protocol.js";
import { languageFrom } from "../terms/language.js";

export const PLACES = ["right", "left", "bottom-right", "bottom-left"] as const;
export type Place = (typeof PLACES)[number];

export interface EmbedOptions {
  /** The widgets' folder on the bridge, with a trailing slash: https://bridge.example/phone/widgets/ */
  readonly base: string;
  readonly language: Language;
  readonly place: Place;
  /** CSS selectors of elements that hold phone numbers; null: leave the page's numbers alone. */
  readonly linkNumbers: string | null;
  /** Whether the dock is open before the agent has opened or collapsed it; without it, where there is room. */
  readonly open?: boolean;
  /** Where the CRM's own server can vouch for its user: gets a ticket from the bridge. Never throws. */
  readonly vouch?: () => Promise<Vouched>;
}

/** A ticket that signs the agent in once, or why there is none. */
export type Vouched = { readonly ticket: string } | { readonly ticket: null; readonly problem: VouchProblem };

export const TEL_LINKS = 'a[href^="tel:" i]';

export function readOptions(script: HTMLScriptElement, page: Document): EmbedOptions {
  const { language, dock, linkNumbers } = script.dataset;
  const asked = linkNumbers?.trim() ?? "";
  return {
    base: new URL(".", script.src).href,
    language: languageFrom(language, page.documentElement.lang, ...navigator.languages),
    place: isPlace(dock) ? dock : "right",
    linkNumbers: asked === "off" ? null : asked === "" ? TEL_LINKS : asked,
  };
}

export function isPlace(text: string | null | undefined): text is Place {
  return PLACES.includes(text as Place);
}
