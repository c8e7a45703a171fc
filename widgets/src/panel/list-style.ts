// How the panel's lists look: missed callers, recent calls.
import { css } from "lit";

export const listStyle = css`
  h2,
  summary {
    font-size: 15px;
    font-weight: 700;
  }
  summary {
    cursor: pointer;
  }
  li {
    padding-block: 9px;
  }
  li + li {
    border-block-start: 1px solid var(--_line);
  }
  li:last-child {
    padding-block-end: 0;
  }
  .main {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: 0 10px;
  }
  .side {
    color: var(--_quiet);
    font-size: 13px;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
`;
