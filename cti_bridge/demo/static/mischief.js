// Making webhooks misbehave: one trick at a time, and the button that lets held ones go.
import { draw, el } from "./dom.js";
import { ask, attempt } from "./server.js";
import { words } from "./words.js";

const RULES = {
  none: null,
  twice: { kind: "any", what: "twice" },
  late: { kind: "status", what: "late", seconds: 4 },
  hold: { kind: "status", what: "hold" },
  lost: { kind: "incoming", what: "lost_answer" },
  signature: { kind: "any", what: "bad_signature" },
};

export class Mischief {
  #radios = new Map();
  #held = el("div", { class: "held", role: "status" });
  /** While one rule replaces another, the state in between is not shown. */
  #playing = false;

  constructor(element) {
    const choices = Object.keys(RULES).map((trick) => {
      const radio = el("input", { type: "radio", name: "trick", value: trick, "data-test": `trick-${trick}`, onchange: () => void this.#play(trick) });
      this.#radios.set(trick, radio);
      return el("label", { class: "choice" }, radio, el("span", {}, words.tricks[trick]));
    });
    element.replaceChildren(
      el("fieldset", {}, el("legend", { class: "quiet" }, words.webhooksLead), ...choices),
      this.#held,
    );
  }

  show({ rules, held }) {
    const rule = rules[0];
    const trick = rule === undefined ? "none" : Object.keys(RULES).find((name) => RULES[name]?.what === rule.what);
    if (!this.#playing) for (const [name, radio] of this.#radios) radio.checked = name === trick;
    draw(this.#held, held.length, () =>
      held.length === 0
        ? []
        : [el("button", { type: "button", "data-test": "release", "data-key": "release", onclick: () => void attempt(release) }, words.release(held.length))],
    );
  }

  async #play(trick) {
    this.#playing = true;
    await attempt(async () => {
      await ask("/simulator/misbehave", { method: "DELETE" });
      const rule = RULES[trick];
      if (rule !== null) await ask("/simulator/misbehave", { method: "POST", body: { ...rule, times: null } });
    });
    this.#playing = false;
  }
}

const release = () => ask("/simulator/release", { method: "POST", body: { order: "reverse" } });
