// `sforce.opencti` as Salesforce documents it, with its refusals, and a window that can be Lightning's softphone frame. Records what it was asked.
import type { OpenCtiApi } from "../../salesforce/open-cti.js";

interface Argument {
  readonly callback?: (reply: object) => void;
  readonly listener?: (payload: object) => void;
  readonly [name: string]: unknown;
}

export const ORG = "https://acme.my.salesforce.com";
export const LIGHTNING = "https://acme.lightning.force.com";
export const CONTACT = "003IR00000AbCdEYAV";
const TYPES = ["SOBJECT", "URL", "OBJECTHOME", "LIST", "SEARCH", "NEW_RECORD_MODAL", "FLOW"] as const;

export class FakeOpenCti {
  readonly asked: { readonly method: string; readonly argument: Readonly<Record<string, unknown>> }[] = [];
  /** Methods that say no, with these words. */
  readonly refusing = new Map<string, string>();
  /** Methods whose callback never comes. */
  readonly silent = new Set<string>();
  view: object = { url: `${LIGHTNING}/lightning/page/home`, recordId: "", recordName: "", objectType: "" };
  #dialling = false;
  #onDial: ((payload: object) => void)[] = [];
  #onNavigate: ((payload: object) => void)[] = [];

  readonly api: OpenCtiApi = {
    SCREENPOP_TYPE: Object.fromEntries(TYPES.map((type) => [type, `sfdc:${type}`])),
    CALL_TYPE: { INBOUND: "inbound", OUTBOUND: "outbound", INTERNAL: "internal" },
    ...Object.fromEntries(
      ["setSoftphonePanelVisibility", "setSoftphonePanelHeight", "setSoftphoneItemLabel", "setSoftphonePanelLabel", "refreshView", "notifyInitializationComplete"].map(
        (method) => [method, (argument: Argument) => this.#answer(method, argument, null)],
      ),
    ),
    getCallCenterSettings: (argument: Argument) =>
      this.#answer("getCallCenterSettings", argument, { "/reqGeneralInfo/reqInternalName": "CTIBridge" }),
    getAppViewInfo: (argument: Argument) => this.#answer("getAppViewInfo", argument, this.view),
    enableClickToDial: (argument: Argument) => {
      this.#dialling = true;
      this.#answer("enableClickToDial", argument, null);
    },
    onClickToDial: ({ listener }: Argument) => {
      if (listener !== undefined) this.#onDial.push(listener);
    },
    onNavigationChange: ({ listener }: Argument) => {
      if (listener !== undefined) this.#onNavigate.push(listener);
    },
    screenPop: (argument: Argument) => {
      const why = wrongPop(argument);
      if (why === null) this.#answer("screenPop", argument, null);
      else this.#refuse("screenPop", argument, why);
    },
  };

  /** The agent clicks a number on a Salesforce page. Nothing is listening there until click-to-dial is enabled. */
  click(number: string, recordId: string): void {
    if (!this.#dialling) return;
    for (const hear of this.#onDial) hear({ number, recordId, recordName: "山本 さくら", objectType: "Contact", personAccount: false });
  }

  navigate(recordId: string, recordName: string, objectType: string): void {
    this.view = { url: `${LIGHTNING}/lightning/r/${objectType}/${recordId}/view`, recordId, recordName, objectType };
    for (const hear of this.#onNavigate) hear(this.view);
  }

  of(method: string): readonly Readonly<Record<string, unknown>>[] {
    return this.asked.filter((one) => one.method === method).map((one) => one.argument);
  }

  #answer(method: string, { callback, ...argument }: Argument, returnValue: unknown): void {
    const words = this.refusing.get(method);
    if (words !== undefined) {
      this.#refuse(method, { callback, ...argument } as Argument, words);
      return;
    }
    this.asked.push({ method, argument });
    if (!this.silent.has(method)) queueMicrotask(() => callback?.({ success: true, returnValue, errors: null }));
  }

  #refuse(method: string, { callback, ...argument }: Argument, description: string): void {
    this.asked.push({ method, argument });
    const reply = { success: false, returnValue: null, errors: [{ code: "INVALID", description }] };
    queueMicrotask(() => callback?.(reply));
  }
}

function wrongPop({ type, params }: Argument): string | null {
  const given = (params ?? {}) as Readonly<Record<string, unknown>>;
  switch (type) {
    case "sfdc:SOBJECT":
      return /^\w{15}(\w{3})?$/.test(String(given["recordId"])) ? null : "recordId is invalid";
    case "sfdc:SEARCH":
      return String(given["searchString"] ?? "").length >= 3 ? null : "searchString must have 3 characters";
    case "sfdc:NEW_RECORD_MODAL":
      return typeof given["entityName"] === "string" ? null : "entityName is required";
    default:
      return `type ${String(type)} is invalid`;
  }
}

export interface FrameOptions {
  readonly href?: string;
  readonly alone?: boolean;
  readonly ancestor?: string;
  readonly height?: number;
  /** What loading the script does; null: it never ends. */
  readonly script?: ((view: Window) => void) | "error" | null;
}

/** A window as far as the page looks at it. `loaded` are the scripts it asked for. */
export function frame(options: FrameOptions = {}): { readonly view: Window; readonly loaded: string[] } {
  const loaded: string[] = [];
  const { href = `https://bridge.example/widgets/salesforce?sfdcIFrameOrigin=${LIGHTNING}`, script = null } = options;
  const view = {
    location: { href, ...(options.ancestor === undefined ? {} : { ancestorOrigins: [options.ancestor] }) },
    innerHeight: options.height ?? 600,
    document: {
      title: "CTI Bridge",
      createElement: () => Object.assign(new EventTarget(), { src: "" }),
      head: {
        append: (element: EventTarget & { readonly src: string }) => {
          loaded.push(element.src);
          if (typeof script === "function") script(view as unknown as Window);
          if (script !== null) queueMicrotask(() => element.dispatchEvent(new Event(script === "error" ? "error" : "load")));
        },
      },
    },
  } as Record<string, unknown>;
  view["parent"] = options.alone ? view : {};
  return { view: view as unknown as Window, loaded };
}
