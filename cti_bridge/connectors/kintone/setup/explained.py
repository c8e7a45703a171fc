"""What every key of the mapping means, for the comments of a first mapping and the tables of docs/kintone."""

from __future__ import annotations

from dataclasses import dataclass

from cti_bridge.model import Language


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages."""

    ja: str
    en: str

    def say(self, language: Language) -> str:
        return self.ja if language == "ja" else self.en


APP = {
    "app": Words("アプリの番号。アドレス https://…/k/12/ の 12", "the app's number: the 12 of https://…/k/12/"),
    "token": Words(
        "APIトークン。$で始めると、その名前の設定から読みます。複数なら [ ] で並べます",
        "API token; with $ before it, the setting that holds it; several in [ ]",
    ),
    "guest_space": Words(
        "このアプリのゲストスペースの番号。KINTONE_GUEST_SPACE と違うときだけ",
        "the number of the app's guest space, where it is not KINTONE_GUEST_SPACE",
    ),
}

CUSTOMERS = {
    **APP,
    "kind": Words("レコードが人なら person、会社なら company", "what a record is: person or company"),
    "name": Words(
        '氏名（会社のアプリなら会社名）。姓と名が別なら ["姓", "名"]',
        'name of the person or company; if in two fields: ["last", "first"]',
    ),
    "reading": Words("ふりがな。名前で検索するときにも使います", "furigana (reading of the name); searched, too"),
    "company": Words("会社名", "company of the person"),
    "phones": Words(
        "電話番号。文字列（1行）か、リンクの「電話番号」。いくつでも",
        "telephone numbers: single-line text or link (telephone); any number of them",
    ),
    "normalised": Words(
        "番号を +81312345678 の形で持つ文字列（1行）。phones と同じ順に並べます",
        "single-line text with the number as +81312345678; in the order of phones",
    ),
    "normalised_only": Words(
        "正規化フィールドだけで探す。すべてのレコードを埋めたら true に（速くなります）",
        "look in the normalised fields only; true once all records are filled (quicker)",
    ),
    "show": Words("カードに出すほかのフィールド", "more fields on the card"),
    "customer_number": Words(
        "顧客番号。検索と、通話履歴への記録に使います", "the customer's own number: searched, and kept in the log"
    ),
    "touched": Words(
        "最後に対応した日。同じ番号の人が何人もいるときの並び順に使います",
        "when they were last dealt with; ranks people who share a number",
    ),
    "create": Words("新しいお客様をこのアプリに登録する", "new customers are made in this app"),
}

CALL_LOG = dict(APP)

FIELDS = {
    "call_id": Words("通話のID。「値の重複を禁止する」が必須", "the call's id; must prohibit duplicate values"),
    "subject": Words("件名", "subject"),
    "body": Words("通話のあらまし（日時、相手、担当者、メモなど）", "all of it as text (when, who, agent, note …)"),
    "note": Words("担当者のメモ", "the agent's note"),
    "disposition": Words("担当者が選んだ結果", "the result that the agent chose"),
    "direction": Words("着信か発信か", "inbound or outbound"),
    "outcome": Words("応答、不在着信など", "answered, missed …"),
    "party": Words("相手の番号", "the other party's number"),
    "line": Words("回線の名前", "the line's name"),
    "agent": Words(
        "担当者。ユーザー選択（[call_log.agents] が要ります）か文字列",
        "the agent: user selection (needs [call_log.agents]) or text",
    ),
    "started_at": Words("開始日時", "when it began"),
    "ended_at": Words("終了日時", "when it ended"),
    "talk_seconds": Words("通話した秒数", "seconds of talk"),
    "customer_id": Words(
        "お客様のレコード「12:345」（アプリ:レコード番号）。これがないとカードに通話の履歴が出ません",
        "the customer as app:record, 12:345; without it the card shows no earlier calls",
    ),
    "customer_app": Words("お客様のアプリの番号だけ", "the customer's app number alone"),
    "customer_record": Words("お客様のレコード番号だけ", "the customer's record number alone"),
    "customer_number": Words(
        "顧客番号。関連レコード一覧の条件に使えます", "the customer's own number, for related-record lists"
    ),
    "customer_name": Words("お客様の名前", "the customer's name"),
    "customer_url": Words("お客様のレコードへのリンク", "link to the customer's record"),
    "related_id": Words("紐づけたレコード「20:7」", "the record that the call was about, 20:7"),
    "related_url": Words("紐づけたレコードへのリンク", "link to that record"),
    "recording_id": Words("録音のID", "the recording's id"),
    "recording_url": Words("録音を聞くページへのリンク", "link to the recording"),
}

RELATED = {
    **APP,
    "kind": Words(
        "種類：order、case、deal、appointment、visit、note、email",
        "what it is: order, case, deal, appointment, visit, note or email",
    ),
    "join": Words(
        "お客様とのつながり。field＝このアプリのフィールド、customer＝顧客アプリのフィールド（$id＝レコード番号）、app＝顧客アプリ",
        "how it names its customer: field = this app's, customer = the customer app's ($id: record number), app = that app",
    ),
    "title": Words("見出しにするフィールド", "the field that names it"),
    "detail": Words("見出しの下に出すフィールド", "fields below the title"),
    "at": Words("日付・日時。appointment では必須", "its date or moment; an appointment must have it"),
    "open": Words(
        "「対応中」の条件（kintoneのクエリ）。書くと、当てはまるものが「対応中」に出ます",
        "a kintone condition; what fulfils it stands under “open” on the card",
    ),
}

JOIN = {
    "field": Words("このアプリの、お客様を指すフィールド", "this app's field that names the customer"),
    "customer": Words(
        "顧客アプリの、それと同じ値のフィールド。$id＝レコード番号",
        "the customer app's field with the same value; $id: record number",
    ),
    "app": Words(
        "顧客アプリの番号。省くと最初の [[customers]]", "the customer app; without it the first of [[customers]]"
    ),
}

AGENTS = Words(
    'ユーザー選択フィールドに書くための対応。"担当者のメールアドレス" = "kintoneのログイン名"',
    'for a user selection field: "agent\'s e-mail address" = "kintone login name"',
)

WORDS = Words(
    "種別・状態の言い換え。inbound、outbound、answered、missed、busy、no_answer、failed、canceled",
    "your own words: inbound, outbound, answered, missed, busy, no_answer, failed, canceled",
)
