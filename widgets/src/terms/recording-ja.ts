// The Japanese words of the page that plays a recording.
import type { RecordingTerms } from "./recording-en.js";

export const recordingJa: RecordingTerms = {
  title: "通話録音",
  signInLead: "サインインすると録音を聞けます。",
  fetching: "録音を読み込んでいます…",

  inbound: "着信",
  outbound: "発信",
  party: "相手",
  when: "日時",
  line: "回線",
  agent: "担当",
  talked: "通話時間",

  badLink: "リンクが途中で切れています",
  badLinkMend: "CRMの通話履歴から、録音をもう一度開いてください。",
  notFound: "この録音は見つかりません",
  notAllowed: "この録音は再生できません",
  notReady: "録音はまだ準備中です",
  deleted: "この録音はもうありません",
  busy: "録音の再生が混み合っています",
  failed: "いま録音を再生できません",
  unplayable: "このブラウザーでは再生できません",
  unplayableMend: "もう一度試すか、別のブラウザーでリンクを開いてください。",
  tryAgain: "もう一度試す",

  player: "プレーヤー",
  play: "再生",
  pause: "一時停止",
  back: "10秒戻る",
  forward: "10秒進む",
  position: "再生位置",
  positionOf: (now, all) => `${all}のうち${now}`,
  speed: "再生速度",
  speedOf: (factor) => `${factor}倍`,
  keys: "スペースキーで再生・一時停止、← → で5秒ずつ移動します。",
};
