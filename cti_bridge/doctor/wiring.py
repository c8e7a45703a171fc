"""What is written at Twilio: the account, its tokens and keys, where each line's number asks; and setting that right.

Nothing is changed here but by ``connect``, which does what ``changes`` said it would do.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from cti_bridge.doctor.words import bad, well, worth_knowing
from cti_bridge.environment import split_url
from cti_bridge.errors import PhoneNetworkError
from cti_bridge.model import Finding, Line
from cti_bridge.settings import Settings
from cti_bridge.store.directory import Directory
from cti_bridge.twilio.rest import OwnNumber, PhoneNetwork, Wiring
from cti_bridge.twilio.twiml import CALLING_RETRIES, TELLING_RETRIES

WRONG_CREDENTIALS = 20003


@dataclass(frozen=True, slots=True)
class Change:
    """One setting of a number at Twilio: what it is called, what stands there, what shall."""

    ja: str
    en: str
    before: str
    after: str


def wanted(base: str, fallback: str) -> Wiring:
    """How a line's number should stand at Twilio, for a bridge at ``base``."""
    return Wiring(
        voice_url=f"{base}/twilio/voice/incoming{CALLING_RETRIES}",
        fallback_url=fallback,
        status_url=f"{base}/twilio/voice/status{TELLING_RETRIES}",
    )


def changes(number: OwnNumber, base: str, fallback: str | None = None) -> list[Change]:
    """What ``connect`` would change of this number; nothing when it stands as it should.

    ``fallback`` is the address for the day when the bridge cannot be reached; None leaves what is there.
    """
    now = number.wiring
    then = wanted(base, now.fallback_url if fallback is None else fallback)
    rows = [
        Change("A call comes in（着信時）", "A call comes in", now.voice_url, then.voice_url),
        Change("HTTPメソッド", "HTTP method", now.voice_method, then.voice_method),
        Change("Primary handler fails（予備）", "Primary handler fails", now.fallback_url, then.fallback_url),
        Change("Call status changes（状態の通知）", "Call status changes", now.status_url, then.status_url),
        Change("HTTPメソッド（状態の通知）", "HTTP method of status changes", now.status_method, then.status_method),
        Change("TwiML App", "TwiML App", number.application_sid, ""),
    ]
    return [row for row in rows if row.before != row.after]


def connect(network: PhoneNetwork, number: OwnNumber, base: str, fallback: str | None = None) -> list[Change]:
    """Make the changes; what is left undone, which is nothing unless Twilio did otherwise. Raises PhoneNetworkError."""
    then = wanted(base, number.wiring.fallback_url if fallback is None else fallback)
    return changes(network.connect_number(number.sid, then), base, fallback)


# ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def findings(settings: Settings, network: PhoneNetwork, known: Directory, base: str) -> Iterator[Finding]:
    """The account, the tokens, the key, each line's number, the TwiML App."""
    if not (yield from _account(settings, network)):
        return
    try:
        numbers = {number.number: number for number in network.own_numbers()}
    except PhoneNetworkError as problem:
        yield _not_asked(settings, problem)
        return
    for line in known.lines.values():
        yield from _line(line, numbers.get(line.number), base)
    if settings.twilio_twiml_app_sid:
        yield _application(network, settings.twilio_twiml_app_sid, base)


def _account(settings: Settings, network: PhoneNetwork) -> Generator[Finding, None, bool]:
    """Whether webhooks can be verified with what is set; yields findings, and says whether to go on."""
    accounts, refused = [], []
    for place, token in enumerate(settings.twilio_auth_tokens, start=1):
        try:
            accounts.append(network.account(token.get_secret_value()))
        except PhoneNetworkError as problem:
            if problem.code != WRONG_CREDENTIALS:
                yield bad(
                    "twilio",
                    f"Twilioに確認できません: {problem} このマシンからapi.twilio.comに接続できるか確かめてください。",
                    f"could not be asked: {problem} Can this machine reach api.twilio.com?",
                )
                return False
            refused.append(place)
    if not accounts:
        yield bad(
            "twilio",
            "TWILIO_AUTH_TOKEN は、このアカウント（TWILIO_ACCOUNT_SID）のものではありません。"
            "このままではすべての着信が拒否されます。コンソールの最初のページからコピーし直してください。",
            "TWILIO_AUTH_TOKEN is not this account's (TWILIO_ACCOUNT_SID), so every call would be refused. "
            "Copy it again from the console's first page.",
        )
        return bool(settings.twilio_api_key)
    if refused:
        yield worth_knowing(
            "twilio",
            f"TWILIO_AUTH_TOKEN の{'、'.join(map(str, refused))}番目は、もう使われていません。設定から外せます。",
            f"number {', '.join(map(str, refused))} in TWILIO_AUTH_TOKEN is not used any more and can be taken out.",
        )
    account = accounts[0]
    if account.status != "active":
        yield bad(
            "twilio",
            f"アカウントは {account.status} です。コンソールで理由を確かめてください。",
            f"the account is {account.status}. The console says why.",
        )
        return True
    if account.trial:
        yield worth_knowing(
            "twilio",
            "トライアルのアカウントです。確認済みの番号しか鳴らせません。",
            "this is a trial account, which rings verified numbers only.",
        )
        return True
    yield well(
        "twilio",
        "アカウントは有効で、認証トークンも正しいものです。",
        "the account is active and the auth token its own.",
    )
    return True


def _not_asked(settings: Settings, problem: PhoneNetworkError) -> Finding:
    if problem.code == WRONG_CREDENTIALS and settings.twilio_api_key:
        return bad(
            "api key",
            "TWILIO_API_KEY と TWILIO_API_SECRET の組み合わせが正しくないため、発信できません。"
            "新しいキーを作って設定してください。",
            "TWILIO_API_KEY and TWILIO_API_SECRET do not belong together, so nobody can dial. Make a new key and set it.",
        )
    return bad(
        "twilio",
        f"番号の一覧を取得できません（{problem.code}）: {problem}",
        f"its numbers could not be listed ({problem.code}): {problem}",
    )


def _line(line: Line, number: OwnNumber | None, base: str) -> Iterator[Finding]:
    subject = f"line {line.name}"
    mend = f"cti-bridge lines connect {line.number}"
    if number is None:
        yield bad(
            subject,
            f"{line.number} は、このTwilioアカウントの番号ではありません。番号とアカウントを確かめてください。",
            f"{line.number} is not a number of this Twilio account. Check the number and the account.",
        )
        return
    if number.trunk_sid:
        yield bad(
            subject,
            "番号がSIPトランクに割り当てられていて、着信はそちらへ行きます。コンソールでトランクから外してください。",
            "the number belongs to a SIP trunk, where its calls go. Take it out of the trunk in the console.",
        )
        return
    if not number.takes_calls:
        yield bad(subject, "この番号は音声通話に対応していません。", "this number cannot take voice calls.")
        return
    then = wanted(base, "")
    if number.application_sid:
        yield bad(
            subject,
            f"番号にTwiML App（{number.application_sid}）が設定されていて、着信はそちらへ行きます。直すには: {mend}",
            f"a TwiML App ({number.application_sid}) is set, and calls go there. To mend it: {mend}",
        )
        return
    if _address(number.wiring.voice_url) != _address(then.voice_url):
        there = _address(number.wiring.voice_url)
        yield bad(
            subject,
            f"着信がこのブリッジに来ません（いまの設定: {there or 'なし'}）。直すには: {mend}",
            f"calls do not come to this bridge (they go to: {there or 'nowhere'}). To mend it: {mend}",
        )
        return
    yield from _details(subject, mend, number.wiring, then)


def _details(subject: str, mend: str, now: Wiring, then: Wiring) -> Iterator[Finding]:
    """Calls come here; is the rest as it should be?"""
    fine = True
    if _address(now.status_url) != _address(then.status_url):
        fine = False
        yield worth_knowing(
            subject,
            f"「Call status changes」がこのブリッジになっていません。通話の終わりが数秒ずれます。直すには: {mend}",
            f"“Call status changes” is not set to this bridge, so the end of a call is some seconds off. To mend it: {mend}",
        )
    if now.voice_method != "POST" or (now.status_url and now.status_method != "POST"):
        fine = False
        yield worth_knowing(
            subject,
            f"HTTPメソッドがGETです。発信者の番号が途中のログに残ります。POSTにするには: {mend}",
            f"the HTTP method is GET, so callers' numbers stay in logs on the way. To make it POST: {mend}",
        )
    if "rc=" not in now.voice_url.partition("#")[2]:
        fine = False
        yield worth_knowing(
            subject,
            f"アドレスに再試行の指定（#rc=…）がありません。再起動中の着信を取り逃がします。付けるには: {mend}",
            f"the address asks for no second try (#rc=…), so a call during a restart is lost. To add it: {mend}",
        )
    if not now.fallback_url:
        fine = False
        yield worth_knowing(
            subject,
            "「Primary handler fails」が空です。ブリッジに届かないとき、お客様にはエラー音声が流れます。"
            f"READMEのTwiML Binを作り、{mend} --fallback アドレス で設定してください。",
            "“Primary handler fails” is empty: when the bridge cannot be reached, callers hear an error. "
            f"Make the TwiML Bin of the README, then: {mend} --fallback ADDRESS",
        )
    elif _origin(now.fallback_url) == _origin(then.voice_url):
        fine = False
        yield worth_knowing(
            subject,
            "「Primary handler fails」がこのブリッジ自身を指しています。届かないときの備えになりません。",
            "“Primary handler fails” names this very bridge, which is of no help when it cannot be reached.",
        )
    if fine:
        yield well(
            subject, "Twilioの設定は正しく、このブリッジを指しています。", "Twilio asks this bridge, and all is set."
        )


def _application(network: PhoneNetwork, sid: str, base: str) -> Finding:
    target = f"{base}/twilio/voice/outgoing"
    try:
        now = network.application(sid)
    except PhoneNetworkError as problem:
        return bad(
            "TwiML App",
            f"TWILIO_TWIML_APP_SID のアプリが見つかりません: {problem}",
            f"the one that TWILIO_TWIML_APP_SID names is not there: {problem}",
        )
    if _address(now.voice_url) != target:
        there = _address(now.voice_url) or "-"
        return bad(
            "TwiML App",
            f"音声のURLが {there} になっています。コンソールで {target}（HTTP POST）にしてください。",
            f"its voice URL is {there}; in the console, make it {target} (HTTP POST).",
        )
    return well("TwiML App", "このブリッジを指しています。", "asks this bridge.")


def _address(url: str) -> str:
    """Without retries, query and differences that make none: ``https://cti.example.co.jp/twilio/voice/status``."""
    parts = split_url(url.strip())
    if not url or parts is None:
        return url
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, standard) else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"


def _origin(url: str) -> str:
    parts = split_url(url)
    return _address(parts._replace(path="").geturl()) if parts else url
