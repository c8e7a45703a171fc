"""Does a request to our public address arrive as it was signed? Asked from here, over the public address, like Twilio's.

Two questions: does anybody answer (``/healthz``), and does the bridge there accept a signature made with our auth token
over the address that Twilio calls (``POST /twilio/check``, which does nothing). If not, a few likely mistakes are tried
out: each is a signature over what a proxy or a setting may have made of the address.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from twilio.request_validator import RequestValidator

from cti_bridge.doctor.words import bad, well, worth_knowing
from cti_bridge.environment import on_this_machine
from cti_bridge.model import Finding
from cti_bridge.twilio.signature import SIGNATURE

TIMEOUT = (5.0, 10.0)
"""Seconds to connect and to answer."""

SUBJECT = "address"
TRICKY = "?name=%E5%B1%B1%E7%94%B0&slash=%2F"
"""What proxies like to rewrite, and Twilio signs as it stands."""


@dataclass(frozen=True)
class _Mistake:
    """Another address that the signature may have been expected over, and what it would mean."""

    url: str
    ja: str
    en: str


def findings(base: str, token: str, *, simulated: bool = False) -> Iterator[Finding]:
    """``base`` is the public address with the extension's prefix: ``https://cti.example.co.jp/phone``."""
    if on_this_machine(base) and not simulated:
        yield worth_knowing(
            SUBJECT,
            f"{base} はこのマシンの中だけのアドレスです。Twilioからは届きません。"
            "公開アドレスを CTI_PUBLIC_URL に設定してください。",
            f"{base} is an address of this machine only, where Twilio cannot come. Set CTI_PUBLIC_URL to the public one.",
        )
    trouble = _reached(base)
    if trouble is not None:
        yield trouble
        return
    yield _signed(base, token)


def _reached(base: str) -> Finding | None:
    try:
        answer = requests.get(f"{base}/healthz", timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as problem:
        return _unreached(base, problem)
    status = answer.status_code
    if 300 <= status < 400:
        there = answer.headers.get("Location", "?")
        return bad(
            SUBJECT,
            f"{base} は {there} へ転送されます。署名は転送前のアドレスに付くため、Twilioの通知は受け付けられません。"
            "転送先のアドレスを CTI_PUBLIC_URL とTwilioに設定してください。",
            f"{base} redirects to {there}. Twilio signs the address before the redirect, so its requests would be refused. "
            "Put the address behind the redirect into CTI_PUBLIC_URL, and at Twilio.",
        )
    if status != 200 or _json(answer).get("status") != "ok":
        return bad(
            SUBJECT,
            f"{base}/healthz は {status} を返しました。そこで動いているのはこのブリッジではないか、起動していません。"
            "CTI_PUBLIC_URL を確かめてください（Flaskアプリに組み込んでいる場合は --prefix も）。",
            f"{base}/healthz answers {status}: something else is there, or the bridge does not run. "
            "Compare CTI_PUBLIC_URL (and --prefix, inside a Flask app of your own).",
        )
    return None


def _unreached(base: str, problem: requests.RequestException) -> Finding:
    host = urlsplit(base).hostname or base
    if isinstance(problem, requests.exceptions.SSLError):
        return bad(
            SUBJECT,
            f"{host} の証明書が正しくありません。Twilioも接続しません。期限・ホスト名・中間証明書を確かめてください。",
            f"{host} has no good certificate, and Twilio will not connect. Look at its end date, host name and chain.",
        )
    if isinstance(problem, requests.Timeout):
        return bad(
            SUBJECT,
            f"{base} が応答しません（時間切れ）。ファイアウォールとプロキシーを確かめてください。",
            f"{base} does not answer in time. Look at the firewall and the proxy before the bridge.",
        )
    unknown = "NameResolution" in str(problem) or "getaddrinfo" in str(problem)
    if unknown:
        return bad(
            SUBJECT,
            f"{host} という名前が見つかりません。CTI_PUBLIC_URL のつづりと、DNSの設定を確かめてください。",
            f"there is no host {host}. Check the spelling of CTI_PUBLIC_URL, and the DNS.",
        )
    return bad(
        SUBJECT,
        f"{base} に接続できません（{type(problem).__name__}）。ブリッジとプロキシーが動いているか確かめてください。",
        f"{base} cannot be reached ({type(problem).__name__}). Do the bridge and the proxy run?",
    )


def _signed(base: str, token: str) -> Finding:
    url = f"{base}/twilio/check"
    status = _ask(url + TRICKY, token, over=url + TRICKY)
    match status:
        case 200:
            return well(
                SUBJECT,
                f"{base} に届き、Twilioと同じ署名が通りました。",
                f"{base} is reached, and a request signed as Twilio signs it is accepted.",
            )
        case 403:
            return _refused(url, token)
        case 404 | 405:
            return bad(
                SUBJECT,
                "動いているブリッジが古い版のようです。更新してから再起動してください。",
                "an older version of the bridge seems to run there; update it and restart.",
            )
    return bad(
        SUBJECT,
        f"{url} への署名付きの要求に {status or '応答なし'} が返りました。プロキシーとブリッジのログを確かめてください。",
        f"a signed request to {url} was answered with {status or 'nothing'}. Look at the proxy's and the bridge's logs.",
    )


def _refused(url: str, token: str) -> Finding:
    if _ask(url, token, over=url) == 200:
        return bad(
            SUBJECT,
            "前段のプロキシーが、アドレスの「?」より後を書き換えています（%E5…や%2Fなど）。"
            "届いたまま渡すように設定してください。",
            "a proxy before the bridge rewrites what follows “?” in the address (%E5…, %2F). Have it pass that on as it is.",
        )
    for mistake in _mistakes(url):
        if _ask(url, token, over=mistake.url) == 200:
            return bad(SUBJECT, mistake.ja, mistake.en)
    return bad(
        SUBJECT,
        "署名が通りません。動いているブリッジの TWILIO_AUTH_TOKEN か CTI_PUBLIC_URL が、ここでの設定と違います。"
        "両方を合わせて再起動してください。",
        "the signature is refused: the running bridge has another TWILIO_AUTH_TOKEN or CTI_PUBLIC_URL than is set here. "
        "Make them the same and restart.",
    )


def _mistakes(url: str) -> Iterator[_Mistake]:
    parts = urlsplit(url)
    other = "http" if parts.scheme == "https" else "https"
    yield _Mistake(
        parts._replace(scheme=other).geturl(),
        f"動いているブリッジの CTI_PUBLIC_URL は {other}:// で始まっています。{parts.scheme}:// にして再起動してください。",
        f"the running bridge's CTI_PUBLIC_URL begins with {other}://; make it {parts.scheme}:// and restart.",
    )
    folders = parts.path.removesuffix("/twilio/check")
    if folders:
        yield _Mistake(
            parts._replace(path=folders + parts.path).geturl(),
            f"{folders} が二重になっています。プロキシーは {folders} を残して渡すので、"
            f"動いているブリッジの CTI_PUBLIC_URL からは {folders} を外してください。",
            f"{folders} counts twice: the proxy passes it on, so take it out of the running bridge's CTI_PUBLIC_URL.",
        )
        yield _Mistake(
            parts._replace(path=parts.path.removeprefix(folders)).geturl(),
            f"プロキシーが {folders} を取り除いて渡し、動いているブリッジの CTI_PUBLIC_URL にも {folders} がありません。"
            f"CTI_PUBLIC_URL に {folders} を付けて再起動してください。",
            f"the proxy takes {folders} off, and the running bridge's CTI_PUBLIC_URL lacks it; "
            f"add {folders} there and restart.",
        )
    host = parts.hostname or ""
    for there in (f"www.{host}", host.removeprefix("www.")):
        if there != host:
            netloc = f"{there}:{parts.port}" if parts.port else there
            yield _Mistake(
                parts._replace(netloc=netloc).geturl(),
                f"動いているブリッジの CTI_PUBLIC_URL のホスト名は {there} です。{host} に合わせてください。",
                f"the running bridge's CTI_PUBLIC_URL names the host {there}; make it {host}.",
            )


def _ask(url: str, token: str, *, over: str) -> int:
    """Send the check, signed over that address; the answer's status, 0 when there is none or it is not the bridge's."""
    form = {"challenge": secrets.token_hex(8), "text": "署名の確認", "empty": ""}
    signature = RequestValidator(token).compute_signature(over, form)
    try:
        answer = requests.post(url, data=form, headers={SIGNATURE: signature}, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException:
        return 0
    if answer.status_code == 200 and _json(answer).get("challenge") != form["challenge"]:
        return 0
    return answer.status_code


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
