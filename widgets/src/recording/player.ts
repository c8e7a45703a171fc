// <cti-player>: plays one sound: play and pause, position, speed; by mouse and by keys. Tells "cti-unplayable" when the browser cannot.
import { css, html, LitElement, svg, type TemplateResult } from "lit";
import { controls, theme } from "../panel/theme.js";
import type { RecordingTerms } from "../terms/recording-en.js";
import { clock } from "../wording.js";

const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2] as const;
const SKIP = 10;
const NUDGE = 5;
const PLAY = "M8 5v14l11-7z";
const PAUSE = "M7 5h4v14H7zm6 0h4v14h-4z";

export class Player extends LitElement {
  static override properties = {
    sound: { attribute: false },
    words: { attribute: false },
    seconds: { attribute: false },
    playing: { state: true },
    position: { state: true },
    length: { state: true },
    speed: { state: true },
  };
  declare sound: Blob;
  declare words: RecordingTerms;
  /** How long it should be, until the browser knows. */
  declare seconds: number;
  declare playing: boolean;
  declare position: number;
  declare length: number;
  declare speed: number;
  #address = "";
  static override styles = [
    theme,
    controls,
    css`
      .player {
        display: grid;
        gap: 14px;
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      .time {
        margin-inline-start: auto;
        font-variant-numeric: tabular-nums;
      }
      .play {
        min-inline-size: 116px;
        min-block-size: 44px;
      }
      .speed {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .speed label {
        margin: 0;
      }
      .speed select {
        inline-size: auto;
      }
      input[type="range"] {
        inline-size: 100%;
        min-block-size: 28px;
        margin: 0;
        accent-color: var(--_accent);
        cursor: pointer;
      }
    `,
  ];

  constructor() {
    super();
    this.playing = false;
    this.position = 0;
    this.length = 0;
    this.speed = 1;
    this.seconds = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.#pressed);
    if (this.hasUpdated) this.requestUpdate("sound");
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.#pressed);
    this.#audio?.pause();
    this.#release();
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("sound") && this.#address !== "") return;
    this.#release();
    this.#address = URL.createObjectURL(this.sound);
    this.position = 0;
    this.length = 0;
    this.playing = false;
  }

  protected override render(): TemplateResult {
    const { words } = this;
    const all = this.#all;
    const at = Math.min(this.position, all);
    return html`<div class="player" role="group" aria-label=${words.player} data-test="player">
      <audio
        preload="auto"
        .src=${this.#address}
        @loadedmetadata=${this.#learnLength}
        @durationchange=${this.#learnLength}
        @timeupdate=${this.#moved}
        @seeked=${this.#moved}
        @play=${() => this.#tell(true)}
        @pause=${() => this.#tell(false)}
        @ended=${() => this.#tell(false)}
        @error=${() => this.dispatchEvent(new CustomEvent("cti-unplayable"))}
      ></audio>
      <div class="row">
        <button type="button" class="primary play" data-test="play" aria-keyshortcuts="Space" @click=${this.#toggle}>
          <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            ${svg`<path d=${this.playing ? PAUSE : PLAY}></path>`}
          </svg>
          ${this.playing ? words.pause : words.play}
        </button>
        <button type="button" data-test="back" aria-label=${words.back} @click=${() => this.#seek(this.position - SKIP)}>
          −${SKIP}
        </button>
        <button
          type="button"
          data-test="forward"
          aria-label=${words.forward}
          @click=${() => this.#seek(this.position + SKIP)}
        >
          +${SKIP}
        </button>
        <span class="time" data-test="time">${clock(at * 1000)} / ${clock(all * 1000)}</span>
      </div>
      <input
        type="range"
        min="0"
        max=${Math.max(1, Math.ceil(all))}
        step="1"
        .value=${String(Math.floor(at))}
        aria-label=${words.position}
        aria-valuetext=${words.positionOf(clock(at * 1000), clock(all * 1000))}
        data-test="position"
        @input=${(event: Event) => this.#seek(Number((event.target as HTMLInputElement).value))}
      />
      <div class="speed">
        <label for="speed">${words.speed}</label>
        <select id="speed" data-test="speed" @change=${this.#changeSpeed}>
          ${SPEEDS.map(
            (one) => html`<option value=${one} ?selected=${one === this.speed}>${words.speedOf(String(one))}</option>`,
          )}
        </select>
      </div>
      <p class="quiet small">${words.keys}</p>
    </div>`;
  }

  get #audio(): HTMLAudioElement | null {
    return this.renderRoot?.querySelector("audio") ?? null;
  }

  get #all(): number {
    return this.length > 0 ? this.length : this.seconds;
  }

  readonly #learnLength = (): void => {
    const length = this.#audio?.duration ?? 0;
    if (Number.isFinite(length)) this.length = length;
  };

  readonly #moved = (): void => {
    this.position = this.#audio?.currentTime ?? 0;
  };

  #tell(playing: boolean): void {
    this.playing = playing;
  }

  readonly #toggle = (): void => {
    const audio = this.#audio;
    if (audio === null) return;
    if (this.playing) audio.pause();
    // Refused only when another source came in between, or the sound is broken; then an error event tells it.
    else void audio.play()?.catch(() => undefined);
  };

  #seek(seconds: number): void {
    const audio = this.#audio;
    if (audio === null) return;
    audio.currentTime = Math.min(Math.max(0, seconds), this.#all);
    this.position = audio.currentTime;
  }

  readonly #changeSpeed = (event: Event): void => {
    this.speed = Number((event.target as HTMLSelectElement).value);
    const audio = this.#audio;
    if (audio === null) return;
    audio.playbackRate = this.speed;
    audio.defaultPlaybackRate = this.speed;
  };

  readonly #pressed = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    const on = (selector: string): boolean => target instanceof Element && target.matches(selector);
    if (on("select, textarea, input:not([type=range])")) return;
    if (event.key === " " && !on("button, a")) this.#toggle();
    else if (event.key === "ArrowLeft") this.#seek(this.position - NUDGE);
    else if (event.key === "ArrowRight") this.#seek(this.position + NUDGE);
    else return;
    event.preventDefault();
  };

  #release(): void {
    if (this.#address !== "") URL.revokeObjectURL(this.#address);
    this.#address = "";
  }
}
