// How a call's card looks in each phase.
import { css } from "lit";

export const cardStyle = css`
  .card {
    --_tone: var(--_accent);
    overflow: clip;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
    box-shadow: 0 1px 3px rgb(15 25 35 / 0.07);
  }
  .card[data-phase="ringing"] {
    --_tone: var(--_ring);
    border-color: var(--_ring);
    animation: arrive 0.25s ease-out;
  }
  .card[data-phase="wrapping_up"] {
    --_tone: var(--_warn);
  }
  .card[data-phase="completed"] {
    --_tone: var(--_quiet);
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 2px 12px;
    padding: 8px 16px;
    border-block-end: 1px solid var(--_line);
    color: var(--_tone);
  }
  .card[data-phase="ringing"] .head {
    border: 0;
    background: var(--_ring);
    color: var(--_surface);
  }
  .phase {
    display: flex;
    align-items: center;
    gap: 6px;
    font-size: 15px;
    font-weight: 700;
  }
  .card[data-phase="ringing"] .phase svg {
    animation: ring 1.2s ease-in-out infinite;
  }
  .line {
    margin-inline-start: auto;
    font-weight: 600;
  }
  .body {
    display: grid;
    gap: 14px;
    padding: 14px 16px 16px;
  }
  .caller {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 10px;
  }
  .display {
    font-size: 22px;
    font-weight: 600;
    line-height: 1.25;
    letter-spacing: 0.01em;
  }
  .greeting {
    padding: 9px 14px 11px;
    border-radius: 9px;
    background: var(--_accent-soft);
  }
  .greeting p {
    font-size: 20px;
    font-weight: 600;
    line-height: 1.5;
    white-space: pre-line;
  }
  .greeting .label {
    margin: 0;
  }
  .hint {
    color: var(--_quiet);
  }
  .unknown {
    margin-block-end: 8px;
    font-size: 17px;
  }
  h3 {
    font-size: 16px;
    line-height: 1.4;
  }
  .who > .warning {
    margin-block-end: 10px;
  }
  .last {
    padding-inline-start: 12px;
    border-inline-start: 3px solid var(--_line);
  }
  .clamp {
    display: -webkit-box;
    overflow: hidden;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
    white-space: pre-line;
  }
  details {
    margin-block-start: 8px;
  }
  summary {
    min-block-size: 28px;
    inline-size: fit-content;
    color: var(--_accent);
    font-size: 14px;
    cursor: pointer;
  }
  .log {
    padding: 7px 12px;
    border-radius: 9px;
    background: var(--_bg);
    font-size: 14px;
  }
  .log p:first-child {
    display: flex;
    align-items: flex-start;
    gap: 4px 8px;
  }
  .log p:first-child span {
    flex: 1;
  }
  .log svg.icon {
    margin-block-start: 2px;
  }
  .log a {
    white-space: nowrap;
  }
  .log.delivered {
    background: var(--_accent-soft);
  }
  .log.retrying {
    background: var(--_warn-soft);
    color: var(--_warn);
  }
  .log.parked {
    background: var(--_bad-soft);
    color: var(--_bad);
  }
  .done {
    display: flex;
    align-items: center;
    justify-content: space-between;
    margin-block: -6px;
    font-size: 17px;
  }
  @keyframes arrive {
    from {
      opacity: 0;
      transform: translateY(-8px);
    }
  }
  @keyframes ring {
    20%,
    60% {
      transform: rotate(-14deg);
    }
    40%,
    80% {
      transform: rotate(14deg);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .card,
    .card * {
      animation: none !important;
    }
  }
`;
