// Everything of `sforce.opencti` (Open CTI for Lightning): loading it, asking it, hearing it. Nothing outside this file knows of it.
// Methods and payloads: https://developer.salesforce.com/docs/service/api-cti/guide/
import type { ScreenRecord } from "../src/panel/screen.js";
import { type Facts, originOf } from "./facts.js";
import { fullId } from "./record-id.js";
import { type RecordPlace, Refusal, type Surface } from "./surface.js";

/** Every method takes one object, with a callback in it. */
type Method = (argument: Readonly<Record<string, unknown>>) => void;
export type OpenCtiApi = Readonly<Record<string, unknown>>;

interface Reply {
  readonly success?: unknown;
  readonly returnValue?: unknown;
  readonly errors?: unknown;
}

declare global {
  interface Window {
    sforce?: { readonly opencti?: OpenCtiApi };
  }
}

/** Milliseconds. A Lightning page that is still loading takes its time for the first answer. */
const SCRIPT_PATIENCE = 15_000;
const FIRST_PATIENCE = 15_000;
const PATIENCE = 5_000;
/** A panel lower than this hides the card's buttons; then it gets the other height. Pixels. */
const TOO_LOW = 400;
const HEIGHT = 560;
const LABEL_LENGTH = 40;
const SHORTEST_SEARCH = 3;
/** Records that no call is about: the log itself, and what is no business of a customer's. */
const NOT_ABOUT = new Set(["Task", "Event", "User", "Report", "Dashboard", "ListEmail", "CollaborationGroup"]);

/** Why this page does without Open CTI, for whoever reads the browser's console. */
export class Without extends Error {}

/** The surface over Open CTI. Rejects with Without when this page, org or agent has none. */
export async function openCti(view: Window, facts: Facts, allowed: readonly string[]): Promise<Surface> {
  checkFrame(view, allowed);
  await load(view, `${facts.org}/support/api/${facts.api}/lightning/opencti_min.js`);
  const api = view.sforce?.opencti;
  if (api === undefined) throw new Without("Salesforce's script did not start: the page is not in the phone utility.");
  const surface = new OpenCti(view, api, facts);
  try {
    await surface.ask("getCallCenterSettings", {}, FIRST_PATIENCE);
  } catch (error) {
    throw new Without(`Salesforce does not serve this page as a phone: ${error instanceof Error ? error.message : ""}`);
  }
  void surface.attempt("notifyInitializationComplete");
  return surface;
}

/** Lightning names itself in the address. That is a hint only: it must be one of the origins that may hold this page. */
function checkFrame(view: Window, allowed: readonly string[]): void {
  if (view.parent === view) throw new Without("The page stands alone, not in Salesforce's phone utility.");
  const hint = new URL(view.location.href).searchParams.get("sfdcIFrameOrigin");
  if (hint === null) throw new Without("The frame is not Salesforce's phone utility: it names no sfdcIFrameOrigin.");
  const origins = allowed.map(originOf);
  const holder = originOf(hint);
  if (holder === null || !origins.includes(holder)) throw new Without(`${hint} may not hold this page.`);
  // The browser knows better, where it tells (Firefox long did not).
  const real = (view.location.ancestorOrigins as DOMStringList | undefined)?.[0];
  if (real !== undefined && !origins.includes(originOf(real))) throw new Without(`${real} may not hold this page.`);
}

function load(view: Window, source: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = view.document.createElement("script");
    const fail = (): void => reject(new Without(`${source} could not be loaded.`));
    const timer = setTimeout(fail, SCRIPT_PATIENCE);
    script.addEventListener("load", () => {
      clearTimeout(timer);
      resolve();
    });
    script.addEventListener("error", () => {
      clearTimeout(timer);
      fail();
    });
    script.src = source;
    view.document.head.append(script);
  });
}

export class OpenCti implements Surface {
  readonly kind = "open-cti";
  readonly openSearch: Surface["openSearch"];
  readonly openNewRecord: Surface["openNewRecord"];
  readonly #view: Window;
  readonly #api: OpenCtiApi;
  readonly #facts: Facts;

  constructor(view: Window, api: OpenCtiApi, facts: Facts) {
    this.#view = view;
    this.#api = api;
    this.#facts = facts;
    this.openSearch = this.#pops("SEARCH") ? (text) => this.#search(text) : null;
    this.openNewRecord = this.#pops("NEW_RECORD_MODAL") ? (number) => this.#newRecord(number) : null;
  }

  /** Calls a method; what it returned, or a Refusal in Salesforce's words, or without words when it stays silent. */
  ask(name: string, argument: Readonly<Record<string, unknown>> = {}, patience = PATIENCE): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const method = this.#method(name);
      if (method === null) {
        reject(new Refusal(name, "Open CTI of this org does not have it"));
        return;
      }
      const timer = setTimeout(() => reject(new Refusal(name, "")), patience);
      const callback = (reply: Reply | null | undefined): void => {
        clearTimeout(timer);
        // Some of Salesforce's examples test `result`; the documented member is `success`.
        if (reply?.success === true) resolve(reply.returnValue);
        else reject(new Refusal(name, wordsOf(reply)));
      };
      try {
        method.call(this.#api, { ...argument, callback });
      } catch (error) {
        clearTimeout(timer);
        reject(new Refusal(name, error instanceof Error ? error.message : String(error)));
      }
    });
  }

  /** Asks for what is pleasant but not needed. */
  async attempt(name: string, argument: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#method(name) === null) return null;
    try {
      return await this.ask(name, argument);
    } catch (error) {
      console.warn("cti-bridge:", error instanceof Error ? error.message : error);
      return null;
    }
  }

  show = (open: boolean): void => {
    void this.attempt("setSoftphonePanelVisibility", { visible: open });
    if (open && this.#view.innerHeight < TOO_LOW) void this.attempt("setSoftphonePanelHeight", { heightPX: HEIGHT });
  };

  label = (text: string | null): void => {
    const words = cut(text ?? this.#view.document.title);
    void this.attempt("setSoftphoneItemLabel", { label: words });
    void this.attempt("setSoftphonePanelLabel", { label: words });
  };

  openRecord = ({ id }: RecordPlace): Promise<void> => this.#pop("SOBJECT", { recordId: id });

  refresh = (): void => {
    void this.attempt("refreshView");
  };

  onDial = (listener: (number: string, record: string | null) => void): void => {
    // Enabled first: without it no click ever fires.
    void this.attempt("enableClickToDial");
    this.#listen("onClickToDial", ({ number, recordId }) => {
      if (typeof number === "string" || typeof number === "number") listener(String(number), fullId(recordId));
    });
  };

  onNavigate = (listener: (record: ScreenRecord | null) => void): void => {
    let moved = false;
    this.#listen("onNavigationChange", (payload) => {
      moved = true;
      listener(recordIn(payload));
    });
    void this.attempt("getAppViewInfo").then((info) => {
      if (!moved && typeof info === "object" && info !== null) listener(recordIn(info as Record<string, unknown>));
    });
  };

  #search(text: string): Promise<void> {
    if (text.trim().length < SHORTEST_SEARCH) return Promise.reject(new Refusal("screenPop", text));
    return this.#pop("SEARCH", { searchString: text.trim() });
  }

  #newRecord(number: string): Promise<void> {
    const defaultFieldValues = { Phone: number };
    // The guide names both places for the default values; whichever one this version reads, they are there.
    return this.#pop(
      "NEW_RECORD_MODAL",
      { entityName: this.#facts.entity, defaultFieldValues },
      { defaultFieldValues },
    );
  }

  async #pop(type: string, params: object, more: object = {}): Promise<void> {
    const types = this.#api["SCREENPOP_TYPE"] as Record<string, unknown> | undefined;
    await this.ask("screenPop", { type: types?.[type], params, ...more });
  }

  #pops(type: string): boolean {
    const types = this.#api["SCREENPOP_TYPE"];
    return this.#method("screenPop") !== null && typeof types === "object" && types !== null && type in types;
  }

  #listen(name: string, hear: (payload: Readonly<Record<string, unknown>>) => void): void {
    const listener = (payload: unknown): void => {
      if (typeof payload === "object" && payload !== null) hear(payload as Record<string, unknown>);
    };
    try {
      this.#method(name)?.call(this.#api, { listener });
    } catch (error) {
      console.warn("cti-bridge:", name, error);
    }
  }

  #method(name: string): Method | null {
    const method = this.#api[name];
    return typeof method === "function" ? (method as Method) : null;
  }
}

/** `getAppViewInfo` and the navigation event tell the same members; empty ones where the page shows no record. */
function recordIn({ recordId, recordName, objectType }: Readonly<Record<string, unknown>>): ScreenRecord | null {
  const id = fullId(recordId);
  const kind = typeof objectType === "string" ? objectType : "";
  if (id === null || NOT_ABOUT.has(kind)) return null;
  return { id, title: typeof recordName === "string" ? recordName : "", kind };
}

/** `errors` is an array of {code, description}; older versions gave texts. */
function wordsOf(reply: Reply | null | undefined): string {
  const errors = Array.isArray(reply?.errors) ? (reply.errors as unknown[]) : [reply?.errors];
  const words = errors.map((error) => {
    if (typeof error === "string") return error;
    const { description, code } = (error ?? {}) as { description?: unknown; code?: unknown };
    return typeof description === "string" ? description : typeof code === "string" ? code : "";
  });
  return words.filter((text) => text !== "").join(" ") || "refused without a reason";
}

const cut = (text: string): string => (text.length > LABEL_LENGTH ? `${text.slice(0, LABEL_LENGTH - 1)}…` : text);
