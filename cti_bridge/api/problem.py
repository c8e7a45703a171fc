"""Errors as problem+json (RFC 9457) in the reader's language: what happened, to what, and what to do next."""

from __future__ import annotations

import math

from flask import Response, json, request

from cti_bridge.errors import (
    BridgeError,
    ConnectorRefused,
    ConnectorUnavailable,
    PhoneNetworkError,
    RequestError,
    StoreUnavailable,
)
from cti_bridge.logbook import get_logger
from cti_bridge.model import Language

log = get_logger(__name__)

Words = dict[Language, tuple[str, str]]

PROBLEMS: dict[str, Words] = {
    "bad_request": {
        "ja": ("リクエストの内容が正しくありません", "{detail}"),
        "en": ("The request does not make sense", "{detail}"),
    },
    "not_signed_in": {
        "ja": ("サインインが必要です", "サインインし直してください。"),
        "en": ("Please sign in", "Your sign-in has run out or is missing; sign in again."),
    },
    "session_over": {
        "ja": ("サインインの期限が切れました", "もう一度サインインしてください。"),
        "en": ("Your sign-in has run out", "Sign in again; your notes are kept."),
    },
    "wrong_password": {
        "ja": ("サインインできません", "メールアドレスとパスワードを確認してください。"),
        "en": ("That did not work", "Check the e-mail address and the password."),
    },
    "code_required": {
        "ja": ("確認コードを入力してください", "認証アプリに表示されている6桁のコードを入力してください。"),
        "en": ("Please enter your code", "Enter the six digits that your authenticator app shows."),
    },
    "wrong_code": {
        "ja": (
            "確認コードが違います",
            "認証アプリの新しいコードを入力してください。同じコードは一度しか使えません。端末の時刻も確認してください。",
        ),
        "en": (
            "The code is not right",
            "Enter the next one that your app shows; each works once. Check that the device's clock is right.",
        ),
    },
    "locked_out": {
        "ja": ("サインインを一時的に止めています", "失敗が続いたためです。{wait}後にもう一度お試しください。"),
        "en": ("Signing in is paused", "There were too many failed tries. Try again in {wait}."),
    },
    "too_many_requests": {
        "ja": ("アクセスが集中しています", "{wait}後にもう一度お試しください。"),
        "en": ("Too many requests", "Too many came from your address. Try again in {wait}."),
    },
    "address_not_allowed": {
        "ja": ("ここからは利用できません", "許可された場所（社内ネットワークなど）から開いてください。"),
        "en": (
            "Not from here",
            "Your role may only work from certain networks, such as the office's. Ask your administrator.",
        ),
    },
    "must_enrol": {
        "ja": ("確認コードの設定が必要です", "認証アプリを登録すると、電話の受発信ができます。"),
        "en": (
            "Set up one-time codes first",
            "Your company asks for a code from an authenticator app beside the password.",
        ),
    },
    "totp_already_on": {
        "ja": ("確認コードは設定済みです", "端末を変えるときは、管理者に解除を依頼してください。"),
        "en": (
            "One-time codes are set up already",
            "To change the device, ask your administrator to take them away first.",
        ),
    },
    "totp_not_begun": {
        "ja": ("設定を最初からやり直してください", "新しいQRコードを表示してから、コードを入力してください。"),
        "en": ("Begin the set-up again", "Have a new picture shown, then enter its code."),
    },
    "totp_not_on": {
        "ja": ("この担当者は確認コードを使っていません", "解除するものはありません。"),
        "en": ("This agent has no one-time codes", "There is nothing to take away."),
    },
    "colleague_not_found": {
        "ja": ("この担当者は見つかりません", "画面を更新してください。"),
        "en": ("There is no such agent", "Reload the page."),
    },
    "password_too_short": {
        "ja": ("パスワードが短すぎます", "{shortest}文字以上にしてください。"),
        "en": ("The password is too short", "Use at least {shortest} characters."),
    },
    "not_allowed": {
        "ja": ("この操作は許可されていません", "管理者に確認してください。"),
        "en": ("You may not do this", "Ask your administrator."),
    },
    "not_found": {
        "ja": ("見つかりません", "アドレスを確認してください。"),
        "en": ("There is no such thing", "Check the address."),
    },
    "conflict": {
        "ja": ("今はできません", "画面を更新して、もう一度お試しください。"),
        "en": ("Not possible right now", "Reload and try again."),
    },
    "call_not_found": {
        "ja": ("この通話は見つかりません", "画面を更新してください。"),
        "en": ("There is no such call", "Reload the page."),
    },
    "call_of_another_agent": {
        "ja": ("ほかの担当者の通話です", "担当者本人だけが変更できます。"),
        "en": ("This is a colleague's call", "Only the agent who took it can change it."),
    },
    "call_still_ringing": {
        "ja": ("まだ呼び出し中です", "通話が終わってから完了してください。"),
        "en": ("The call is still ringing", "Finish it after the conversation."),
    },
    "contact_not_found": {
        "ja": ("この顧客はCRMに見つかりません", "削除された可能性があります。検索し直してください。"),
        "en": ("The CRM has no such contact", "It may have been deleted; search again."),
    },
    "record_not_found": {
        "ja": ("このレコードはCRMに見つかりません", "顧客、案件などのレコードを開いてから、もう一度お試しください。"),
        "en": ("The CRM has no such record", "Open a contact, case or deal and try again."),
    },
    "ticket_invalid": {
        "ja": ("このチケットは使えません", "画面を更新して、もう一度お試しください。"),
        "en": ("This ticket is not one of ours", "Reload the page and try again."),
    },
    "ticket_expired": {
        "ja": ("チケットの期限が切れました", "画面を更新して、もう一度お試しください。"),
        "en": ("The ticket has run out", "Reload the page and try again."),
    },
    "ticket_used": {
        "ja": ("このチケットはすでに使われました", "画面を更新して、もう一度お試しください。"),
        "en": ("The ticket was used before", "Reload the page and try again."),
    },
    "vouching_off": {
        "ja": (
            "プラグイン経由のサインインは使えません",
            "ご自身でサインインしてください。CTI_EMBED_SECRET が未設定か、管理者または確認コードを使う担当者です。",
        ),
        "en": (
            "Sign-in through a plug-in is not possible here",
            "Please sign in yourself: CTI_EMBED_SECRET is not set, or you are an administrator or use one-time codes.",
        ),
    },
    "wrong_secret": {
        "ja": ("シークレットが違います", "プラグインに、ブリッジの CTI_EMBED_SECRET と同じものを設定してください。"),
        "en": ("The secret is wrong", "Enter the bridge's CTI_EMBED_SECRET in the plug-in's settings."),
    },
    "agent_not_found": {
        "ja": (
            "この利用者は担当者として登録されていません",
            "CRMの利用者と同じメールアドレスで担当者を登録してください。",
        ),
        "en": (
            "This user is no agent of the bridge",
            "Add an agent with the e-mail address that the CRM has for the user.",
        ),
    },
    "missed_call_not_found": {
        "ja": ("この不在着信は対応済みです", "一覧はまもなく更新されます。"),
        "en": ("This missed call has been dealt with", "The list will be up to date in a moment."),
    },
    "no_number_to_add": {
        "ja": ("電話番号がありません", "非通知の着信には番号を登録できません。先に番号をお尋ねください。"),
        "en": ("There is no number to add", "The caller's number is withheld; ask for it first."),
    },
    "name_missing": {
        "ja": ("氏名を入力してください", "氏名がないと顧客を登録できません。"),
        "en": ("Please enter a name", "A contact cannot be created without one."),
    },
    "note_too_long": {
        "ja": ("メモが長すぎます", "{longest}文字以内にしてください。"),
        "en": ("The note is too long", "Keep it under {longest} characters."),
    },
    "disposition_unknown": {
        "ja": ("この結果は選べません", "画面を更新して、結果を選び直してください。"),
        "en": ("There is no such result", "Reload the page and choose again."),
    },
    "number_unreadable": {
        "ja": ("電話番号として読めません", "03-1234-5678 または +81 3 1234 5678 のように入力してください。"),
        "en": ("This is not a telephone number", "Write it like 03-1234-5678 or +81 3 1234 5678."),
    },
    "dial_not_allowed": {
        "ja": ("この番号には発信できません", "発信できる国は {countries} です。有料番号には発信できません。"),
        "en": ("This number may not be dialled", "Allowed countries: {countries}. Premium-rate numbers are blocked."),
    },
    "no_phone": {
        "ja": ("発信に使う電話がありません", "あなたの電話番号の登録を管理者に依頼してください。"),
        "en": ("You have no telephone to dial with", "Ask your administrator to enter your telephone number."),
    },
    "line_not_found": {
        "ja": ("発信に使える回線がありません", "担当する回線の設定を管理者に依頼してください。"),
        "en": ("There is no line to dial from", "Ask your administrator to assign you to a line."),
    },
    "already_on_call": {
        "ja": ("通話中です", "今の通話が終わってから発信してください。"),
        "en": ("You are on a call", "Dial again when it has ended."),
    },
    "bad_json": {
        "ja": ("JSONとして読めません", "リクエストの本文を確認してください。"),
        "en": ("The body is not JSON", "Send a JSON object with Content-Type: application/json."),
    },
    "too_large": {
        "ja": ("送信内容が大きすぎます", "内容を短くしてください。"),
        "en": ("The body is too large", "Send less than 256 kB."),
    },
    "method_not_allowed": {
        "ja": ("この操作はできません", "APIの説明を確認してください。"),
        "en": ("This method is not allowed here", "See openapi.json for what is."),
    },
    "recording_not_found": {
        "ja": ("この録音は見つかりません", "リンクが途中で切れていないか確認してください。"),
        "en": ("There is no such recording", "Check that the link is complete."),
    },
    "recording_not_allowed": {
        "ja": (
            "この録音は再生できません",
            "聞けるのは、通話を担当した人、その回線の担当者、スーパーバイザーです。必要な場合は管理者に相談してください。",
        ),
        "en": (
            "You may not listen to this recording",
            "Only the agent who took the call, those whom its line rings, and supervisors may. Ask your administrator.",
        ),
    },
    "recording_not_ready": {
        "ja": ("録音はまだ準備中です", "通話が終わってから聞けるまで少しかかります。しばらくしてからお試しください。"),
        "en": ("The recording is not ready yet", "It takes a little while after the call. Try again in a minute."),
    },
    "recording_deleted": {
        "ja": ("この録音はもうありません", "Twilioから削除されたか、短すぎて保存されませんでした。"),
        "en": ("This recording no longer exists", "It was deleted at Twilio, or was too short to be kept."),
    },
    "recording_unreachable": {
        "ja": (
            "録音を取得できません",
            "Twilioから応答がありません。しばらくしてからお試しください。続く場合は管理者に連絡してください。",
        ),
        "en": (
            "The recording cannot be fetched",
            "Twilio does not hand it out just now. Try again in a while; if it stays, tell your administrator.",
        ),
    },
    "recordings_busy": {
        "ja": ("録音の再生が混み合っています", "数秒後にもう一度お試しください。"),
        "en": ("Too many recordings are being fetched", "Try again in a few seconds."),
    },
    "no_such_part": {
        "ja": ("録音にその部分はありません", "始めから読み込み直してください。"),
        "en": ("The recording has no such part", "Load it again from the beginning."),
    },
    "crm_refused": {
        "ja": ("CRMが受け付けませんでした", "CRMからのメッセージ: {words}"),
        "en": ("The CRM refused this", "It said: {words}"),
    },
    "crm_unavailable": {
        "ja": ("CRMに接続できません", "しばらくしてからもう一度お試しください。入力した内容は保存されています。"),
        "en": ("The CRM cannot be reached", "Try again in a while; what you typed is kept."),
    },
    "phone_network": {
        "ja": ("電話網が発信を受け付けませんでした", "Twilioからのメッセージ: {words}"),
        "en": ("The phone network refused the call", "Twilio said: {words}"),
    },
    "store_unavailable": {
        "ja": ("データベースに接続できません", "数秒後にもう一度お試しください。続く場合は管理者に連絡してください。"),
        "en": (
            "The bridge's database cannot be reached",
            "Try again in a few seconds; if it stays, tell your administrator.",
        ),
    },
    "server_error": {
        "ja": ("予期しない問題が起きました", "もう一度お試しください。続く場合は管理者に連絡してください。"),
        "en": ("Something unexpected went wrong", "Try again; if it stays, tell your administrator."),
    },
}


def problem(status: int, code: str, **values: object) -> Response:
    """A problem+json answer: ``{"type": "about:blank", "title": …, "status": …, "detail": …, "code": …}``."""
    language = reader_language()
    title, detail = PROBLEMS[code][language]
    if "retry_after" in values:
        values["wait"] = waiting(int(str(values["retry_after"])), language)
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail.format_map({"detail": "", "words": "", **values}),
        "code": code,
    }
    response = Response(json.dumps(body, ensure_ascii=False), status=status, mimetype="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    return response


def explain(error: BridgeError) -> Response:
    """The answer to a request that one of our own errors ended."""
    match error:
        case RequestError():
            answer = problem(error.status, error.code, **error.values)
            if "retry_after" in error.values:
                answer.headers["Retry-After"] = str(error.values["retry_after"])
            return answer
        case ConnectorRefused():
            return problem(422, "crm_refused", words=str(error))
        case ConnectorUnavailable():
            return problem(503, "crm_unavailable")
        case PhoneNetworkError():
            log.warning("phone_network_refused", code=error.code)
            return problem(502, "phone_network", words=str(error))
        case StoreUnavailable():
            log.error("store_unavailable", problem=error)
            return problem(503, "store_unavailable")
        case _:
            return problem(500, "server_error")


def waiting(seconds: int, language: Language) -> str:
    """How long to wait, for people: ``30秒``, ``15分``; ``1 second``, ``15 minutes``."""
    minutes = math.ceil(seconds / 60)
    if language == "ja":
        return f"{seconds}秒" if seconds < 60 else f"{minutes}分"
    count, unit = (seconds, "second") if seconds < 60 else (minutes, "minute")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def reader_language() -> Language:
    """The language that the client asks for with Accept-Language; Japanese unless it prefers English."""
    return "en" if request.accept_languages.best_match(["ja", "en"], default="ja") == "en" else "ja"
