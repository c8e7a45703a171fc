// The calls of the simulated network: each with its telephones, what can be done with them, what was heard and sent.
import { draw, el } from "./dom.js";
import { ask, attempt } from "./server.js";
import { words } from "./words.js";

/** The buttons of a telephone, in this order; the simulator says which fit (`can`). */
const ACTIONS = ["answer", "hangup", "busy", "no-answer", "unreachable"];
const MOST_ENDED = 8;

export function drawCalls(element, { calls, problems }, cast) {
  const over = (call) => call.ended && call.legs.every((leg) => leg.ended);
  const live = calls.filter((call) => !over(call));
  const ended = calls.filter(over).slice(0, MOST_ENDED);
  draw(element, { live, ended, problems: problems.length }, () => [
    live.length === 0 ? el("p", { class: "quiet", "data-test": "no-calls" }, words.noCalls) : "",
    ...live.map((call) => drawCall(call, cast)),
    ended.length === 0
      ? ""
      : el(
          "details",
          { "data-key": "ended", "data-test": "ended" },
          el("summary", {}, words.ended(ended.length)),
          ...ended.map((call) => drawCall(call, cast)),
        ),
    problems.length === 0
      ? ""
      : el(
          "details",
          { "data-key": "problems", class: "problems" },
          el("summary", {}, `${words.problems} (${problems.length})`),
          el("ul", {}, ...problems.slice(-5).map((problem) => el("li", {}, `${problem.code} ${problem.message}`))),
        ),
  ]);
}

function drawCall(call, cast) {
  const inbound = call.direction === "inbound";
  const agent = cast.agent(call.to);
  const title = inbound ? cast.party(call.from) : words.clickToDial(agent ?? call.to);
  const place = inbound ? words.to(cast.line(call.to)) : "";
  return el(
    "article",
    { class: call.ended ? "call over" : "call", "data-test": "call", "data-call": call.sid, "data-from": call.from },
    el("h4", {}, title, " ", el("small", {}, place)),
    el("ul", { class: "legs" }, ...[call, ...call.legs].map((leg) => drawLeg(leg, call, cast))),
    heard([call, ...call.legs]),
    sent(call),
  );
}

function drawLeg(leg, call, cast) {
  const agent = leg.direction === "inbound" ? null : cast.agent(leg.to);
  const who = agent !== null ? words.phoneOf(agent) : leg.direction === "inbound" ? words.customerPhone : cast.party(leg.to);
  const waits = leg.direction === "inbound" && leg.status === "ringing";
  const can = ACTIONS.filter((action) => leg.can.includes(action));
  // Declining and hanging up are the same while it rings; "busy" is what a decline looks like from outside.
  const offered = leg.can.includes("answer") ? can.filter((action) => action !== "hangup") : can;
  return el(
    "li",
    { "data-test": "leg", "data-who": leg.who, "data-status": leg.status },
    el(
      "p",
      { class: "first" },
      el("strong", {}, who),
      el("span", { class: `badge ${leg.status}` }, waits ? words.waiting : words.status[leg.status]),
    ),
    offered.length === 0
      ? null
      : el("p", { class: "actions" }, ...offered.map((action) => button(leg, action, who))),
  );
}

function button(leg, action, who) {
  const act = () => attempt(() => ask(`/simulator/legs/${leg.sid}/${action}`, { method: "POST" }));
  return el(
    "button",
    {
      type: "button",
      class: action === "answer" ? "primary" : action === "hangup" ? "end" : null,
      "aria-label": words[`${action}As`](who),
      "data-test": `leg-${action}`,
      "data-key": `${leg.sid} ${action}`,
      onclick: () => void act(),
    },
    words[action],
  );
}

function heard(legs) {
  const said = legs.flatMap((leg) => leg.heard.filter((one) => one.what === "say" || one.what === "error"));
  if (said.length === 0) return null;
  return el(
    "div",
    { class: "heard", "data-test": "heard" },
    el("p", { class: "quiet" }, words.heard),
    ...said.map((one) => el("p", { lang: one.language || null }, one.what === "error" ? words.heardError : "", one.text)),
  );
}

function sent({ sid, webhooks }) {
  if (webhooks.length === 0) return null;
  return el(
    "details",
    { "data-key": `webhooks ${sid}`, "data-test": "webhooks" },
    el("summary", {}, words.sent(webhooks.length)),
    el("ol", { class: "webhooks" }, ...webhooks.map(drawWebhook)),
  );
}

function drawWebhook({ kind, params, status, error, misbehaviour }) {
  const state = params.DialCallStatus ?? params.RecordingStatus ?? params.CallStatus ?? "";
  return el(
    "li",
    { "data-test": "webhook", "data-kind": kind },
    el("span", {}, words.webhookKind[kind] ?? kind),
    el("span", { class: "quiet" }, words.status[state] ?? state),
    misbehaviour === "" ? "" : el("span", { class: "tag" }, misbehaviour.replaceAll("_", " ")),
    el("code", { class: status !== null && status < 300 ? "good" : "bad", title: error || null }, status === null ? words.noAnswer : String(status)),
  );
}
