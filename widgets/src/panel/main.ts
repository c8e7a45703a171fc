// The panel's page: makes the desk, and carries words between it and the CRM's page that holds it. A page made for one CRM builds on it.
import { browserPorts } from "../live/ports.js";
import { type HostMessage, VOUCH_PROBLEMS } from "../messages.js";
import { notificationOf } from "../ring/announce.js";
import { languageFrom } from "../terms/language.js";
import "./cti-bridge-define.js";
import { newsOf } from "./call-news.js";
import { Desk } from "./desk.js";
import { allowedOrigins, Host } from "./host.js";

const page = new URL(location.href);
const language = languageFrom(page.searchParams.get("language"), ...navigator.languages);
export const origins = allowedOrigins(
  document.querySelector<HTMLMetaElement>('meta[name="cti-embed-origins"]')?.content ?? null,
);
export const panel = document.querySelector("cti-bridge");

export const desk = new Desk(browserPorts(), { base: new URL("..", page).href, language, hidden: () => document.hidden });
const host = new Host(window, origins, hear);
desk.embedded = host.embedded;
desk.vouching.askHost = () => host.tell({ type: "ask-ticket" });
desk.vouching.tellHost = (out) => host.tell({ type: "signed-out", out });
let told = "";

function hear(message: HostMessage): void {
  switch (message.type) {
    case "hello":
      desk.notifications = message.notifications;
      if (!desk.signedIn && panel !== null) void desk.setLanguage(message.language);
      told = "";
      for (const call of desk.live?.calls ?? []) host.tell({ type: "call", call: newsOf(call) });
      tellState();
      desk.vouching.offer(message.vouches === true, message.signedOut === true);
      return;
    case "ticket":
      void desk.vouching.answer(
        typeof message.ticket === "string" ? message.ticket : null,
        VOUCH_PROBLEMS.find((problem) => problem === message.problem) ?? null,
      );
      return;
    case "touched":
      if (desk.ringer.tone.tested && !desk.ringer.tone.unlocked) void desk.ringer.tone.unlock();
      return;
    case "record":
      desk.screenRecord =
        typeof message.record === "string" ? { id: message.record, title: message.title || message.record } : null;
      return;
    case "dial":
      void desk.dial({
        number: message.number,
        ...(typeof message.record === "string" ? { record_id: message.record } : {}),
      });
      return;
    case "notifications":
      desk.notifications = message.state;
      panel?.requestUpdate();
      return;
    case "open":
      if (message.open) desk.wake();
  }
}

/** Title of this page, marks on the dock. Only when something about them changed. */
function tellState(): void {
  document.documentElement.lang = desk.language;
  document.title = panel?.ringingTitle ?? desk.terms.product;
  const ringing = desk.cards.filter((call) => call.phase === "ringing" && call.direction === "inbound").length;
  const state = { type: "state", language: desk.language, ringing, missed: desk.live?.missed.length ?? 0 } as const;
  const words = JSON.stringify(state);
  if (words === told) return;
  told = words;
  host.tell(state);
}

desk.listen({
  onChange: tellState,
  onCall: (call) => host.tell({ type: "call", call: newsOf(call) }),
  onRing: () => host.tell({ type: "open", open: true }),
  onNotify: (call) => host.tell({ type: "notify", tag: call.id, ...notificationOf(call, desk.terms) }),
});

if (panel !== null) {
  panel.addEventListener("cti-collapse", () => host.tell({ type: "open", open: false }));
  panel.addEventListener("cti-ask-notifications", () => host.tell({ type: "ask-notifications" }));
  panel.desk = desk;
}
desk.start();
