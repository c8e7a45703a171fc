// Colours, type and the plain controls that all elements of the panel share. Themes set the --cti-… properties on <cti-bridge>.
import { css } from "lit";

export const theme = css`
  :host {
    --_bg: var(--cti-bg, #f3f5f7);
    --_surface: var(--cti-surface, #ffffff);
    --_line: var(--cti-line, #d3dae1);
    --_edge: var(--cti-edge, #7b8996);
    --_text: var(--cti-text, #17212b);
    --_quiet: var(--cti-quiet, #4c5a67);
    --_accent: var(--cti-accent, #0b6357);
    --_on-accent: var(--cti-on-accent, #ffffff);
    --_accent-soft: var(--cti-accent-soft, #e2f0ed);
    --_ring: var(--cti-ring, #0a7350);
    --_warn: var(--cti-warn, #7a4900);
    --_warn-soft: var(--cti-warn-soft, #fdf0d8);
    --_bad: var(--cti-bad, #a8201a);
    --_bad-soft: var(--cti-bad-soft, #fbe9e7);
    --_focus: var(--cti-focus, #0b57d0);
    --_radius: var(--cti-radius, 12px);
    --_font: var(
      --cti-font,
      system-ui, -apple-system, "Segoe UI", "Hiragino Sans", "Noto Sans CJK JP", "Noto Sans JP", "Yu Gothic UI", Meiryo,
      sans-serif
    );
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --_bg: var(--cti-bg, #11161b);
      --_surface: var(--cti-surface, #1a2128);
      --_line: var(--cti-line, #35414c);
      --_edge: var(--cti-edge, #84929f);
      --_text: var(--cti-text, #e8edf2);
      --_quiet: var(--cti-quiet, #aab6c1);
      --_accent: var(--cti-accent, #63ccb7);
      --_on-accent: var(--cti-on-accent, #06231d);
      --_accent-soft: var(--cti-accent-soft, #17352f);
      --_ring: var(--cti-ring, #56d39f);
      --_warn: var(--cti-warn, #f2ba66);
      --_warn-soft: var(--cti-warn-soft, #382b15);
      --_bad: var(--cti-bad, #ff9a91);
      --_bad-soft: var(--cti-bad-soft, #3d1f1d);
      --_focus: var(--cti-focus, #8ab4ff);
    }
  }
  :host {
    display: block;
    color: var(--_text);
    font: 400 15px/1.55 var(--_font);
    overflow-wrap: anywhere;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  h1,
  h2,
  h3,
  p {
    word-break: auto-phrase;
    text-wrap: pretty;
  }
  .heard {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .quiet {
    color: var(--_quiet);
  }
  .small {
    font-size: 13px;
  }
  .number {
    font-variant-numeric: tabular-nums;
  }
`;

export const controls = css`
  button,
  .button {
    appearance: none;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-block-size: 36px;
    padding: 5px 14px;
    border: 1px solid var(--_edge);
    border-radius: 9px;
    background: var(--_surface);
    color: var(--_text);
    font: inherit;
    font-weight: 500;
    line-height: 1.3;
    text-align: center;
    text-decoration: none;
    cursor: pointer;
  }
  button:hover:not(:disabled),
  .button:hover {
    background: color-mix(in srgb, var(--_text) 7%, var(--_surface));
  }
  button:disabled {
    cursor: not-allowed;
    opacity: 0.6;
  }
  button.primary {
    border-color: var(--_accent);
    background: var(--_accent);
    color: var(--_on-accent);
  }
  button.primary:hover:not(:disabled) {
    background: color-mix(in srgb, var(--_accent) 86%, var(--_text));
  }
  button.plain,
  .button.plain {
    border-color: transparent;
    background: transparent;
    padding-inline: 8px;
  }
  button.link,
  a {
    color: var(--_accent);
  }
  button.link {
    min-block-size: 28px;
    padding: 2px 4px;
    border: 0;
    background: none;
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  a {
    text-underline-offset: 3px;
  }
  :focus-visible {
    outline: 3px solid var(--_focus);
    outline-offset: 1px;
  }
  label,
  .label {
    display: block;
    margin-block-end: 3px;
    color: var(--_quiet);
    font-size: 13px;
    font-weight: 500;
  }
  input:not([type="range"]),
  select,
  textarea {
    inline-size: 100%;
    min-block-size: 38px;
    padding: 6px 10px;
    border: 1px solid var(--_edge);
    border-radius: 9px;
    background: var(--_surface);
    color: var(--_text);
    font: inherit;
  }
  textarea {
    display: block;
    min-block-size: 92px;
    resize: vertical;
  }
  ::placeholder {
    color: var(--_quiet);
    opacity: 1;
  }
  svg.icon {
    inline-size: 18px;
    block-size: 18px;
    flex: none;
    fill: currentColor;
  }
  .failure {
    padding: 8px 12px;
    border-radius: 9px;
    background: var(--_bad-soft);
    color: var(--_bad);
  }
  .warning {
    padding: 8px 12px;
    border-radius: 9px;
    background: var(--_warn-soft);
    color: var(--_warn);
  }
`;
