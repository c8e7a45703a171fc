// What the page that plays a recording knows: who is signed in, which call it is, its sound or why there is none. Nothing is drawn here.
import { Api, Problem } from "../api.js";
import type { Ports } from "../live/ports.js";
import { Tabs } from "../live/tabs.js";
import type { Door } from "../panel/sign-in.js";
import type { Language, RecordedCall } from "../protocol.js";
import { Session } from "../session.js";
import { type RecordingTerms, recordingEn } from "../terms/recording-en.js";
import { recordingJa } from "../terms/recording-ja.js";
import { TERMS, type Terms } from "../terms/terms.js";

const RECORDING_ID = /^RE[0-9a-fA-F]{32}$/;

/** Why nothing can be heard: a heading, what to do, and whether asking again may help. */
export interface Trouble {
  readonly heading: string;
  readonly mend: string;
  readonly again: boolean;
}

export interface ListeningOptions {
  /** The bridge's address, ends with a slash. */
  readonly base: string;
  readonly language: Language;
  /** What the link says; anything. */
  readonly recording: string | null;
}

export class Listening implements Door {
  readonly #id: string | null;
  readonly #api: Api;
  readonly #session: Session;
  readonly #listeners = new Set<{ readonly onChange?: () => void }>();
  #problem: unknown = null;
  #wasSignedIn = false;
  #round = 0;

  readonly dialNumber = "";
  readonly vouching = { state: "off", problem: null, ask: (): void => undefined } as const;
  language: Language;
  sessionEnded = false;
  call: RecordedCall | null = null;
  sound: Blob | null = null;
  /** The browser got the sound and cannot play it. */
  unplayable = false;

  constructor(ports: Ports, options: ListeningOptions) {
    this.language = options.language;
    this.#id = options.recording !== null && RECORDING_ID.test(options.recording) ? options.recording : null;
    this.#api = new Api(`${options.base}api/`, ports.fetch, {
      token: () => this.#session.token,
      language: () => this.language,
      onRefused: () => this.#session.end(),
    });
    // The same bus and storage as the panel's: who is signed in there need not sign in here.
    this.#session = new Session(ports, new Tabs(`cti-bridge:${options.base}`, ports), {
      renew: () => this.#api.renew(),
      onChange: () => this.#sessionChanged(),
    });
  }

  get terms(): Terms {
    return { ...TERMS[this.language], signInLead: this.words.signInLead };
  }

  get words(): RecordingTerms {
    return this.language === "ja" ? recordingJa : recordingEn;
  }

  get signedIn(): boolean {
    return this.#session.token !== null;
  }

  get linkIsWhole(): boolean {
    return this.#id !== null;
  }

  get trouble(): Trouble | null {
    const { words } = this;
    if (this.#id === null) return { heading: words.badLink, mend: words.badLinkMend, again: false };
    if (this.unplayable) return { heading: words.unplayable, mend: words.unplayableMend, again: true };
    if (this.#problem === null) return null;
    const code = this.#problem instanceof Problem ? this.#problem.code : "";
    const [heading, again] = new Map<string, readonly [string, boolean]>([
      ["recording_not_found", [words.notFound, false]],
      ["recording_not_allowed", [words.notAllowed, false]],
      ["recording_deleted", [words.deleted, false]],
      ["recording_not_ready", [words.notReady, true]],
      ["recordings_busy", [words.busy, true]],
    ]).get(code) ?? [words.failed, true];
    return { heading, mend: this.problemText(this.#problem), again };
  }

  listen(listener: { readonly onChange?: () => void }): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    if (this.#id !== null) this.#session.restore();
  }

  /** Throws a Problem for the form to show. */
  async signIn(email: string, password: string, code = ""): Promise<void> {
    const { agent, must_enrol: _, ...grant } = await this.#api.signIn(email, password, code);
    this.language = agent.language;
    this.#session.grant(grant);
  }

  problemText(error: unknown): string {
    if (error instanceof Problem && error.code === "offline") return this.terms.offline;
    return error instanceof Problem && error.message !== "" ? error.message : this.terms.failed;
  }

  /** Asks for the call, then for its sound, unless the session ends meanwhile. */
  async load(): Promise<void> {
    if (this.#id === null) return;
    this.#round += 1;
    const round = this.#round;
    this.#forget();
    this.#changed();
    try {
      const call = await this.#api.recordedCall(this.#id);
      if (round !== this.#round) return;
      this.call = call;
      this.language = call.language;
      this.#changed();
      const sound = await this.#api.recording(this.#id);
      if (round !== this.#round) return;
      this.sound = sound;
    } catch (error) {
      if (round !== this.#round) return;
      this.#problem = error;
    }
    this.#changed();
  }

  cannotPlay(): void {
    this.sound = null;
    this.unplayable = true;
    this.#changed();
  }

  #sessionChanged(): void {
    const { signedIn } = this;
    if (signedIn && !this.#wasSignedIn) void this.load();
    if (!signedIn) {
      this.#round += 1;
      this.#forget();
      this.sessionEnded = this.#wasSignedIn;
    } else this.sessionEnded = false;
    this.#wasSignedIn = signedIn;
    this.#changed();
  }

  #forget(): void {
    this.call = null;
    this.sound = null;
    this.unplayable = false;
    this.#problem = null;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener.onChange?.();
  }
}
