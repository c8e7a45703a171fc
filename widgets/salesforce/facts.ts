// What the bridge tells the page about the org, read from its <meta> element. Every agent can read it: no secret is ever in there.

export interface Facts {
  /** The org's own origin, which serves Open CTI: https://acme.my.salesforce.com */
  readonly org: string;
  /** Where agents work: https://acme.lightning.force.com */
  readonly lightning: string;
  /** "68.0" */
  readonly api: string;
  /** What a new record for an unknown caller is: Contact or Lead. */
  readonly entity: string;
}

const API = /^\d{2,3}\.0$/;
const NAME = /^\w{1,80}$/;

/** Null when the server filled in nothing, or nothing that we can use: then there is only the plain surface. */
export function readFacts(content: string | null): Facts | null {
  let told: unknown;
  try {
    told = JSON.parse(content ?? "");
  } catch {
    return null;
  }
  if (typeof told !== "object" || told === null) return null;
  const { org, lightning, api, entity } = told as Record<string, unknown>;
  const origin = originOf(org);
  if (origin === null || typeof api !== "string" || !API.test(api)) return null;
  return {
    org: origin,
    lightning: originOf(lightning) ?? origin,
    api,
    entity: typeof entity === "string" && NAME.test(entity) ? entity : "Contact",
  };
}

/** The origin of a web address in the browser's spelling (lower case, no default port), or null. */
export function originOf(address: unknown): string | null {
  if (typeof address !== "string") return null;
  try {
    const { protocol, origin } = new URL(address);
    return protocol === "https:" || protocol === "http:" ? origin : null;
  } catch {
    return null;
  }
}
