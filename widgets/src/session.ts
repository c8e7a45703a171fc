// The agent's session: a short-lived bearer token, kept for reloads where the browser allows it, renewed at half its life, shared between tabs.
import type { Ports } from "./live/ports.js";
import type { Tabs } from "./live/tabs.js";
import type { SessionGrant } from "./protocol.js";

export interface SavedSession {
  readonly token: string;
  /** Milliseconds of our own clock. */
  readonly grantedAt: number;
  readonly expiresAt: number;
}

const KEY = "cti-bridge.session";
const RENEWAL_RETRY = 30_000;

export interface SessionOwner {
  readonly renew: () => Promise<SessionGrant>;
  readonly onChange: () => void;
}

export class Session {
  readonly #ports: Ports;
  readonly #tabs: Tabs;
  readonly #owner: SessionOwner;
  #current: SavedSession | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(ports: Ports, tabs: Tabs, owner: SessionOwner) {
    this.#ports = ports;
    this.#tabs = tabs;
    this.#owner = owner;
    tabs.listen((message) => {
      if (message.type === "session-wanted" && this.token !== null) {
        tabs.tell({ type: "session", session: this.#current });
      }
      if (message.type === "session" && message.session?.token !== this.#current?.token) this.#become(message.session);
    });
  }

  get token(): string | null {
    return this.#current !== null && this.#current.expiresAt > this.#ports.now() ? this.#current.token : null;
  }

  /** What an earlier load of this tab saved, or what another tab has. */
  restore(): void {
    const saved = readSaved(this.#ports.storage.get(KEY));
    if (saved !== null && saved.expiresAt > this.#ports.now()) this.#become(saved);
    else this.#tabs.tell({ type: "session-wanted" });
  }

  grant(grant: SessionGrant): void {
    const now = this.#ports.now();
    this.#become({ token: grant.token, grantedAt: now, expiresAt: now + grant.expires_in * 1000 });
    this.#tabs.tell({ type: "session", session: this.#current });
  }

  /** Signed out here, or refused by the server: in every tab. */
  end(): void {
    if (this.#current === null) return;
    this.#become(null);
    this.#tabs.tell({ type: "session", session: null });
  }

  #become(session: SavedSession | null): void {
    this.#current = session;
    this.#ports.storage.set(KEY, session === null ? null : JSON.stringify(session));
    if (session === null) this.#plan(null);
    else this.#plan(Math.max(0, (session.grantedAt + session.expiresAt) / 2 - this.#ports.now()));
    this.#owner.onChange();
  }

  #plan(wait: number | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = wait === null ? null : setTimeout(() => void this.#renew(), wait);
  }

  async #renew(): Promise<void> {
    const renewing = this.#current;
    if (renewing === null) return;
    if (this.token === null) {
      this.end();
      return;
    }
    try {
      const grant = await this.#owner.renew();
      if (this.#current === renewing) this.grant(grant);
    } catch {
      // Refusals end the session elsewhere; for a network that is down there is still half a life to try again.
      if (this.#current === renewing) this.#plan(RENEWAL_RETRY);
    }
  }
}

function readSaved(text: string | null): SavedSession | null {
  if (text === null) return null;
  try {
    const saved: unknown = JSON.parse(text);
    if (typeof saved !== "object" || saved === null) return null;
    const { token, grantedAt, expiresAt } = saved as Record<string, unknown>;
    if (typeof token !== "string" || typeof grantedAt !== "number" || typeof expiresAt !== "number") return null;
    return { token, grantedAt, expiresAt };
  } catch {
    return null;
  }
}
