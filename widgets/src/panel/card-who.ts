// The part of a call's card that says who it is and why we think so: lookup, matches, the choice and its undoing.
import { css, html, nothing, type TemplateResult } from "lit";
import type { Call, Choice, Contact, Match, Reason } from "../protocol.js";
import type { Terms } from "../terms/terms.js";
import { age, safeLink } from "../wording.js";
import { createThere, searchThere } from "./card-screen.js";
import type { Desk } from "./desk.js";
import { icon } from "./icons.js";

export const whoStyle = css`
  .person {
    display: grid;
    gap: 2px;
  }
  .reading {
    color: var(--_quiet);
    font-size: 13px;
    line-height: 1.2;
  }
  .name {
    font-size: 25px;
    font-weight: 700;
    line-height: 1.25;
  }
  .why {
    display: flex;
    align-items: flex-start;
    gap: 5px;
    margin-block-start: 4px;
    color: var(--_quiet);
    font-size: 13px;
  }
  .why svg.icon {
    inline-size: 16px;
    block-size: 16px;
    margin-block-start: 2px;
    color: var(--_ring);
  }
  .tag {
    display: inline-block;
    padding: 0 8px;
    border: 1px solid var(--_line);
    border-radius: 999px;
    background: var(--_bg);
    color: var(--_text);
    font-size: 12.5px;
  }
  .tag.learned {
    border-color: var(--_accent);
    background: var(--_accent-soft);
  }
  .tags {
    display: flex;
    flex-wrap: wrap;
    gap: 4px;
    margin-block-start: 3px;
  }
  .links {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 12px;
    align-items: center;
    margin-block-start: 6px;
  }
  .links button.link {
    padding-inline: 0;
  }
  .links a {
    display: inline-flex;
    align-items: center;
    gap: 4px;
    min-block-size: 28px;
  }
  .matches {
    display: grid;
    gap: 6px;
    margin-block: 8px;
  }
  .matches button {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 2px 10px;
    inline-size: 100%;
    padding: 8px 12px;
    text-align: start;
    font-weight: 400;
  }
  .matches .key {
    grid-row: span 3;
    align-self: start;
    min-inline-size: 24px;
    margin-block-start: 2px;
    border: 1px solid var(--_edge);
    border-radius: 6px;
    color: var(--_quiet);
    font-size: 13px;
    line-height: 22px;
    text-align: center;
  }
  .matches .option {
    font-size: 17px;
    font-weight: 600;
  }
  .waiting {
    color: var(--_quiet);
  }
`;

export function who(call: Call, desk: Desk): TemplateResult {
  return html`<div class="who" part="who">
    ${lookupState(call, desk)} ${call.choice === null ? unchosen(call, desk) : chosen(call, call.choice, desk)}
  </div>`;
}

function lookupState({ lookup }: Call, { terms, now, language }: Desk): TemplateResult | typeof nothing {
  if (lookup.state === "waiting") return html`<p class="waiting" data-test="lookup">${terms.lookingUp}</p>`;
  const words: string[] = [];
  if (lookup.state === "failed") words.push(terms.lookupFailed);
  if (lookup.stale && lookup.fetched_at !== null) words.push(terms.lookupStale(age(lookup.fetched_at, now, language)));
  if (words.length === 0) return nothing;
  if (lookup.message !== null) words.push(lookup.message);
  return html`<p class="warning small" data-test="lookup">${words.join(" ")}</p>`;
}

function unchosen(call: Call, desk: Desk): TemplateResult | typeof nothing {
  const { terms } = desk;
  if (call.lookup.state === "waiting") return nothing;
  const form = html`<cti-unknown-caller .desk=${desk} .call=${call}></cti-unknown-caller>`;
  if (call.lookup.state === "skipped") return form;
  if (call.matches.length === 0) {
    // A failed lookup knows nothing about the number: only an answer can say that nobody has it.
    const told =
      call.lookup.state === "done" ? html`<h3 class="unknown" data-test="unknown">${terms.unknownTitle}</h3>` : nothing;
    return html`${told}${form}${createThere(call, desk)}`;
  }
  return html`<h3 data-test="many">${terms.manyTitle(call.matches.length)}</h3>
    ${options(call, call.matches, desk)}${searchThere(call, desk)}
    <details>
      <summary>${terms.noneOfThese}</summary>
      ${form}${createThere(call, desk)}
    </details>`;
}

function options(call: Call, matches: readonly Match[], desk: Desk): TemplateResult {
  const { terms } = desk;
  return html`<ol class="matches">
    ${matches.map((match, at) => {
      const { contact } = match;
      return html`<li>
        <button type="button" data-test="pick" data-contact=${contact.id} aria-describedby="why-${at}" aria-keyshortcuts=${at < 9 ? String(at + 1) : nothing} @click=${() => void desk.choose(call.id, contact.id)}>
          <span class="key" aria-hidden="true">${at < 9 ? at + 1 : "·"}</span>
          <span>
            <span class="heard">${terms.pick(contact.name)}</span>
            <span aria-hidden="true"><span class="option">${contact.name}</span> <span class="reading">${contact.reading}</span></span>
          </span>
          <span class="small">${place(contact)}</span>
          <span id="why-${at}" class="small quiet">
            ${terms.matchedBy(match.field, match.as_typed)}
            <span class="tags">${tags(match.reasons, terms)}</span>
          </span>
        </button>
      </li>`;
    })}
  </ol>`;
}

function chosen(call: Call, choice: Choice, desk: Desk): TemplateResult {
  const { terms } = desk;
  const { contact } = choice;
  const match = call.matches.find((one) => one.contact.id === contact.id);
  const others = call.matches.filter((one) => one.contact.id !== contact.id);
  const link = safeLink(contact.url);
  return html`<div class="person" data-test="contact" data-contact=${contact.id} data-how=${choice.how}>
      <span class="reading">${contact.reading}</span>
      <h3 class="name" part="name">${contact.name}</h3>
      <p>${place(contact)}</p>
      <p class="why" data-test="why">${icon("check")}<span>${why(choice, match, desk)}</span></p>
      ${match === undefined ? nothing : html`<p class="tags">${tags(match.reasons, terms)}</p>`}
      <p class="links">
        ${
          link === null
            ? nothing
            : html`<a href=${link} target="_blank" rel="noopener" data-test="open-record" aria-label=${terms.openRecordOf(contact.name)}>${terms.openRecord}${icon("out")}</a>`
        }
        ${
          call.phase === "completed"
            ? nothing
            : html`<button type="button" class="link" data-test="undo-choice" aria-label=${terms.undoChoiceOf(contact.name)} @click=${() => void desk.undoChoice(call.id)}>
              ${terms.undoChoice}
            </button>`
        }
      </p>
    </div>
    ${
      others.length === 0 || call.phase === "completed"
        ? nothing
        : html`<details>
          <summary>${terms.others} (${others.length})</summary>
          ${options(call, others, desk)}
        </details>`
    }`;
}

function why(choice: Choice, match: Match | undefined, desk: Desk): TemplateResult {
  const { terms, now, language } = desk;
  const field = match === undefined ? "" : terms.matchedBy(match.field, match.as_typed);
  const moment = choice.at === null ? "" : age(choice.at, now, language);
  if (choice.how === "only_match") return html`${sentences(field, terms.onlyMatch)}`;
  if (choice.how === "learned") {
    const told = choice.by === null ? terms.learnedWhen(moment) : terms.learnedBy(choice.by, moment);
    return html`<span class="tag learned" data-test="learned">${terms.learned}</span> ${sentences(told, field)}`;
  }
  const told = choice.by === null || moment === "" ? terms.picked : terms.pickedBy(choice.by, moment);
  return html`${sentences(told, field)}`;
}

function tags(reasons: readonly Reason[], terms: Terms): TemplateResult[] {
  const words: Record<Reason, string> = {
    same_number: terms.sameNumber,
    chosen_before: terms.chosenBefore,
    called_recently: terms.calledRecently,
    open_case: terms.openCase,
    latest_contact: terms.latestContact,
  };
  // That the number is the same is said by field and text already.
  return reasons
    .filter((reason) => reason !== "same_number")
    .map((reason) => html`<span class="tag" data-reason=${reason}>${words[reason] ?? reason}</span>`);
}

const sentences = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join(" · ");
const place = ({ company, title }: Contact): string => sentences(company, title);
