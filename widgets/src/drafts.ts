// Notes being written: kept apart from the server's state while the agent types, saved soon, tried again until saved.
import type { Notes } from "./api.js";
import type { Draft } from "./protocol.js";

export type SaveState = "clean" | "waiting" | "saving" | "saved" | "failed";

const PAUSE = 400;
const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 30_000;

export interface DraftOwner {
  readonly save: (id: string, notes: Notes, leaving: boolean) => Promise<Draft>;
  readonly onChange: () => void;
}

interface Writing {
  notes: Notes;
  state: SaveState;
  editing: boolean;
  timer: ReturnType<typeof setTimeout> | null;
  failures: number;
  /** The request under way: two at once could arrive in the wrong order. */
  request: Promise<unknown> | null;
}

export class Drafts {
  readonly #owner: DraftOwner;
  readonly #writing = new Map<string, Writing>();

  constructor(owner: DraftOwner) {
    this.#owner = owner;
  }

  /** What the note field shows: the agent's own text while it is being written or not yet saved, else the server's. */
  shown(id: string, server: Draft): Notes {
    return this.#writing.get(id)?.notes ?? { note: server.note, disposition: server.disposition };
  }

  state(id: string, server: Draft): SaveState {
    return this.#writing.get(id)?.state ?? (server.saved_at === null ? "clean" : "saved");
  }

  /** The cursor is in the field: from now on nothing but the agent changes it. */
  enter(id: string, server: Draft): void {
    const writing = this.#writing.get(id) ?? fresh(server);
    writing.editing = true;
    this.#writing.set(id, writing);
  }

  /** The agent typed or chose. */
  edit(id: string, server: Draft, change: Partial<Notes>): void {
    const writing = this.#writing.get(id) ?? fresh(server);
    writing.notes = { ...writing.notes, ...change };
    writing.editing = true;
    writing.state = "waiting";
    this.#writing.set(id, writing);
    this.#plan(id, writing, PAUSE);
    this.#owner.onChange();
  }

  /** The cursor left the field: save at once, and let the server's text be shown again when it is saved. */
  leave(id: string): void {
    const writing = this.#writing.get(id);
    if (writing === undefined) return;
    writing.editing = false;
    if (writing.state === "saved" || writing.state === "clean") this.#forget(id);
    else if (writing.state !== "saving") void this.#save(id, writing, false);
  }

  /** The page goes away. Requests are sent that outlive it. */
  leaveAll(): void {
    for (const [id, writing] of this.#writing) {
      if (writing.state !== "saved" && writing.state !== "clean") void this.#save(id, writing, true);
    }
  }

  /** The call is completed or gone: there is nothing to save any more. */
  drop(id: string): void {
    const writing = this.#writing.get(id);
    if (writing?.timer != null) clearTimeout(writing.timer);
    this.#writing.delete(id);
  }

  /** When the request under way has been answered, however. */
  async settled(id: string): Promise<void> {
    await this.#writing.get(id)?.request?.catch(() => undefined);
  }

  dropAll(): void {
    for (const id of [...this.#writing.keys()]) this.drop(id);
  }

  #plan(id: string, writing: Writing, wait: number): void {
    if (writing.timer !== null) clearTimeout(writing.timer);
    writing.timer = setTimeout(() => void this.#save(id, writing, false), wait);
  }

  async #save(id: string, writing: Writing, leaving: boolean): Promise<void> {
    if (writing.request !== null && !leaving) {
      this.#plan(id, writing, PAUSE);
      return;
    }
    if (writing.timer !== null) clearTimeout(writing.timer);
    writing.timer = null;
    writing.state = "saving";
    this.#owner.onChange();
    const sent = writing.notes;
    const request = this.#owner.save(id, sent, leaving);
    writing.request = request;
    try {
      await request;
      writing.failures = 0;
      if (this.#writing.get(id) !== writing || writing.notes !== sent) return;
      writing.state = "saved";
      if (!writing.editing) this.#forget(id);
    } catch {
      if (this.#writing.get(id) !== writing || writing.notes !== sent) return;
      writing.state = "failed";
      this.#plan(id, writing, Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** writing.failures));
      writing.failures += 1;
    } finally {
      if (writing.request === request) writing.request = null;
    }
    this.#owner.onChange();
  }

  #forget(id: string): void {
    this.#writing.delete(id);
    this.#owner.onChange();
  }
}

function fresh(server: Draft): Writing {
  const notes = { note: server.note, disposition: server.disposition };
  return {
    notes,
    state: server.saved_at === null ? "clean" : "saved",
    editing: true,
    timer: null,
    failures: 0,
    request: null,
  };
}
