// The bridge's JSON API, one method per request. Failures are Problems, with words the agent can read.
import type {
  Agent,
  Call,
  Contact,
  ContactDraft,
  DialRequest,
  Disposition,
  Enrolment,
  Language,
  RecordedCall,
  SecondFactorState,
  SessionGrant,
  SignedIn,
} from "./protocol.js";

/** A request that was refused (RFC 9457) or never arrived (status 0, code "offline"). */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  /** Milliseconds the server asked us to wait; 0 when it named none. */
  readonly retryAfter: number;

  constructor(status: number, code: string, message: string, retryAfter = 0) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export interface ApiOwner {
  readonly token: () => string | null;
  readonly language: () => Language;
  /** The server no longer takes the token. */
  readonly onRefused: () => void;
  /** The agent must set up one-time codes before anything else. */
  readonly onMustEnrol?: () => void;
}

export interface Notes {
  readonly note: string;
  readonly disposition: Disposition["code"] | null;
}

export class Api {
  readonly #base: string;
  readonly #fetch: typeof fetch;
  readonly #owner: ApiOwner;

  /** `base` ends with a slash: https://bridge.example/phone/api/ */
  constructor(base: string, fetcher: typeof fetch, owner: ApiOwner) {
    this.#base = base;
    this.#fetch = fetcher;
    this.#owner = owner;
  }

  /** `code` is of an authenticator app, or a recovery code; "" where none was asked for. */
  signIn(email: string, password: string, code: string): Promise<SignedIn> {
    return this.#ask("POST", "session", { email, password, ...(code === "" ? {} : { code }) });
  }

  /** Signs in with a ticket that the CRM's server got for its user. */
  redeem(ticket: string): Promise<SignedIn> {
    return this.#ask("POST", "session/redeem", { ticket });
  }

  renew(): Promise<SessionGrant> {
    return this.#ask("POST", "session/renew");
  }

  signOut(): Promise<void> {
    return this.#ask("DELETE", "session");
  }

  /** Here and on every other screen. */
  signOutEverywhere(): Promise<{ readonly ended: number }> {
    return this.#ask("DELETE", "sessions");
  }

  secondFactor(): Promise<SecondFactorState> {
    return this.#ask("GET", "totp");
  }

  beginTotp(): Promise<Enrolment> {
    return this.#ask("POST", "totp");
  }

  confirmTotp(code: string): Promise<{ readonly recovery_codes: readonly string[] }> {
    return this.#ask("POST", "totp/confirmation", { code });
  }

  async ticket(): Promise<string> {
    return (await this.#ask<{ ticket: string }>("POST", "tickets")).ticket;
  }

  setPresence(presence: "available" | "away"): Promise<Agent> {
    return this.#ask("PUT", "presence", { presence });
  }

  setLanguage(language: Language): Promise<Agent> {
    return this.#ask("PUT", "language", { language });
  }

  dial(request: DialRequest): Promise<{ readonly call_id: string }> {
    return this.#ask("POST", "calls", request);
  }

  async recentCalls(): Promise<readonly Call[]> {
    return (await this.#ask<{ calls: Call[] }>("GET", "calls")).calls;
  }

  choose(id: string, contactId: string): Promise<Call> {
    return this.#ask("PUT", `calls/${encodeURIComponent(id)}/choice`, { contact_id: contactId });
  }

  undoChoice(id: string): Promise<Call> {
    return this.#ask("DELETE", `calls/${encodeURIComponent(id)}/choice`);
  }

  relate(id: string, recordId: string): Promise<Call> {
    return this.#ask("PUT", `calls/${encodeURIComponent(id)}/record`, { record_id: recordId });
  }

  unrelate(id: string): Promise<Call> {
    return this.#ask("DELETE", `calls/${encodeURIComponent(id)}/record`);
  }

  /** `leaving`: the page is going away, and the request must survive it. */
  saveDraft(id: string, notes: Notes, leaving: boolean): Promise<Call> {
    return this.#ask("PUT", `calls/${encodeURIComponent(id)}/draft`, notes, leaving);
  }

  complete(id: string, notes: Notes): Promise<Call> {
    return this.#ask("POST", `calls/${encodeURIComponent(id)}/completion`, notes);
  }

  createContact(id: string, draft: ContactDraft): Promise<Call> {
    return this.#ask("POST", `calls/${encodeURIComponent(id)}/contact`, draft);
  }

  addNumber(id: string, contactId: string): Promise<Call> {
    return this.#ask("POST", `calls/${encodeURIComponent(id)}/number`, { contact_id: contactId });
  }

  async search(text: string): Promise<readonly Contact[]> {
    return (await this.#ask<{ contacts: Contact[] }>("GET", `contacts?q=${encodeURIComponent(text)}`)).contacts;
  }

  dealtWith(key: string): Promise<void> {
    return this.#ask("POST", `missed/${encodeURIComponent(key)}/dealt-with`);
  }

  /** Which call this is the recording of. */
  recordedCall(recordingId: string): Promise<RecordedCall> {
    return this.#ask("GET", `recordings/${encodeURIComponent(recordingId)}/call`);
  }

  /** A recording's sound, whole. */
  async recording(recordingId: string): Promise<Blob> {
    const response = await this.#send("GET", `recordings/${encodeURIComponent(recordingId)}`);
    try {
      return await response.blob();
    } catch {
      throw new Problem(0, "offline", "");
    }
  }

  async #ask<Answer>(method: string, path: string, body?: object, keepalive = false): Promise<Answer> {
    const response = await this.#send(method, path, body, keepalive);
    return (response.status === 204 ? undefined : await response.json()) as Answer;
  }

  /** An answer that is no refusal. */
  async #send(method: string, path: string, body?: object, keepalive = false): Promise<Response> {
    const token = this.#owner.token();
    const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": this.#owner.language() };
    if (token !== null) headers["Authorization"] = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response: Response;
    try {
      response = await this.#fetch(`${this.#base}${path}`, {
        method,
        headers,
        keepalive,
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      throw new Problem(0, "offline", "");
    }
    if (response.ok) return response;
    // A wrong password is also a 401; only a refused token ends a session.
    if (response.status === 401 && token !== null && token === this.#owner.token()) this.#owner.onRefused();
    const problem = await problemIn(response);
    if (problem.code === "must_enrol") this.#owner.onMustEnrol?.();
    throw problem;
  }
}

async function problemIn(response: Response): Promise<Problem> {
  const retryAfter = Number(response.headers.get("Retry-After") ?? "0") * 1000 || 0;
  try {
    const told = (await response.json()) as { code?: unknown; title?: unknown; detail?: unknown };
    const words = [told.detail, told.title].find((text) => typeof text === "string" && text !== "");
    return new Problem(
      response.status,
      typeof told.code === "string" ? told.code : "",
      String(words ?? ""),
      retryAfter,
    );
  } catch {
    return new Problem(response.status, "", "", retryAfter);
  }
}
