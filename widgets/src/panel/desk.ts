// The agent's desk: session, live state, notes and ring, wired together. The elements draw it and call its methods; it draws nothing.
import { Api, type Notes, Problem } from "../api.js";
import { Drafts } from "../drafts.js";
import { LiveLink } from "../live/link.js";
import type { Ports } from "../live/ports.js";
import type { Connection } from "../live/socket.js";
import type { LiveState } from "../live/state.js";
import { cardsOf } from "../live/state.js";
import { Tabs } from "../live/tabs.js";
import type { NotificationState } from "../messages.js";
import type { Call, Contact, ContactDraft, DialRequest, Language, SignedIn } from "../protocol.js";
import { Announcer } from "../ring/announce.js";
import { Ringer } from "../ring/ringer.js";
import { Session } from "../session.js";
import { TERMS, type Terms } from "../terms/terms.js";
import { callerText } from "../wording.js";
import type { ScreenOffers, ScreenRecord } from "./screen.js";
import { newsOf } from "./call-news.js";
import type { DeskListener, DeskOptions } from "./desk-options.js";
import { Enrolling } from "./enrolling.js";
import { Toasts } from "./toasts.js";
import { Vouching } from "./vouching.js";

const RECENT_REFRESH = 1_500;
const DELIVERED_STAYS = 15_000;

export class Desk {
  readonly drafts: Drafts;
  readonly ringer: Ringer;
  readonly toasts: Toasts;
  readonly vouching: Vouching;
  readonly enrolling: Enrolling;
  readonly #ports: Ports;
  readonly #listeners = new Set<DeskListener>();
  readonly #tabs: Tabs;
  readonly #api: Api;
  readonly #session: Session;
  readonly #link: LiveLink;
  readonly #announcer = new Announcer();
  readonly #dismissed = new Set<string>();
  readonly #told = new Map<string, string>();
  #recentTimer: ReturnType<typeof setTimeout> | null = null;
  #wasSignedIn = false;
  #ownSignOut = false;

  recent: readonly Call[] | null = null;
  recentFailed = false;
  announcement = "";
  sessionEnded = false;
  /** Whether a CRM page holds this panel, and what it lets us do. */
  embedded = false;
  notifications: NotificationState = "unsupported";
  /** A number that came from the CRM's page or a list, and waits in the number field. */
  dialNumber = "";
  /** The record that the number came with. */
  dialRecord: string | null = null;
  dialling = false;
  #offers: ScreenOffers | null = null;
  #screenRecord: ScreenRecord | null = null;
  language: Language;

  constructor(ports: Ports, options: DeskOptions) {
    this.#ports = ports;
    this.language = options.language;
    this.#tabs = new Tabs(`cti-bridge:${options.base}`, ports);
    this.toasts = new Toasts(() => this.#changed());
    this.#api = new Api(`${options.base}api/`, ports.fetch, {
      token: () => this.#session.token,
      language: () => this.language,
      onRefused: () => this.#session.end(),
      onMustEnrol: () => this.enrolling.demand(),
    });
    this.enrolling = new Enrolling({
      api: () => this.#api,
      onChange: () => this.#changed(),
      onDone: () => this.#link.retry(),
    });
    this.#session = new Session(ports, this.#tabs, {
      renew: () => this.#api.renew(),
      onChange: () => this.#sessionChanged(),
    });
    this.vouching = new Vouching(ports.now, {
      signedIn: () => this.signedIn,
      redeem: async (ticket) => this.#admit(await this.#api.redeem(ticket)),
      onChange: () => this.#changed(),
    });
    this.#link = new LiveLink(`${options.base.replace(/^http/, "ws")}live`, ports, this.#tabs, {
      ticket: () => this.#api.ticket(),
      onChange: (before) => this.#liveChanged(before),
    });
    this.drafts = new Drafts({
      save: async (id, notes, leaving) => {
        const call = await this.#api.saveDraft(id, notes, leaving);
        this.#link.take(call);
        return call.draft;
      },
      onChange: () => this.#changed(),
    });
    this.ringer = new Ringer(options.base, ports, this.#tabs, {
      onChange: () => this.#changed(),
      leading: () => this.#link.leading,
      hidden: options.hidden,
      notify: (call) => this.#each((listener) => listener.onNotify?.(call)),
    });
    this.#tabs.listen((message) => {
      if (message.type !== "dismissed") return;
      this.#dismissed.add(message.id);
      this.#changed();
    });
  }

  get terms(): Terms {
    return TERMS[this.language];
  }

  get signedIn(): boolean {
    return this.#session.token !== null;
  }

  get live(): LiveState | null {
    return this.#link.state;
  }

  get connection(): Connection {
    return this.#link.connection;
  }

  /** The server's clock, as far as we know it. Milliseconds. */
  get now(): number {
    return this.#ports.now() + (this.live?.skew ?? 0);
  }

  get screenRecord(): ScreenRecord | null {
    return this.#screenRecord;
  }

  set screenRecord(record: ScreenRecord | null) {
    this.#screenRecord = record;
    this.#changed();
  }

  /** Filled in by the page made for a CRM. */
  get offers(): ScreenOffers | null {
    return this.#offers;
  }

  set offers(offers: ScreenOffers | null) {
    this.#offers = offers;
    this.#changed();
  }

  get cards(): readonly Call[] {
    return this.live === null ? [] : cardsOf(this.live, this.#dismissed);
  }

  listen(listener: DeskListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#session.restore();
  }

  /** The page goes away, perhaps for good, perhaps into the back/forward cache. */
  leave(): void {
    this.drafts.leaveAll();
  }

  close(): void {
    this.leave();
    this.ringer.close();
    this.#link.stop();
    this.#tabs.close();
  }

  /** The tab is looked at again, or the network is back. */
  wake(): void {
    this.#link.checkSilence();
    this.#link.retry();
  }

  /** Throws a Problem for the form to show. */
  async signIn(email: string, password: string, code = ""): Promise<void> {
    this.#admit(await this.#api.signIn(email, password, code));
  }

  /** Here and on every other screen of this agent. */
  async signOutEverywhere(): Promise<void> {
    if (await this.#try(() => this.#api.signOutEverywhere())) await this.signOut();
  }

  async signOut(): Promise<void> {
    this.drafts.leaveAll();
    this.#ownSignOut = true;
    this.vouching.keepOut();
    // The token dies on its own if the bridge cannot be reached now.
    await this.#api.signOut().catch(() => undefined);
    this.#session.end();
    this.#ownSignOut = false;
    this.sessionEnded = false;
    this.#changed();
  }

  /** The words of a failure, for the agent. */
  problemText(error: unknown): string {
    if (error instanceof Problem && error.code === "offline") return this.terms.offline;
    return error instanceof Problem && error.message !== "" ? error.message : this.terms.failed;
  }

  async setPresence(presence: "available" | "away"): Promise<void> {
    await this.#try(async () => this.#link.takeAgent(await this.#api.setPresence(presence)));
  }

  async setLanguage(language: Language): Promise<void> {
    this.language = language;
    this.#changed();
    if (this.signedIn) await this.#try(async () => this.#link.takeAgent(await this.#api.setLanguage(language)));
  }

  choose(id: string, contactId: string): Promise<boolean> {
    return this.#try(async () => this.#link.take(await this.#api.choose(id, contactId)));
  }

  undoChoice(id: string): Promise<boolean> {
    return this.#try(async () => this.#link.take(await this.#api.undoChoice(id)));
  }

  /** The call belongs to this record of the CRM's page: its contact is chosen, and what it is about is kept. */
  relate(id: string, recordId: string): Promise<boolean> {
    return this.#try(async () => this.#link.take(await this.#api.relate(id, recordId)));
  }

  unrelate(id: string): Promise<boolean> {
    return this.#try(async () => this.#link.take(await this.#api.unrelate(id)));
  }

  /** Throws a Problem for the form to show. */
  async createContact(id: string, draft: ContactDraft): Promise<void> {
    this.#link.take(await this.#api.createContact(id, draft));
  }

  addNumber(id: string, contactId: string): Promise<boolean> {
    return this.#try(async () => this.#link.take(await this.#api.addNumber(id, contactId)));
  }

  /** Throws a Problem for the field to show. */
  search(text: string): Promise<readonly Contact[]> {
    return this.#api.search(text);
  }

  async complete(id: string, notes: Notes): Promise<boolean> {
    await this.drafts.settled(id);
    return this.#try(async () => {
      const call = await this.#api.complete(id, notes);
      this.drafts.drop(id);
      this.#link.take(call);
    });
  }

  dismiss(id: string): void {
    this.#dismissed.add(id);
    this.#tabs.tell({ type: "dismissed", id });
    this.#changed();
  }

  dealtWith(key: string): Promise<boolean> {
    return this.#try(async () => this.#api.dealtWith(key));
  }

  /** Rings the agent's own phone, then the number. True when the bridge took it. */
  async dial(request: DialRequest): Promise<boolean> {
    if (this.dialling) return false;
    this.dialNumber = request.number;
    this.dialRecord = request.record_id ?? null;
    if (!this.signedIn || this.live?.agent.can_dial === false) {
      this.#changed();
      return false;
    }
    this.dialling = true;
    this.#changed();
    const taken = await this.#try(async () => this.#api.dial(request));
    this.dialling = false;
    if (taken) {
      this.dialNumber = "";
      this.dialRecord = null;
    }
    this.#changed();
    return taken;
  }

  async loadRecent(): Promise<void> {
    try {
      this.recent = await this.#api.recentCalls();
      this.recentFailed = false;
    } catch {
      this.recentFailed = true;
    }
    this.#changed();
  }

  #admit({ agent, must_enrol, ...grant }: SignedIn): void {
    this.language = agent.language;
    this.sessionEnded = false;
    if (must_enrol === true) this.enrolling.demand();
    this.#session.grant(grant);
  }

  #sessionChanged(): void {
    const signedIn = this.signedIn;
    if (signedIn) {
      this.vouching.letIn();
      this.#link.start();
    } else {
      this.#link.stop();
      this.drafts.dropAll();
      this.recent = null;
      this.#told.clear();
      this.#dismissed.clear();
      this.sessionEnded = this.#wasSignedIn && !this.#ownSignOut;
      this.vouching.ended();
      this.enrolling.forget();
    }
    this.#wasSignedIn = signedIn;
    this.#changed();
  }

  #liveChanged(before: LiveState | null): void {
    const live = this.live;
    if (live !== null) this.enrolling.admitted();
    if (live !== null && live !== before) {
      if (live.agent !== before?.agent) this.language = live.agent.language;
      for (const call of live.calls) {
        const earlier = before?.calls.find((one) => one.id === call.id);
        if (earlier !== call) this.#callChanged(call, earlier);
      }
      this.ringer.hear(live.calls);
      const words = this.#announcer.next(live.calls, this.terms);
      if (words !== null) this.announcement = words;
    }
    if (live === null) this.ringer.hear([]);
    if (live !== null && before === null) this.#refreshRecent(0);
    this.#changed();
  }

  #callChanged(call: Call, earlier: Call | undefined): void {
    if (earlier?.phase === "ringing" && this.cards.length === 0) this.#sayWhereItWent(call);
    if (call.phase === "ringing" && earlier?.phase !== "ringing") {
      this.toasts.makeWay();
      this.#each((listener) => listener.onRing?.(call));
    }
    if (call.phase === "completed" && call.log.state === "delivered" && earlier !== undefined) {
      setTimeout(() => this.dismiss(call.id), DELIVERED_STAYS);
    }
    if (earlier !== undefined && earlier.phase !== call.phase) this.#refreshRecent(RECENT_REFRESH);
    const news = JSON.stringify(newsOf(call));
    if (this.#told.get(call.id) === news) return;
    this.#told.set(call.id, news);
    this.#each((listener) => listener.onCall?.(call));
  }

  /** To an agent who has another card before them, the list of missed calls says enough. */
  #sayWhereItWent(call: Call): void {
    const { terms } = this;
    if (call.phase === "elsewhere") {
      this.toasts.add(call.agent === null ? terms.answeredElsewhere : terms.answeredBy(call.agent.name));
    }
    if (call.phase === "missed") this.toasts.add(terms.missedToast(callerText(call.caller, terms)));
  }

  #refreshRecent(wait: number): void {
    if (this.#recentTimer !== null) clearTimeout(this.#recentTimer);
    this.#recentTimer = setTimeout(() => void this.loadRecent(), wait);
  }

  async #try(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) this.toasts.add(this.problemText(error), "failure");
      return false;
    }
  }

  #each(tell: (listener: DeskListener) => void): void {
    for (const listener of this.#listeners) tell(listener);
  }

  #changed(): void {
    this.#each((listener) => listener.onChange?.());
  }
}
