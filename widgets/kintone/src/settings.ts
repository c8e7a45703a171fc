// What an administrator has set for one app on the plug-in's settings screen. The secret is not among it: kintone's proxy keeps that.
import { type CountryCode, isSupportedCountry } from "libphonenumber-js/max";
import { isPlace, type Place } from "../../src/embed/options.js";

export interface PhoneField {
  readonly code: string;
  /** The field that gets the number in E.164 when a record is saved. */
  readonly normalised: string | null;
}

export interface Settings {
  /** The bridge's address without a slash at its end: https://cti.example.co.jp */
  readonly bridge: string;
  readonly phones: readonly PhoneField[];
  /** The field that names a record in "Relate this call to …". */
  readonly title: string | null;
  readonly place: Place;
  /** Whether kintone vouches for its user; else agents sign in themselves. */
  readonly vouch: boolean;
  /** The country of numbers without a country code; the bridge's CTI_REGION. */
  readonly region: CountryCode;
}

const KEY = "settings";
/** Browsers make a host of almost anything: "not an address" becomes "not%20an%20address". */
const HOST = /^([a-z0-9.-]+|\[[0-9a-f:]+\])$/;

/** The settings in what kintone's getConfig gave; null before the first save, or when they make no sense. */
export function readSettings(config: Readonly<Record<string, string>> | null): Settings | null {
  try {
    const saved = JSON.parse(config?.[KEY] ?? "null") as Partial<Settings> | null;
    if (saved === null || typeof saved.bridge !== "string" || !("address" in readAddress(saved.bridge))) return null;
    return {
      bridge: saved.bridge,
      phones: Array.isArray(saved.phones) ? saved.phones.flatMap(readPhone) : [],
      title: typeof saved.title === "string" ? saved.title : null,
      place: isPlace(saved.place) ? saved.place : "right",
      vouch: saved.vouch === true,
      region: isRegion(saved.region) ? saved.region : "JP",
    };
  } catch {
    return null;
  }
}

/** For kintone's setConfig, whose values must be texts. */
export function writeSettings(settings: Settings): Record<string, string> {
  return { [KEY]: JSON.stringify(settings) };
}

export type AddressProblem = "empty" | "unreadable" | "http";

/** What somebody typed as the bridge's address, made plain, or why it is none. */
export function readAddress(typed: string): { readonly address: string } | { readonly problem: AddressProblem } {
  const text = typed.normalize("NFKC").trim();
  if (text === "") return { problem: "empty" };
  let url: URL;
  try {
    url = new URL(text.includes("://") ? text : `https://${text}`);
  } catch {
    return { problem: "unreadable" };
  }
  if (url.protocol === "http:" && !["127.0.0.1", "localhost", "[::1]"].includes(url.hostname)) return { problem: "http" };
  if (!["http:", "https:"].includes(url.protocol) || url.username !== "" || !HOST.test(url.hostname)) {
    return { problem: "unreadable" };
  }
  const path = url.pathname.replace(/\/(widgets\/.*|api\/.*)?$/, "");
  return { address: `${url.origin}${path}` };
}

export function isRegion(text: unknown): text is CountryCode {
  return typeof text === "string" && isSupportedCountry(text);
}

/** Where the bridge gives tickets. kintone stores the secret for exactly this address. */
export const ticketAddress = (bridge: string): string => `${bridge}/api/session/ticket`;

/** The header in which the secret travels, from kintone's servers to the bridge. */
export const SECRET_HEADER = "X-CTI-Embed-Secret";

function readPhone(saved: unknown): PhoneField[] {
  if (typeof saved !== "object" || saved === null || !("code" in saved) || typeof saved.code !== "string") return [];
  const normalised = "normalised" in saved && typeof saved.normalised === "string" ? saved.normalised : null;
  return [{ code: saved.code, normalised }];
}
