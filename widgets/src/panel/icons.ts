// The few drawings of the panel, all decoration: the words stand beside them.
import { html, svg, type TemplateResult } from "lit";

const PATHS = {
  phone:
    "M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.6 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.6 3.6a1 1 0 0 1-.25 1z",
  menu: "M4 6h16v2H4zm0 5h16v2H4zm0 5h16v2H4z",
  close: "M18.3 7.1 13.4 12l4.9 4.9-1.4 1.4L12 13.4l-4.9 4.9-1.4-1.4 4.9-4.9-4.9-4.9 1.4-1.4 4.9 4.9 4.9-4.9z",
  check: "M9.6 16.2 5.4 12 4 13.4l5.6 5.6L21 7.6 19.6 6.2z",
  out: "M14 4h6v6h-2V7.4l-8.3 8.3-1.4-1.4L16.6 6H14zM5 6h6v2H6v10h10v-5h2v7H4V7a1 1 0 0 1 1-1z",
  sound: "M4 9v6h4l5 4V5L8 9zm11.5-.6v7.2a4 4 0 0 0 0-7.2z",
  silent:
    "M4 9v6h4l5 4V5L8 9zm16.7.7-1.4-1.4-2.3 2.3-2.3-2.3-1.4 1.4 2.3 2.3-2.3 2.3 1.4 1.4 2.3-2.3 2.3 2.3 1.4-1.4-2.3-2.3z",
  incoming: "M19 6.4 17.6 5 8 14.6V9H6v9h9v-2H9.4z",
  outgoing: "M5 17.6 6.4 19 16 9.4V15h2V6H9v2h5.6z",
  link: "M8 7h3v2H8a3 3 0 0 0 0 6h3v2H8A5 5 0 0 1 8 7zm5 0h3a5 5 0 0 1 0 10h-3v-2h3a3 3 0 0 0 0-6h-3zM8.5 11h7v2h-7z",
  warning: "M12 3 1.8 20.5h20.4zM11 10h2v5h-2zm0 6.2h2v2h-2z",
} as const;

export type Icon = keyof typeof PATHS;

export function icon(name: Icon): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${svg`<path d=${PATHS[name]}></path>`}</svg>`;
}
