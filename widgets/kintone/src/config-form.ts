// The settings screen's form: drawn from the app's fields and what is saved, read back as settings. What happens with them: config.ts.
import { PLACES, type Place } from "../../src/embed/options.js";
import { element, option } from "./elements.js";
import type { KintoneFormField } from "./kintone.js";
import { isRegion, type PhoneField, readAddress, type Settings } from "./settings.js";
import type { KintoneTerms } from "./terms/en.js";
import { addressWords } from "./trial.js";

export interface Drawn {
  readonly fields: readonly KintoneFormField[];
  readonly saved: Settings | null;
  /** Whether kintone keeps a secret already. */
  readonly secretKept: boolean;
}

export type Read = { readonly settings: Settings; readonly secret: string } | { readonly problems: readonly string[] };

/** Fields that a call button can stand at, those for telephone numbers first. Fields inside tables are none of the app's own. */
export function phoneCandidates(fields: readonly KintoneFormField[]): readonly KintoneFormField[] {
  const found = fields.filter(({ type }) => type === "SINGLE_LINE_TEXT" || type === "LINK");
  return [...found].sort((one, other) => Number(other.protocol === "CALL") - Number(one.protocol === "CALL"));
}

/** Text fields that a script may write. */
export function normalisedCandidates(fields: readonly KintoneFormField[]): readonly KintoneFormField[] {
  return fields.filter((field) => field.type === "SINGLE_LINE_TEXT" && !field.expression && field.lookup === undefined);
}

export class ConfigForm {
  readonly form = document.createElement("form");
  readonly #terms: KintoneTerms;
  readonly #drawn: Drawn;
  readonly #findings = document.createElement("ul");

  constructor(terms: KintoneTerms, drawn: Drawn) {
    this.#terms = terms;
    this.#drawn = drawn;
    this.form.noValidate = true;
    this.form.dataset["test"] = "settings";
    this.#findings.dataset["test"] = "findings";
    const heard = element("div", "");
    heard.setAttribute("role", "status");
    heard.append(this.#findings);
    this.form.append(
      this.#address(),
      this.#signIn(),
      this.#phones(),
      this.#title(),
      this.#place(),
      this.#region(),
      this.#actions(),
      heard,
    );
  }

  /** What the form says now: settings and a newly typed secret ("" when none was), or what must be mended first. */
  read(): Read {
    const terms = this.#terms;
    const values = new FormData(this.form);
    const text = (name: string): string => String(values.get(name) ?? "").trim();
    const problems: string[] = [];
    const address = readAddress(text("address"));
    if ("problem" in address) problems.push(addressWords(address.problem, terms));
    const vouch = text("sign-in") === "vouched";
    const secret = vouch ? text("secret") : "";
    if (vouch && secret === "" && !this.#drawn.secretKept) problems.push(terms.secretEmpty);
    const phones: PhoneField[] = values.getAll("phone").map((code) => ({
      code: String(code),
      normalised: text(`normalised ${String(code)}`) || null,
    }));
    for (const code of twice(phones.flatMap(({ normalised }) => normalised ?? []))) {
      problems.push(terms.normalisedTwice(this.#label(code)));
    }
    const chosen = new Set(phones.map(({ code }) => code));
    for (const { normalised } of phones) {
      if (normalised !== null && chosen.has(normalised)) problems.push(terms.normalisedIsPhone(this.#label(normalised)));
    }
    const region = text("region").toUpperCase();
    if (!isRegion(region)) problems.push(terms.regionWrong);
    if (problems.length > 0 || "problem" in address || !isRegion(region)) return { problems };
    const place = PLACES.find((one) => one === text("place")) ?? "right";
    return { settings: { bridge: address.address, phones, title: text("title") || null, place, vouch, region }, secret };
  }

  /** What the test needs, whether or not the rest of the form is right. */
  get tried(): { readonly address: string; readonly vouch: boolean; readonly secret: string } {
    const values = new FormData(this.form);
    return {
      address: String(values.get("address") ?? ""),
      vouch: values.get("sign-in") === "vouched",
      secret: String(values.get("secret") ?? "").trim(),
    };
  }

  show(findings: readonly { readonly level: string; readonly text: string }[]): void {
    this.#findings.replaceChildren(
      ...findings.map(({ level, text }) => {
        const item = element("li", text);
        item.dataset["level"] = level;
        return item;
      }),
    );
  }

  #address(): HTMLElement {
    const input = field("input", "address");
    input.type = "url";
    input.value = this.#drawn.saved?.bridge ?? "";
    input.autocomplete = "off";
    return block(this.#terms.address, input, this.#terms.addressHint);
  }

  #signIn(): HTMLElement {
    const terms = this.#terms;
    const vouch = this.#drawn.saved?.vouch ?? true;
    const secret = field("input", "secret");
    secret.type = "password";
    secret.autocomplete = "new-password";
    const hint = this.#drawn.secretKept ? `${terms.secretKept} ${terms.secretHint}` : terms.secretHint;
    const inner = block(terms.secret, secret, hint);
    inner.className = "inner";
    inner.hidden = !vouch;
    const way = (value: string, label: string, words: string, checked: boolean): HTMLElement => {
      const radio = field("input", "sign-in");
      radio.type = "radio";
      radio.value = value;
      radio.checked = checked;
      radio.id = `cti-sign-in-${value}`;
      radio.dataset["test"] = `sign-in-${value}`;
      radio.addEventListener("change", () => {
        inner.hidden = value !== "vouched";
      });
      const box = element("div", "");
      box.className = "way";
      const name = element("label", label);
      name.htmlFor = radio.id;
      box.append(radio, name, hintOf(words));
      return box;
    };
    const set = document.createElement("fieldset");
    set.append(
      element("legend", terms.signIn),
      way("vouched", terms.signInVouched, terms.signInVouchedHint, vouch),
      inner,
      way("own", terms.signInOwn, terms.signInOwnHint, !vouch),
    );
    return set;
  }

  #phones(): HTMLElement {
    const terms = this.#terms;
    const candidates = phoneCandidates(this.#drawn.fields);
    const set = document.createElement("fieldset");
    set.append(element("legend", terms.phones), hintOf(terms.phonesHint));
    if (candidates.length === 0) {
      set.append(element("p", terms.phonesNone));
      return set;
    }
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const words of [terms.phone, terms.kind, terms.normalised]) {
      const cell = element("th", words);
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    for (const candidate of candidates) this.#phoneRow(body.insertRow(), candidate);
    const wide = element("div", "");
    wide.className = "wide";
    wide.append(table);
    set.append(wide, hintOf(terms.normalisedHint));
    const known = new Set(this.#drawn.fields.map(({ code }) => code));
    const lost = (this.#drawn.saved?.phones ?? []).flatMap(({ code }) => (known.has(code) ? [] : [code]));
    if (lost.length > 0) set.append(hintOf(terms.lost(lost.join(", "))));
    return set;
  }

  #phoneRow(row: HTMLTableRowElement, candidate: KintoneFormField): void {
    const terms = this.#terms;
    const { saved } = this.#drawn;
    const known = saved?.phones.find(({ code }) => code === candidate.code);
    const check = field("input", "phone");
    check.type = "checkbox";
    check.value = candidate.code;
    check.checked = saved === null ? candidate.protocol === "CALL" : known !== undefined;
    const label = element("label", "");
    label.append(check, ` ${candidate.label} `);
    if (candidate.code !== candidate.label) label.append(element("code", candidate.code));
    const others = normalisedCandidates(this.#drawn.fields).filter(({ code }) => code !== candidate.code);
    const target = this.#fieldSelect(`normalised ${candidate.code}`, others, known?.normalised ?? null);
    target.setAttribute("aria-label", terms.normalisedFor(candidate.label));
    target.disabled = !check.checked;
    check.addEventListener("change", () => {
      target.disabled = !check.checked;
    });
    const kind = candidate.type !== "LINK" ? terms.kindText : candidate.protocol === "CALL" ? terms.kindCall : terms.kindLink;
    row.insertCell().append(label);
    row.insertCell().append(kind);
    row.insertCell().append(target);
  }

  #title(): HTMLElement {
    const named = this.#drawn.fields.filter(({ type }) => type === "SINGLE_LINE_TEXT" || type === "RECORD_NUMBER");
    const select = this.#fieldSelect("title", named, this.#drawn.saved?.title ?? null);
    return block(this.#terms.title, select, this.#terms.titleHint);
  }

  #place(): HTMLElement {
    const terms = this.#terms;
    const words: Readonly<Record<Place, string>> = {
      right: terms.placeRight,
      left: terms.placeLeft,
      "bottom-right": terms.placeBottomRight,
      "bottom-left": terms.placeBottomLeft,
    };
    const select = field("select", "place");
    select.append(...PLACES.map((place) => option(words[place], place)));
    select.value = this.#drawn.saved?.place ?? "right";
    return block(terms.place, select, terms.placeHint);
  }

  #region(): HTMLElement {
    const input = field("input", "region");
    input.value = this.#drawn.saved?.region ?? "JP";
    input.maxLength = 2;
    return block(this.#terms.region, input, this.#terms.regionHint);
  }

  #actions(): HTMLElement {
    const box = element("div", "");
    box.className = "actions";
    const make = (words: string, name: string, type: "button" | "submit"): HTMLButtonElement => {
      const button = element("button", words);
      button.type = type;
      button.dataset["test"] = name;
      return button;
    };
    const save = make(this.#terms.save, "save", "submit");
    save.dataset["main"] = "";
    box.append(make(this.#terms.test, "test", "button"), save, make(this.#terms.cancel, "cancel", "button"));
    box.append(hintOf(this.#terms.after));
    return box;
  }

  #fieldSelect(name: string, fields: readonly KintoneFormField[], chosen: string | null): HTMLSelectElement {
    const select = field("select", name);
    select.append(option(this.#terms.nothing, ""), ...fields.map(({ code, label }) => option(label, code)));
    // A field that the app has lost is not offered again.
    select.value = fields.some(({ code }) => code === chosen) ? (chosen ?? "") : "";
    return select;
  }

  #label(code: string): string {
    return this.#drawn.fields.find((one) => one.code === code)?.label ?? code;
  }
}

function twice(codes: readonly string[]): readonly string[] {
  return [...new Set(codes.filter((code, at) => codes.indexOf(code) !== at))];
}

function field<Name extends "input" | "select">(kind: Name, name: string): HTMLElementTagNameMap[Name] {
  const made = document.createElement(kind);
  made.name = name;
  made.dataset["test"] = name;
  return made;
}

function hintOf(text: string): HTMLElement {
  const hint = element("p", text);
  hint.className = "hint";
  return hint;
}

function block(label: string, control: HTMLElement & { name: string }, hint: string): HTMLElement {
  const box = element("div", "");
  box.className = "block";
  control.id = `cti-${control.name}`;
  const name = element("label", label);
  name.className = "label";
  name.htmlFor = control.id;
  const words = hintOf(hint);
  words.id = `${control.id}-hint`;
  control.setAttribute("aria-describedby", words.id);
  box.append(name, control, words);
  return box;
}
