// Makes an agent's browser ring: sound in exactly one tab that may make it, words in every tab, a notification when all are hidden.
import type { Ports } from "../live/ports.js";
import { Role, type Tabs } from "../live/tabs.js";
import type { Call } from "../protocol.js";
import { Tone } from "./tone.js";

const ANSWER_TIME = 150;

export type SoundState = "on" | "elsewhere" | "off";

export interface RingerOwner {
  readonly onChange: () => void;
  /** True in the tab that leads: the one that speaks for all of them. */
  readonly leading: () => boolean;
  readonly hidden: () => boolean;
  readonly notify: (call: Call) => void;
}

export class Ringer {
  readonly tone: Tone;
  readonly #tabs: Tabs;
  readonly #owner: RingerOwner;
  readonly #role: Role;
  readonly #notified = new Set<string>();
  #elsewhere = false;
  #calls: readonly Call[] = [];
  #seen = false;

  constructor(name: string, ports: Ports, tabs: Tabs, owner: RingerOwner) {
    this.#tabs = tabs;
    this.#owner = owner;
    this.tone = new Tone(ports.preferences, () => this.#update());
    // The tab that keeps the socket may not be allowed to make sound, so ringing is a role of its own.
    this.#role = new Role(`${name}#ringer`, tabs.connected ? ports.locks : null, () => {
      tabs.tell({ type: "ringer", present: true });
      this.#update();
    });
    tabs.listen((message) => {
      if (message.type === "ringer") {
        this.#elsewhere = message.present;
        owner.onChange();
      }
      if (message.type === "ringer-wanted" && this.#role.held) tabs.tell({ type: "ringer", present: true });
      if (message.type === "visible-wanted" && !owner.hidden()) tabs.tell({ type: "visible" });
      if (message.type === "visible") this.#seen = true;
    });
    tabs.tell({ type: "ringer-wanted" });
  }

  get sound(): SoundState {
    if (this.tone.unlocked && this.tone.tested) return this.#role.held ? "on" : "elsewhere";
    return this.#elsewhere ? "elsewhere" : "off";
  }

  /** The calls of this agent, after each change. */
  hear(calls: readonly Call[]): void {
    this.#calls = calls.filter((call) => call.phase === "ringing" && call.direction === "inbound");
    this.#update();
    for (const id of this.#notified) {
      if (!this.#calls.some((call) => call.id === id)) this.#notified.delete(id);
    }
    if (!this.#owner.leading()) return;
    for (const call of this.#calls) {
      if (this.#notified.has(call.id)) continue;
      this.#notified.add(call.id);
      if (this.#owner.hidden()) this.#notifyUnlessSeen(call);
    }
  }

  /** The page goes away: the next tab in line rings. */
  close(): void {
    this.tone.stop();
    if (this.#role.held) this.#tabs.tell({ type: "ringer", present: false });
    this.#role.leave();
  }

  /** This tab is hidden; another one may be the one the agent looks at. */
  #notifyUnlessSeen(call: Call): void {
    this.#seen = false;
    this.#tabs.tell({ type: "visible-wanted" });
    setTimeout(() => {
      const current = this.#calls.find((one) => one.id === call.id);
      if (!this.#seen && current !== undefined) this.#owner.notify(current);
    }, ANSWER_TIME);
  }

  #update(): void {
    if (this.tone.unlocked && this.tone.tested) this.#role.seek();
    if (this.#calls.length > 0 && this.#role.held) this.tone.start();
    else this.tone.stop();
    this.#owner.onChange();
  }
}
