"""Errors as problem+json (RFC 9457) in the reader's language: what happened, to what, and what to do next."""

from __future__ import annotations

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
        "ja": ("プラグイン経由のサインインは無効です", "管理者が CTI_EMBED_SECRET を設定すると使えます。"),
        "en": (
            "Sign-in through a plug-in is switched off",
            "An administrator can allow it by setting CTI_EMBED_SECRET.",
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
            "聞けるのは、通話を担当した人と、その回線の担当者です。必要な場合は管理者に相談してください。",
        ),
        "en": (
            "You may not listen to this recording",
            "Only the agent who took the call and those whom its line rings may. Ask your administrator if you need to.",
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
    title, detail = PROBLEMS[code][reader_language()]
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
            log.error("store_unavailable", problem=str(error))
            return problem(503, "store_unavailable")
        case _:
            return problem(500, "server_error")


def reader_language() -> Language:
    """The language that the client asks for with Accept-Language; Japanese unless it prefers English."""
    return "en" if request.accept_languages.best_match(["ja", "en"], default="ja") == "en" else "ja"
