// Draws one state of the panel from the example frames: ?frames=snapshot-idle,call-ringing-stage-3&language=ja. Without frames: a list of all.
import "../src/panel/page.css";
import { Desk } from "../src/panel/desk.js";
import type { Call, ServerFrame, SnapshotFrame } from "../src/protocol.js";
import "../src/panel/cti-bridge-define.js";
import { languageFrom } from "../src/terms/language.js";
import { AGENT, FakeBridge, settle } from "../tests/fake-bridge.js";
import { call, FRAMES, frame } from "../tests/fixtures.js";

const asked = new URL(location.href).searchParams;
const names = asked.get("frames")?.split(",") ?? [];
const language = languageFrom(asked.get("language"));

if (names.length === 0) list();
else await show();

function list(): void {
  for (const name of Object.keys(FRAMES)) {
    const link = document.createElement("a");
    const frames = name.startsWith("snapshot") ? name : `snapshot-empty,${name}`;
    link.href = `?frames=${frames}&language=${language}`;
    link.textContent = name;
    document.body.append(link, document.createElement("br"));
  }
}

/** The frames are written for a Japanese agent; in English only the agent's language and the results differ. */
function translated(told: ServerFrame): ServerFrame {
  if (told.type !== "snapshot" || language === "ja") return told;
  const english = frame("snapshot-away-en") as SnapshotFrame;
  return {
    ...told,
    agent: { ...told.agent, language: "en", name: english.agent.name },
    dispositions: english.dispositions,
  };
}

async function show(): Promise<void> {
  const bridge = new FakeBridge();
  const frames = names.filter((name) => name !== "signed-out" && name !== "connecting" && name !== "lost").map(frame);
  const last = frames.filter((one) => "sent_at" in one).at(-1) as { sent_at: string } | undefined;
  const started = Date.now();
  const origin = Date.parse(last?.sent_at ?? "2026-11-21T09:30:00Z");
  bridge.now = () => origin + Date.now() - started;
  const done: Call[] = ["call-completed-delivered", "call-missed", "call-ringing-many", "call-completed-parked"].map(
    (name, at) => ({
      ...call(name),
      id: `CA${at}`,
      outcome: name === "call-ringing-many" ? "missed" : call(name).outcome,
    }),
  );
  bridge.answer("GET calls", () => ({ status: 200, body: { calls: names.includes("snapshot-idle") ? done : [] } }));
  bridge.answer("POST session", () => ({
    status: 401,
    body: {
      code: "wrong_password",
      title: language === "ja" ? "メールアドレスかパスワードが違います。" : "E-mail address or password is wrong.",
    },
  }));
  bridge.answer("GET contacts", () => ({
    status: 200,
    body: { contacts: call("call-ringing-many").matches.map((one) => one.contact) },
  }));
  if (!names.includes("signed-out")) {
    const grantedAt = bridge.now();
    const session = { token: "dev", grantedAt, expiresAt: grantedAt + 3_600_000 };
    bridge.storage.setItem("cti-bridge.session", JSON.stringify(session));
  }
  const desk = new Desk(bridge.ports(), { base: "http://bridge.test/", language, hidden: () => false });
  desk.notifications = "default";
  const panel = document.createElement("cti-bridge");
  panel.desk = desk;
  document.body.append(panel);
  desk.start();
  await settle();
  for (const one of frames) bridge.socket.tell(translated(one));
  if (names.includes("lost")) bridge.socket.drop(1006);
  Object.assign(globalThis, { desk, bridge, agent: AGENT });
}
