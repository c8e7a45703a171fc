// The part of a call's card that tells what happened before: open cases, appointments to come, history.
import { css, html, nothing, type TemplateResult } from "lit";
import type { Activity, ActivityItem, ActivityKind } from "../protocol.js";
import type { Terms } from "../terms/terms.js";
import { safeLink, when } from "../wording.js";
import type { Desk } from "./desk.js";

export const activityStyle = css`
  .activity {
    display: grid;
    gap: 12px;
  }
  .activity h4 {
    margin: 0 0 4px;
    color: var(--_quiet);
    font-size: 13px;
    font-weight: 600;
  }
  .activity li {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 0 10px;
    padding-block: 5px;
    border-block-start: 1px solid var(--_line);
  }
  .activity .kind {
    min-inline-size: 48px;
    color: var(--_quiet);
    font-size: 13px;
    line-height: 22px;
  }
  .activity .open .kind {
    color: var(--_warn);
    font-weight: 600;
  }
  .activity .moment {
    white-space: nowrap;
  }
  .activity .detail {
    display: -webkit-box;
    overflow: hidden;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
  }
`;

const FEW = 3;

export function activity(known: Activity, desk: Desk): TemplateResult {
  const { terms } = desk;
  if (known.state === "waiting") return html`<p class="quiet" data-test="activity">${terms.activityWaiting}</p>`;
  if (known.state === "failed") return html`<p class="warning small" data-test="activity">${terms.activityFailed}</p>`;
  if (known.open.length + known.upcoming.length + known.history.length === 0) {
    return html`<p class="quiet" data-test="activity">${terms.activityNone}</p>`;
  }
  return html`<div class="activity" data-test="activity">
    ${list("open", terms.open, known.open, desk)} ${list("upcoming", terms.upcoming, known.upcoming, desk)}
    ${list("history", terms.history, known.history, desk)}
  </div>`;
}

function list(
  name: string,
  title: string,
  items: readonly ActivityItem[],
  desk: Desk,
): TemplateResult | typeof nothing {
  if (items.length === 0) return nothing;
  return html`<section class=${name} data-test="activity-${name}">
    <h4>${title}</h4>
    <ul>
      ${items.slice(0, FEW).map((one) => item(one, desk))}
    </ul>
    ${
      items.length <= FEW
        ? nothing
        : html`<details>
          <summary>${desk.terms.more} (${items.length - FEW})</summary>
          <ul>
            ${items.slice(FEW).map((one) => item(one, desk))}
          </ul>
        </details>`
    }
  </section>`;
}

function item({ kind, title, detail, at, url }: ActivityItem, { terms, now, language }: Desk): TemplateResult {
  const link = safeLink(url);
  return html`<li>
    <span class="kind">${kindWord(kind, terms)}</span>
    <div>
      ${link === null ? html`<span>${title}</span>` : html`<a href=${link} target="_blank" rel="noopener">${title}</a>`}
      ${at === null ? nothing : html`<span class="small quiet moment"> ${when(at, now, language)}</span>`}
      ${detail === "" ? nothing : html`<p class="small quiet detail">${detail}</p>`}
    </div>
  </li>`;
}

function kindWord(kind: ActivityKind, terms: Terms): string {
  const words: Record<ActivityKind, string> = {
    call: terms.kindCall,
    note: terms.kindNote,
    email: terms.kindEmail,
    visit: terms.kindVisit,
    case: terms.kindCase,
    deal: terms.kindDeal,
    order: terms.kindOrder,
    appointment: terms.kindAppointment,
  };
  return words[kind] ?? kind;
}
