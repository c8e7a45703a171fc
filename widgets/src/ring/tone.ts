// The ring one hears: a Japanese telephone's 400 Hz, trembling at 16 Hz, one second on and two off, made by Web Audio.
import type { SafeStorage } from "../live/ports.js";

const VOLUME_KEY = "cti-bridge.volume";
const TESTED_KEY = "cti-bridge.sound-tested";
const RING = 1;
const CYCLE = 3;

export class Tone {
  readonly #preferences: SafeStorage;
  readonly #onChange: () => void;
  readonly #makeContext: () => AudioContext | null;
  #context: AudioContext | null = null;
  #output: GainNode | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #volume: number;

  constructor(preferences: SafeStorage, onChange: () => void, makeContext: () => AudioContext | null = browserAudio) {
    this.#preferences = preferences;
    this.#onChange = onChange;
    this.#makeContext = makeContext;
    const remembered = Number.parseFloat(preferences.get(VOLUME_KEY) ?? "");
    this.#volume = Number.isFinite(remembered) ? clamp(remembered) : 0.6;
  }

  /** True when a ring would be heard: the browser lets this tab make sound. */
  get unlocked(): boolean {
    return this.#context?.state === "running";
  }

  /** True when the agent has heard the ring in this browser before. */
  get tested(): boolean {
    return this.#preferences.get(TESTED_KEY) === "yes";
  }

  get volume(): number {
    return this.#volume;
  }

  get ringing(): boolean {
    return this.#timer !== null;
  }

  setVolume(volume: number): void {
    this.#volume = clamp(volume);
    this.#preferences.set(VOLUME_KEY, String(this.#volume));
    if (this.#output !== null) this.#output.gain.value = loudness(this.#volume);
    this.#onChange();
  }

  /** Within a click or key press: asks the browser for sound. Browsers refuse it without one. */
  async unlock(): Promise<boolean> {
    const context = this.#prepare();
    if (context === null) return false;
    try {
      await context.resume();
    } catch {
      // Still locked; the banner stays.
    }
    this.#onChange();
    return this.unlocked;
  }

  /** The sound test: one ring, as it will sound. */
  async test(): Promise<void> {
    if (!(await this.unlock())) return;
    this.#preferences.set(TESTED_KEY, "yes");
    this.#once();
    this.#onChange();
  }

  start(): void {
    if (this.#timer !== null) return;
    this.#once();
    this.#timer = setInterval(() => this.#once(), CYCLE * 1000);
  }

  stop(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    // Cut the ring that is sounding: the agent has just taken the call.
    this.#output?.disconnect();
    this.#output = null;
  }

  #prepare(): AudioContext | null {
    if (this.#context === null) {
      this.#context = this.#makeContext();
      this.#context?.addEventListener("statechange", () => this.#onChange());
    }
    return this.#context;
  }

  #once(): void {
    const context = this.#context;
    if (context === null || context.state !== "running") return;
    this.#output ??= outputOf(context, loudness(this.#volume));
    const start = context.currentTime + 0.02;
    const envelope = context.createGain();
    envelope.gain.setValueAtTime(0, start);
    envelope.gain.linearRampToValueAtTime(1, start + 0.03);
    envelope.gain.setValueAtTime(1, start + RING - 0.06);
    envelope.gain.linearRampToValueAtTime(0, start + RING);
    const tremble = context.createGain();
    tremble.gain.value = 0.5;
    const wave = oscillator(context, 16, start);
    const depth = context.createGain();
    depth.gain.value = 0.5;
    wave.connect(depth).connect(tremble.gain);
    for (const [frequency, share] of [
      [400, 0.7],
      [800, 0.18],
      [1200, 0.08],
    ] as const) {
      const partial = context.createGain();
      partial.gain.value = share;
      oscillator(context, frequency, start).connect(partial).connect(tremble);
    }
    tremble.connect(envelope).connect(this.#output);
  }
}

function outputOf(context: AudioContext, gain: number): GainNode {
  const output = context.createGain();
  output.gain.value = gain;
  output.connect(context.destination);
  return output;
}

function oscillator(context: AudioContext, frequency: number, start: number): OscillatorNode {
  const wave = context.createOscillator();
  wave.frequency.value = frequency;
  wave.start(start);
  wave.stop(start + RING);
  return wave;
}

function browserAudio(): AudioContext | null {
  return "AudioContext" in globalThis ? new AudioContext() : null;
}

const clamp = (volume: number): number => Math.min(1, Math.max(0, volume));
/** Ears are logarithmic, sliders are not. */
const loudness = (volume: number): number => volume ** 2;
