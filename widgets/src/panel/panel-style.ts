// How the panel as a whole looks: one column in a dock or on a phone, two where there is room.
import { css } from "lit";

export const panelStyle = css`
  :host {
    min-block-size: 100%;
    background: var(--_bg);
    color-scheme: light dark;
    container-type: inline-size;
  }
  .panel {
    display: flow-root;
    min-block-size: 100dvh;
    background: var(--_bg);
  }
  header {
    position: sticky;
    inset-block-start: 0;
    z-index: 2;
  }
  main {
    display: grid;
    gap: 12px;
    padding: 12px;
  }
  .banners,
  .calls,
  .lists {
    display: grid;
    gap: 12px;
    align-content: start;
    min-inline-size: 0;
  }
  .banners:not(:has(*)) {
    display: none;
  }
  .box {
    padding: 14px 16px;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }
  .enrol {
    display: grid;
    gap: 14px;
    max-inline-size: 400px;
    margin: 4vh auto 0;
  }
  .enrol > button {
    justify-self: start;
  }
  .idle {
    display: flex;
    align-items: center;
    gap: 14px;
    padding: 18px 16px;
    border: 1px dashed var(--_edge);
    border-radius: var(--_radius);
  }
  .idle svg.icon {
    inline-size: 30px;
    block-size: 30px;
    color: var(--_accent);
  }
  h2 {
    font-size: 17px;
    line-height: 1.4;
  }
  .banner {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 6px 10px;
    padding: 8px 12px;
    border-radius: 9px;
    background: var(--_surface);
    font-size: 14px;
  }
  .banner span {
    flex: 1 1 150px;
  }
  .banner.warn {
    background: var(--_warn-soft);
    color: var(--_warn);
  }
  .banner.bad {
    background: var(--_bad-soft);
    color: var(--_bad);
  }
  .toasts {
    position: fixed;
    inset: auto 12px 12px;
    z-index: 4;
    display: grid;
    gap: 8px;
    justify-items: center;
    pointer-events: none;
  }
  .toast {
    display: flex;
    align-items: center;
    gap: 8px;
    max-inline-size: 440px;
    padding: 6px 6px 6px 16px;
    border-radius: 10px;
    background: var(--_text);
    color: var(--_bg);
    box-shadow: 0 6px 24px rgb(15 25 35 / 0.3);
    pointer-events: auto;
  }
  .toast.failure {
    border-inline-start: 6px solid var(--_bad);
  }
  .toast button.plain {
    color: inherit;
  }
  .toast button.plain:hover {
    background: rgb(128 128 128 / 0.35);
  }
  @container (min-width: 760px) {
    main {
      grid-template-columns: minmax(0, 1fr) minmax(280px, 340px);
      max-inline-size: 1080px;
      margin-inline: auto;
      padding: 16px;
      gap: 16px;
    }
    .banners,
    cti-sign-in {
      grid-column: 1 / -1;
    }
  }
`;
