// The part of a call's card that works with the CRM's page around the panel: relate to the record shown there, search or create there.
import { css, html, nothing, type TemplateResult } from "lit";
import type { Call } from "../protocol.js";
import { safeLink } from "../wording.js";
import type { Desk } from "./desk.js";
import { icon } from "./icons.js";

export const screenStyle = css`
  .about {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 2px 12px;
  }
  .about .label {
    margin: 0;
    flex-basis: 100%;
  }
  .about a {
    display: inline-flex;
    align-items: center;
    gap: 4px;
  }
  button.relate,
  .screen-offer button {
    word-break: auto-phrase;
    text-wrap: pretty;
  }
  button.relate {
    inline-size: 100%;
    justify-content: flex-start;
    text-align: start;
    border-style: dashed;
  }
  .screen-offer {
    margin-block-start: 8px;
  }
`;

/** What the call is about, and one click that relates it to the record which the CRM's page shows. */
export function about(call: Call, desk: Desk): TemplateResult | typeof nothing {
  const related = aboutRecord(call, desk);
  const offer = offerToRelate(call, desk);
  return related === nothing && offer === nothing ? nothing : html`<div>${related}${offer}</div>`;
}

function aboutRecord({ id, related }: Call, desk: Desk): TemplateResult | typeof nothing {
  if (related === null) return nothing;
  const { terms } = desk;
  const link = safeLink(related.url);
  return html`<p class="about" data-test="related" data-record=${related.id}>
    <span class="label">${terms.about}</span>
    ${
      link === null
        ? html`<strong>${related.title}</strong>`
        : html`<a href=${link} target="_blank" rel="noopener" data-test="open-related" aria-label=${terms.openRecordOf(related.title)}><strong>${related.title}</strong>${icon("out")}</a>`
    }
    <button type="button" class="link small" data-test="unrelate" aria-label=${terms.unrelateFrom(related.title)} @click=${() => void desk.unrelate(id)}>
      ${terms.unrelate}
    </button>
  </p>`;
}

function offerToRelate(call: Call, desk: Desk): TemplateResult | typeof nothing {
  const record = desk.screenRecord;
  if (record === null || (call.phase !== "talking" && call.phase !== "wrapping_up")) return nothing;
  if (record.id === call.choice?.contact.id || record.id === call.related?.id) return nothing;
  return html`<button type="button" class="relate" data-test="relate" data-record=${record.id} @click=${() => void desk.relate(call.id, record.id)}>
    ${icon("link")}<span>${desk.terms.relateTo(record.title === "" ? record.id : record.title)}</span>
  </button>`;
}

/** For a caller whom several records share. */
export function searchThere(call: Call, { offers, terms }: Desk): TemplateResult | typeof nothing {
  const search = offers?.search ?? null;
  if (offers === null || search === null || call.caller.kind !== "number") return nothing;
  return html`<p class="screen-offer">
    <button type="button" data-test="screen-search" @click=${() => search(call)}>${terms.searchIn(offers.name)}</button>
  </p>`;
}

/** For a caller whom nobody knows. Never while it rings: the CRM's form would cover the page before the call is taken. */
export function createThere(call: Call, { offers, terms }: Desk): TemplateResult | typeof nothing {
  const create = offers?.create ?? null;
  if (offers === null || create === null || call.caller.kind !== "number") return nothing;
  if (call.phase !== "talking" && call.phase !== "wrapping_up") return nothing;
  return html`<p class="screen-offer">
    <button type="button" data-test="screen-create" @click=${() => create(call)}>${terms.createIn(offers.name)}</button>
  </p>`;
}
