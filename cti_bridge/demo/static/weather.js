// The CRM's weather: a slider for how slow it is, a switch for not at all.
import { el } from "./dom.js";
import { ask, attempt } from "./server.js";
import { inSeconds, words } from "./words.js";

const SLOWEST = 12000;
const STEP = 500;
const PAUSE = 120;

export class WeatherControl {
  #slider = el("input", { id: "delay", type: "range", min: 0, max: SLOWEST, step: STEP, value: "0", "data-test": "crm-delay", oninput: () => this.#changed() });
  #shown = el("output", { for: "delay" });
  #down = el("input", { type: "checkbox", "data-test": "crm-down", onchange: () => this.#changed() });
  #timer = null;

  constructor(element) {
    element.replaceChildren(
      el("label", { for: "delay", class: "spread" }, el("span", {}, words.delay), this.#shown),
      this.#slider,
      el("label", { class: "choice" }, this.#down, el("span", {}, words.down)),
    );
    this.#say();
  }

  show({ delay_ms, down }) {
    if (this.#timer !== null) return;
    this.#slider.value = String(delay_ms);
    this.#down.checked = down;
    this.#say();
  }

  #changed() {
    this.#say();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const body = { delay_ms: Number(this.#slider.value), down: this.#down.checked };
      void attempt(() => ask("/crm-weather", { method: "PUT", body }));
    }, PAUSE);
  }

  #say() {
    const text = inSeconds(Number(this.#slider.value));
    this.#shown.textContent = text;
    this.#slider.setAttribute("aria-valuetext", text);
  }
}
