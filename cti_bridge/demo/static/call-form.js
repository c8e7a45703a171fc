// Calling in: who, with what number shown, on which line.
import { el } from "./dom.js";
import { ask, attempt } from "./server.js";
import { language, words } from "./words.js";

const TYPED = "typed";
const WITHHELD = "withheld";

export class CallForm {
  #form;
  #caller;
  #number;
  #typed;

  constructor(form, { callers, lines }) {
    this.#form = form;
    this.#caller = el(
      "select",
      { id: "caller", "data-test": "caller", onchange: () => this.#fit() },
      el(
        "optgroup",
        { label: words.interesting },
        ...callers.map((one) => el("option", { value: one.number }, one[language])),
      ),
      el(
        "optgroup",
        { label: words.otherCallers },
        el("option", { value: WITHHELD }, words.withheld),
        el("option", { value: TYPED }, words.typed),
      ),
    );
    this.#number = el("input", { id: "number", type: "tel", autocomplete: "off", "data-test": "number", "aria-describedby": "number-hint" });
    this.#typed = el(
      "div",
      {},
      el("label", { for: "number" }, words.number),
      this.#number,
      el("small", { id: "number-hint", class: "quiet" }, words.numberHint),
    );
    form.replaceChildren(
      el("div", {}, el("label", { for: "caller" }, words.caller), this.#caller),
      this.#typed,
      el(
        "div",
        {},
        el("label", { for: "line" }, words.line),
        el(
          "select",
          { id: "line", name: "line", "data-test": "line" },
          ...lines.map((line) => el("option", { value: line.number }, `${line.name} ${line.display}`)),
        ),
      ),
      el("button", { type: "submit", class: "primary", "data-test": "call-in" }, words.call),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(() => this.#call());
    });
    this.#fit();
  }

  #fit() {
    this.#typed.hidden = this.#caller.value !== TYPED;
  }

  async #call() {
    const chosen = this.#caller.value;
    const withheld = chosen === WITHHELD;
    const from = chosen === TYPED ? inE164(this.#number.value) : withheld ? "" : chosen;
    if (from === null) {
      this.#number.focus();
      throw new Error(words.numberWrong);
    }
    await ask("/simulator/calls", { method: "POST", body: { from, to: this.#form.elements.line.value, withheld } });
  }
}

/** "０９０ー１２３４ー５６７８" is +819012345678; null for what cannot be dialled. */
export function inE164(text) {
  const plain = text.normalize("NFKC").replace(/[\s().\-‐-―−ーｰ]/g, "");
  const number = plain.replace(/^0(?=[1-9])/, "+81");
  return /^\+[1-9]\d{6,14}$/.test(number) ? number : null;
}
