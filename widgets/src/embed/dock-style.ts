// How the dock looks. The host's page cannot reach in here.

export const dockCss = `
:host { color-scheme: light dark; }
* { box-sizing: border-box; }
.box, .launcher {
  pointer-events: auto; position: absolute;
  font: 500 14px/1.4 system-ui, -apple-system, "Segoe UI", "Hiragino Sans", "Noto Sans CJK JP", "Noto Sans JP", "Yu Gothic UI", Meiryo, sans-serif;
}
.box {
  display: flex; flex-direction: column; overflow: hidden; inline-size: min(384px, 100%);
  background: #f3f5f7; color: #17212b; border: 1px solid #c8d0d8; box-shadow: 0 8px 32px rgb(15 25 35 / .22);
  transition: transform .18s ease-out, visibility 0s;
}
.box[data-place="right"] { inset: 0 0 0 auto; border-width: 0 0 0 1px; }
.box[data-place="left"] { inset: 0 auto 0 0; border-width: 0 1px 0 0; }
.box[data-place^="bottom"] { block-size: min(680px, calc(100% - 32px)); border-radius: 14px; }
.box[data-place="bottom-right"] { inset: auto 16px 16px auto; }
.box[data-place="bottom-left"] { inset: auto auto 16px 16px; }
/* Hidden, not gone: the panel goes on ringing, and nothing in it can be reached with the keyboard. */
.box[data-open="false"] { visibility: hidden; transform: translateY(12px); transition: none; }
.box[data-ringing="true"] { outline: 3px solid #0d8a62; outline-offset: -1px; }
.bar { display: flex; align-items: center; gap: 4px; padding: 4px 6px 4px 12px; min-block-size: 40px; background: #17353a; color: #fff; }
.bar > svg { inline-size: 16px; block-size: 16px; opacity: .85; }
.title { flex: 1; padding-inline-start: 4px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
button { all: unset; box-sizing: border-box; cursor: pointer; display: grid; place-items: center; }
button[hidden], span[hidden] { display: none; }
.bar button { inline-size: 32px; block-size: 32px; border-radius: 8px; }
.bar button:hover { background: rgb(255 255 255 / .16); }
.bar button svg { inline-size: 18px; block-size: 18px; }
button:focus-visible { outline: 2px solid #fff; outline-offset: -3px; }
.notice:empty { display: none; }
.notice { padding: 10px 12px; background: #fff8e1; color: #17212b; border-block-end: 1px solid #e3d9b4; overflow: auto; max-block-size: 45%; }
.notice p { margin: 0 0 8px; }
.notice .choices { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.notice button {
  padding: 6px 12px; min-block-size: 32px; border-radius: 8px; border: 1px solid #6c7a86; background: #fff; color: #17212b;
}
.notice button[data-main] { background: #0b6357; border-color: #0b6357; color: #fff; }
.notice button:focus-visible, .notice select:focus-visible { outline: 2px solid #0b6357; outline-offset: 2px; }
.notice label { display: grid; gap: 4px; margin-block-start: 10px; font-size: 13px; }
.notice select { font: inherit; padding: 5px 8px; border: 1px solid #6c7a86; border-radius: 8px; background: #fff; color: #17212b; }
iframe { flex: 1; inline-size: 100%; min-block-size: 0; border: 0; background: transparent; }
.launcher {
  inline-size: 52px; block-size: 52px; border-radius: 50%; background: #17353a; color: #fff;
  box-shadow: 0 4px 16px rgb(15 25 35 / .3); border: 1px solid rgb(255 255 255 / .35);
}
.launcher[data-open="true"] { visibility: hidden; }
.launcher svg { inline-size: 24px; block-size: 24px; }
.launcher[data-place="right"], .launcher[data-place="bottom-right"] { inset: auto 16px 16px auto; }
.launcher[data-place="left"], .launcher[data-place="bottom-left"] { inset: auto auto 16px 16px; }
.launcher[data-ringing="true"] { background: #0b7a57; animation: ring 1.2s ease-in-out infinite; }
.badge {
  position: absolute; inset: -4px -4px auto auto; min-inline-size: 22px; padding: 0 6px; border-radius: 11px;
  background: #b3261e; color: #fff; font-size: 13px; line-height: 22px; text-align: center;
}
@keyframes ring { 50% { transform: scale(1.08); box-shadow: 0 0 0 12px rgb(13 138 98 / .18); } }
@media (max-width: 520px) {
  .bar button[data-test="dock-move"] { display: none; }
  .box[data-place] { inset: auto 0 0 0; inline-size: 100%; block-size: min(92%, 720px); border-radius: 14px 14px 0 0; }
}
@media (prefers-color-scheme: dark) {
  .box { background: #11161b; color: #e8edf2; border-color: #35414c; }
  .notice { background: #2b2717; color: #f0ead6; border-color: #4d4528; }
  .notice button, .notice select { background: #1b2229; color: #e8edf2; border-color: #8593a0; }
  .notice button[data-main] { background: #1c8f7d; border-color: #1c8f7d; color: #fff; }
}
@media (prefers-reduced-motion: reduce) { .box, .launcher { transition: none; animation: none !important; } }
@media print { .box, .launcher { display: none; } }
`;
