// kintone vouches for its user: its proxy adds the secret that no browser sees, and the bridge answers with a ticket for the agent of that name.
import type { Vouched } from "../../src/embed/options.js";
import { VOUCH_PROBLEMS, type VouchProblem } from "../../src/messages.js";
import type { Kintone } from "./kintone.js";
import { ticketAddress } from "./settings.js";

/** Never throws. The bridge takes the user's name from the browser: the secret proves the app, not the person. */
export async function vouch(kintone: Kintone, pluginId: string, bridge: string): Promise<Vouched> {
  try {
    const { code, email } = kintone.getLoginUser();
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    const said = { user: code, email };
    const answer = await kintone.plugin.app.proxy(pluginId, ticketAddress(bridge), "POST", headers, said);
    return readTicket(answer[1], answer[0]);
  } catch {
    return { ticket: null, problem: "unreachable" };
  }
}

/** What the bridge's ticket address answered. */
export function readTicket(status: number, body: string): Vouched {
  try {
    const told = JSON.parse(body) as { ticket?: unknown; code?: unknown };
    if (status === 201 && typeof told.ticket === "string") return { ticket: told.ticket };
    const problem: VouchProblem = VOUCH_PROBLEMS.find((known) => known === told.code) ?? "refused";
    return { ticket: null, problem };
  } catch {
    return { ticket: null, problem: "unreachable" };
  }
}
