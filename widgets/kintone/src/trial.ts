// The settings screen's test: goes the ways that agents' browsers and kintone's servers will go, and says in words what is wrong.
import { PanelChannel } from "../../src/embed/panel-channel.js";
import type { Kintone } from "./kintone.js";
import { readAddress, SECRET_HEADER, ticketAddress } from "./settings.js";
import type { KintoneTerms } from "./terms/en.js";
import { readTicket } from "./vouch.js";

export interface Finding {
  readonly level: "good" | "bad" | "note";
  readonly text: string;
}

export interface Tried {
  /** As it was typed. */
  readonly address: string;
  /** Null: agents sign in themselves. */
  readonly secret: string | null;
}

const FRAME_PATIENCE = 8_000;

/** Everything that was found, in order; a "bad" one needs mending. Never throws. */
export async function tryBridge(tried: Tried, kintone: Kintone, terms: KintoneTerms, view: Window): Promise<Finding[]> {
  const read = readAddress(tried.address);
  if ("problem" in read) return [bad(addressWords(read.problem, terms))];
  const bridge = read.address;
  const reached = await reach(kintone, bridge, terms);
  if (reached.level === "bad") return [reached];
  const [framed, vouched] = await Promise.all([
    mayShow(bridge, view, terms),
    tried.secret === null ? [] : trySecret(kintone, bridge, tried.secret, terms),
  ]);
  return [reached, framed, ...vouched];
}

export function addressWords(problem: "empty" | "unreadable" | "http", terms: KintoneTerms): string {
  return { empty: terms.addressEmpty, unreadable: terms.addressUnreadable, http: terms.addressHttp }[problem];
}

/** kintone's proxy for scripts: the plug-in's own does not work on the settings screen. */
async function reach(kintone: Kintone, bridge: string, terms: KintoneTerms): Promise<Finding> {
  try {
    const [body, status] = await kintone.proxy(`${bridge}/api/openapi.json`, "GET", {}, {});
    return status === 200 && titleOf(body) === "CTI Bridge" ? good(terms.tryReached) : bad(terms.tryNotOurs);
  } catch {
    return bad(terms.tryUnreachable);
  }
}

function titleOf(body: string): unknown {
  try {
    return (JSON.parse(body) as { info?: { title?: unknown } }).info?.title;
  } catch {
    return null;
  }
}

async function trySecret(kintone: Kintone, bridge: string, secret: string, terms: KintoneTerms): Promise<Finding[]> {
  if (secret === "") return [bad(terms.secretEmpty)];
  const { code, email } = kintone.getLoginUser();
  try {
    const headers = { "Content-Type": "application/json", Accept: "application/json", [SECRET_HEADER]: secret };
    const [body, status] = await kintone.proxy(ticketAddress(bridge), "POST", headers, { user: code, email });
    const read = readTicket(status, body);
    if (read.ticket !== null) return [good(terms.trySecretGood)];
    return {
      wrong_secret: [bad(terms.tryWrongSecret)],
      vouching_off: [bad(terms.tryVouchingOff)],
      agent_not_found: [note(terms.tryNobody(email || terms.tryNoEmail))],
      unreachable: [bad(terms.tryNotOurs)],
      refused: [bad(terms.tryRefused(status))],
    }[read.problem];
  } catch {
    return [bad(terms.tryUnreachable)];
  }
}

/** The panel answers a hello only where the bridge lets this origin show it: so it is shown, unseen, and greeted. */
async function mayShow(bridge: string, view: Window, terms: KintoneTerms): Promise<Finding> {
  const frame = view.document.createElement("iframe");
  frame.src = `${bridge}/widgets/panel`;
  frame.hidden = true;
  const answered = await new Promise<boolean>((resolve) => {
    const channel = new PanelChannel(view, frame, new URL(bridge).origin, () => resolve(true));
    frame.addEventListener("load", () =>
      channel.tell({ type: "hello", language: "en", open: false, notifications: "unsupported" }),
    );
    setTimeout(() => resolve(false), FRAME_PATIENCE);
    view.document.body.append(frame);
  });
  frame.remove();
  return answered ? good(terms.tryOriginGood) : bad(terms.tryOrigin(view.location.origin));
}

const good = (text: string): Finding => ({ level: "good", text });
const bad = (text: string): Finding => ({ level: "bad", text });
const note = (text: string): Finding => ({ level: "note", text });
