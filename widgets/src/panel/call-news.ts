// What the CRM's page is told about a call: which record it belongs to and where its log is, and no more.
import type { CallNews } from "../messages.js";
import type { Call } from "../protocol.js";
import { safeLink } from "../wording.js";

export function newsOf(call: Call): CallNews {
  const contact = call.choice?.contact ?? null;
  return {
    id: call.id,
    phase: call.phase,
    direction: call.direction,
    contactId: contact?.id ?? null,
    contactUrl: safeLink(contact?.url ?? null),
    matches: call.matches.length,
    log: call.log.state,
    logUrl: safeLink(call.log.url),
  };
}
