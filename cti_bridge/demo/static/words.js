// Every word of the page in both languages. The keys are equal by test.

const ja = {
  title: "ミナトエア CRM・CTI Bridge デモ",
  firm: "ミナトエア CRM",
  demo: "CTI Bridge のデモ",
  jump: "ページ内",
  languages: "言語",
  crm: "CRM",
  world: "外の世界",
  worldLead: "お客様と電話網の役です。ここで電話をかけると、電話パネルに着信します。",
  serverGone: "デモのサーバーにつながりません。端末で動いているか確認してください。",

  views: "表示",
  customers: "顧客",
  customerList: "顧客一覧",
  search: "顧客を検索",
  searchHint: "氏名・フリガナ・会社名・顧客番号",
  nobody: "該当する顧客はいません",
  noRecord: "この記録は見つかりません。",
  customerNumber: "顧客番号",
  email: "メール",
  memo: "備考",
  people: "担当者",
  open: "対応中",
  upcoming: "予定",
  history: "対応履歴",
  noHistory: "履歴はまだありません",
  logs: "通話履歴",
  logsTitle: "通話履歴",
  logsLead: "CTI Bridge が書き込んだ記録です。新しい順に並びます。",
  noLogs: "まだありません。電話が終わり、後処理が済むとここに現れます。",
  noCustomer: "顧客なし",
  talked: (time) => `通話 ${time}`,
  kinds: { call: "電話", note: "メモ", email: "メール", visit: "訪問", case: "案件", deal: "商談", order: "注文", appointment: "予定" },

  signIn: "サインイン情報",
  signInLead: "電話パネルに、このうちの一人としてサインインしてください。",
  password: "パスワード",
  copy: "コピー",
  copied: "コピーしました",
  copyOf: (text) => `${text} をコピー`,

  callIn: "電話をかける",
  caller: "かける人",
  interesting: "試してみたい相手",
  otherCallers: "そのほか",
  typed: "番号を入力する",
  withheld: "非通知でかける",
  withheldShort: "非通知",
  number: "電話番号",
  numberHint: "090-1234-5678 や +1 415 555 0100 など",
  numberWrong: "電話番号として読めません。090-1234-5678 や +1 415 555 0100 のように入力してください。",
  line: "かける先",
  call: "電話をかける",

  calls: "いまの通話",
  noCalls: "通話はありません",
  ended: (count) => `終わった通話（${count}件）`,
  phoneOf: (name) => `${name}さんの電話`,
  customerPhone: "お客様の電話",
  status: { queued: "準備中", initiated: "発信中", ringing: "呼び出し中", "in-progress": "通話中", completed: "終了", busy: "話し中", failed: "つながらず", "no-answer": "応答なし", canceled: "取り消し" },
  waiting: "応答待ち",
  to: (line) => `${line}へ`,
  clickToDial: (name) => `${name}さんの発信`,
  answer: "出る",
  answerAs: (who) => `${who}に出る`,
  hangup: "切る",
  hangupAs: (who) => `${who}を切る`,
  busy: "話し中",
  busyAs: (who) => `話し中：${who}`,
  "no-answer": "出ない",
  "no-answerAs": (who) => `${who}に出ない`,
  unreachable: "圏外",
  unreachableAs: (who) => `圏外：${who}`,
  heard: "聞こえた音声",
  heardError: "（エラー音声）",
  sent: (count) => `送った Webhook（${count}件）`,
  webhookKind: { incoming: "着信", outgoing: "発信", result: "結果", whisper: "ささやき", status: "状態", recording: "録音" },
  noAnswer: "応答なし",

  weather: "CRMの調子",
  delay: "応答までの時間",
  seconds: (count) => `${count}秒`,
  down: "CRMを止める",

  webhooks: "Webhookのいたずら",
  webhooksLead: "電話網からCTI Bridgeへの通知を、わざと乱します。",
  tricks: { none: "いつも通り", twice: "すべて2回届く", late: "状態の通知が4秒遅れる", hold: "状態の通知をためて逆順に届ける", lost: "着信への返事が失われ、再送される", signature: "署名がにせもの（拒否されます）" },
  release: (count) => `ためた通知を逆順に届ける（${count}件）`,
  problems: "電話網の苦情",
};

const en = {
  title: "Minato Air CRM, the CTI Bridge demo",
  firm: "Minato Air CRM",
  demo: "the CTI Bridge demo",
  jump: "On this page",
  languages: "Language",
  crm: "CRM",
  world: "The outside world",
  worldLead: "Here you play the customers and the phone network. Call in, and the phone panel rings.",
  serverGone: "The demo’s server does not answer. Is it still running in its terminal?",

  views: "View",
  customers: "Customers",
  customerList: "Customer list",
  search: "Search customers",
  searchHint: "Name, furigana, company, customer number",
  nobody: "No customer found",
  noRecord: "There is no such record.",
  customerNumber: "Number",
  email: "E-mail",
  memo: "Remarks",
  people: "People",
  open: "Open",
  upcoming: "Upcoming",
  history: "History",
  noHistory: "Nothing yet",
  logs: "Call logs",
  logsTitle: "Call logs",
  logsLead: "What CTI Bridge wrote into this CRM, newest first.",
  noLogs: "None yet. A log appears here when a call is over and its wrap-up is done.",
  noCustomer: "No customer",
  talked: (time) => `talked ${time}`,
  kinds: { call: "Call", note: "Note", email: "E-mail", visit: "Visit", case: "Case", deal: "Deal", order: "Order", appointment: "Appointment" },

  signIn: "Signing in",
  signInLead: "Sign in to the phone panel as one of these.",
  password: "Password",
  copy: "Copy",
  copied: "Copied",
  copyOf: (text) => `Copy ${text}`,

  callIn: "Call in",
  caller: "Who calls",
  interesting: "Worth trying",
  otherCallers: "Others",
  typed: "Type a number",
  withheld: "Withhold the number",
  withheldShort: "Number withheld",
  number: "Phone number",
  numberHint: "such as 090-1234-5678 or +1 415 555 0100",
  numberWrong: "This does not read like a phone number. Write it like 090-1234-5678 or +1 415 555 0100.",
  line: "Which line",
  call: "Call in",

  calls: "Calls now",
  noCalls: "No calls",
  ended: (count) => `Calls that are over (${count})`,
  phoneOf: (name) => `${name}’s phone`,
  customerPhone: "The customer’s phone",
  status: { queued: "waiting", initiated: "dialling", ringing: "ringing", "in-progress": "talking", completed: "over", busy: "busy", failed: "failed", "no-answer": "no answer", canceled: "cancelled" },
  waiting: "waiting for an answer",
  to: (line) => `to ${line}`,
  clickToDial: (name) => `${name} calls out`,
  answer: "Answer",
  answerAs: (who) => `Answer ${who}`,
  hangup: "Hang up",
  hangupAs: (who) => `Hang up ${who}`,
  busy: "Busy",
  busyAs: (who) => `Busy: ${who}`,
  "no-answer": "Ignore",
  "no-answerAs": (who) => `Ignore ${who}`,
  unreachable: "No signal",
  unreachableAs: (who) => `No signal for ${who}`,
  heard: "Heard on the phone",
  heardError: "(error message)",
  sent: (count) => `Webhooks sent (${count})`,
  webhookKind: { incoming: "incoming", outgoing: "outgoing", result: "result", whisper: "whisper", status: "status", recording: "recording" },
  noAnswer: "no answer",

  weather: "How the CRM feels",
  delay: "Takes to answer",
  seconds: (count) => `${count} s`,
  down: "CRM is down",

  webhooks: "Webhook mischief",
  webhooksLead: "Upset the phone network’s messages to CTI Bridge, on purpose.",
  tricks: { none: "As usual", twice: "Everything arrives twice", late: "Status messages come 4 seconds late", hold: "Hold status messages, deliver them backwards", lost: "The answer to a new call is lost, and it is sent again", signature: "Forged signature (will be refused)" },
  release: (count) => `Deliver the held messages backwards (${count})`,
  problems: "Complaints of the phone network",
};

export const both = { ja, en };
export const language = document.documentElement.lang === "en" ? "en" : "ja";
export const words = both[language];

const locale = { ja: "ja-JP", en: "en-GB" }[language];
const moment = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const oneDigit = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const when = (iso) => (iso === null ? "" : moment.format(new Date(iso)));
export const inSeconds = (milliseconds) => words.seconds(oneDigit.format(milliseconds / 1000));
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds) % 60).padStart(2, "0")}`;

/** Fills the page's fixed texts in. */
export function speak() {
  document.title = words.title;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words[element.dataset.label]);
  }
  document.querySelector(`.languages [lang="${language}"]`)?.setAttribute("aria-current", "true");
}
