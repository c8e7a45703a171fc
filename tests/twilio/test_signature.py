"""Is it Twilio's? The published vectors, every way that servers hand us a request, and whatever strangers send."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

import pytest
from flask import Request
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from cti_bridge.store import Database, migrate
from cti_bridge.twilio.signature import SETTINGS, Signatures, raw_target
from tests.running import Running, running

TOKEN = "12345"
MY_COMPANY = "https://mycompany.com"
M = "/myapp.php?foo=1&bar=2"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
SERVERS = ("gunicorn", "waitress", "werkzeug", "another server")
RAW_NAMES = {"gunicorn": ("RAW_URI",), "waitress": ("REQUEST_URI",), "werkzeug": ("RAW_URI", "REQUEST_URI")}
Fields = list[tuple[str, str]]


def environ_of(
    target: str,
    *,
    server: str = "gunicorn",
    method: str = "POST",
    body: bytes = b"",
    content_type: str = FORM,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What the server makes of a request line and a body. ``another server`` tells no raw target."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "10.1.2.3",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "internal.example:8000",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }
    environ |= dict.fromkeys(RAW_NAMES.get(server, ()), target)
    return environ | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}


def signed(
    url: str, fields: Fields, *, secret: str = TOKEN, hash_name: str = "sha1", body: bytes | None = None
) -> dict[str, str]:
    """Twilio's signature, made here by the book and not by the library that checks it."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(secret.encode(), text.encode(), hash_name).digest()
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


def verified(
    target: str,
    fields: Fields | None = None,
    *,
    headers: Mapping[str, str],
    by: Signatures | None = None,
    **environ: Any,
) -> bool:
    body = environ.pop("body", urlencode(fields or []).encode())
    checked = by or Signatures(MY_COMPANY, [TOKEN])
    return checked.verify(Request(environ_of(target, body=body, headers=headers, **environ)))


# ── the published vectors ────────────────────────────────────────────────────────────────────────────────────────────

P: Fields = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
CURRENT: Fields = [*P[:2], ("From", "+14158675310"), ("To", "+18005551212"), ("Caller", "+14158675310")]
OLDER: Fields = [*P[:2], ("From", "+12349013030"), ("To", "+18005551212"), ("Caller", "+12349013030")]
TWICE: Fields = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]


@dataclass(frozen=True)
class Vector:
    name: str
    base: str
    fields: Fields
    signature: str


VECTORS = [
    Vector("https", "https://mycompany.com", P, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    Vector("http with a port", "http://mycompany.com:1234", P, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    Vector("https with its port", "https://mycompany.com:443", P, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    Vector("http with its port", "http://mycompany.com:80", P, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    Vector("https, the port not signed", "https://mycompany.com:443", P, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    Vector("https, the port signed only", "https://mycompany.com", P, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    Vector("names that come twice", "https://mycompany.com", TWICE, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
    Vector("current documentation", "https://example.com", CURRENT, "L/OH5YylLD5NRKLltdqwSvS0BnU="),
    Vector("older documentation", "https://mycompany.com", OLDER, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
]


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
def test_a_published_signature_verifies_behind_every_server(vector: Vector, server: str) -> None:
    by = Signatures(vector.base, [TOKEN])
    headers = {"X-Twilio-Signature": vector.signature}
    assert verified(M, vector.fields, headers=headers, by=by, server=server)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
def test_a_published_signature_covers_every_field_the_address_and_the_token(vector: Vector) -> None:
    headers = {"X-Twilio-Signature": vector.signature}
    by = Signatures(vector.base, [TOKEN])
    name, value = vector.fields[0]
    assert not verified(M, [(name, value + "x"), *vector.fields[1:]], headers=headers, by=by)
    assert not verified(M, vector.fields[1:], headers=headers, by=by)
    assert not verified(M, [*vector.fields, ("Extra", "")], headers=headers, by=by)
    assert not verified(M + "&x=1", vector.fields, headers=headers, by=by)
    assert not verified(M, vector.fields, headers=headers, by=Signatures(vector.base, ["54321"]))
    assert not verified(M, vector.fields, headers=headers, by=Signatures("https://elsewhere.example", [TOKEN]))


JSON_BODY = b'{"property": "value", "boolean": true}'
JSON_TARGET = M + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
JSON_HEADERS = {"X-Twilio-Signature": "a9nBmqA0ju/hNViExpshrM61xv4="}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_the_published_json_body_verifies_by_its_hash(server: str, content_type: str) -> None:
    assert verified(JSON_TARGET, headers=JSON_HEADERS, body=JSON_BODY, content_type=content_type, server=server)


@pytest.mark.parametrize("body", [JSON_BODY + b" ", b"", b"{}", b"\xff\xfe", '{"名": 1}'.encode()])
def test_a_json_body_that_was_changed_on_its_way_is_refused(body: bytes) -> None:
    assert not verified(JSON_TARGET, headers=JSON_HEADERS, body=body, content_type="application/json")


def test_a_json_body_in_japanese_verifies_by_its_hash() -> None:
    body = json.dumps({"名前": "山田"}, ensure_ascii=False).encode()
    target = f"/json?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = signed(MY_COMPANY + target, [])
    assert verified(target, headers=headers, body=body, content_type="application/json")


@pytest.mark.parametrize("target", [M, M + "&bodySHA256=", M + "&bodysha256=0a1f"])
def test_a_json_body_without_its_hash_is_refused_though_the_address_is_signed(target: str) -> None:
    headers = signed(MY_COMPANY + target, [])
    assert not verified(target, headers=headers, body=JSON_BODY, content_type="application/json")


def test_an_empty_json_body_needs_its_hash_too() -> None:
    assert not verified(M, headers=signed(MY_COMPANY + M, []), body=b"", content_type="application/json")
    target = f"{M}&bodySHA256={hashlib.sha256(b'').hexdigest()}"
    assert verified(target, headers=signed(MY_COMPANY + target, []), body=b"", content_type="application/json")


def test_a_form_cannot_pass_itself_off_as_checked_by_a_hash() -> None:
    fields = [("CallSid", "CA1")]
    target = f"{M}&bodySHA256={hashlib.sha256(urlencode(fields).encode()).hexdigest()}"
    assert not verified(target, fields, headers=signed(MY_COMPANY + target, []))


# ── addresses, byte for byte ─────────────────────────────────────────────────────────────────────────────────────────

TARGETS = [
    "/voice?name=%E5%B1%B1%E7%94%B0",
    "/voice?name=%e5%b1%b1",
    "/voice?a%5B0%5D=1&b=%7Bx%7D&c=%7E",
    "/voice?path=a%2Fb&plus=%2B81",
    "/voice?plus=a+b&space=a%20b",
    "/voice?empty=&empty=",
    "/voice?a=1;b=2",
    "/voice?a=%",
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("server", ["gunicorn", "waitress", "werkzeug"])
@pytest.mark.parametrize("target", [*TARGETS, "/a%2Fb/%E5%B1%B1?x=1", "//voice", "/voice/../voice"])
def test_an_address_is_checked_as_it_was_sent(target: str, server: str, method: str) -> None:
    headers = signed(MY_COMPANY + target, [])
    assert verified(target, headers=headers, server=server, method=method)


@pytest.mark.parametrize("target", TARGETS)
def test_a_server_that_tells_no_raw_target_still_gives_the_query_as_it_was(target: str) -> None:
    assert verified(target, headers=signed(MY_COMPANY + target, []), server="another server")


def test_a_path_is_put_together_again_with_the_prefix_where_the_app_is_mounted() -> None:
    environ = {"SCRIPT_NAME": "/phone", "PATH_INFO": "/å±±".encode("latin-1", "replace").decode("latin-1")}
    assert raw_target({"SCRIPT_NAME": "/phone", "PATH_INFO": "/山".encode().decode("latin-1")}) == "/phone/%E5%B1%B1"
    assert raw_target({**environ, "RAW_URI": "/as/sent?x=%7E"}) == "/as/sent?x=%7E"


@pytest.mark.parametrize(
    ("absolute", "target"),
    [
        ("http://cti.example.co.jp/voice?x=1", "/voice?x=1"),
        ("HTTP://cti.example.co.jp/", "/"),
        ("http://cti.example.co.jp", "/"),
        ("*", "/"),
        ("cti.example.co.jp:443", "/"),
    ],
)
def test_an_absolute_target_is_taken_by_its_path(absolute: str, target: str) -> None:
    assert raw_target({"RAW_URI": absolute}) == target


def test_an_absolute_target_of_another_host_does_not_choose_what_is_signed() -> None:
    headers = signed("http://evil.example/voice", [])
    assert not verified("http://evil.example/voice", headers=headers)
    assert verified("http://evil.example/voice", headers=signed(MY_COMPANY + "/voice", []))


@pytest.mark.parametrize("host", ["evil.example", "xn--", "xn--a", "[::1", "a:b:c", "mycompany.com:99999", "", "日本"])
def test_the_host_header_is_never_asked(host: str) -> None:
    fields = [("CallSid", "CA1")]
    assert verified("/voice", fields, headers={**signed(MY_COMPANY + "/voice", fields), "Host": host})
    assert not verified("/voice", fields, headers={**signed(f"https://{host}/voice", fields), "Host": host})


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [("CallSid", "CA1"), ("FromCity", ""), ("ToCity", "")],
        [("b", "1"), ("B", "2"), ("a", "3"), ("_", "4")],
        [("Digits", "2"), ("Digits", "1"), ("Digits", "2")],
        [("Body", " spaces around "), ("Body2", "line\r\nbreak")],
        [("FromCity", "São Paulo"), ("CallerName", "山田 太郎 🍣")],
        [("a&b", "c=d"), ("+", "%2B")],
    ],
)
def test_the_whole_form_is_checked_with_its_doubles_blanks_and_empty_values(fields: Fields) -> None:
    headers = signed(MY_COMPANY + "/voice", fields)
    assert verified("/voice", fields, headers=headers)
    assert not verified("/voice", [*fields, ("Digits", "9")], headers=headers)


def test_a_get_is_checked_by_its_address_alone() -> None:
    target = "/voice?" + urlencode([("CallSid", "CA1"), ("FromCity", ""), ("CallerName", "山田")])
    assert verified(target, headers=signed(MY_COMPANY + target, []), method="GET")
    assert not verified(target + "&x=1", headers=signed(MY_COMPANY + target, []), method="GET")


# ── whose secret ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_while_a_token_is_rotated_the_old_and_the_new_one_verify() -> None:
    rotating = Signatures(MY_COMPANY, ["old", "new"])
    for secret in ("old", "new"):
        assert verified("/voice", P, headers=signed(MY_COMPANY + "/voice", P, secret=secret), by=rotating)
    assert not verified("/voice", P, headers=signed(MY_COMPANY + "/voice", P, secret="older"), by=rotating)


def by_key(secret: str = "shared", algorithm: str = "HMAC_SHA256", hash_name: str = "sha256") -> dict[str, str]:
    headers = signed(MY_COMPANY + "/voice", P, secret=secret, hash_name=hash_name)
    return {**headers, SETTINGS: f"key=webhooks_sharedkey_1,algorithm={algorithm}"}


def test_a_shared_key_signs_with_sha256_instead_of_the_token() -> None:
    keyed = Signatures(MY_COMPANY, [TOKEN], ["former", "shared"])
    assert verified("/voice", P, headers=by_key(), by=keyed)
    assert verified("/voice", P, headers=by_key(algorithm="hmac_sha256"), by=keyed)
    assert not verified("/voice", P[1:], headers=by_key(), by=keyed)
    assert not verified("/voice", P, headers=by_key("another"), by=keyed)


@pytest.mark.parametrize("algorithm", ["HMAC_SHA512", "NONE", "none", "HMAC_MD5", "HMAC_SHA256 HMAC_SHA1"])
def test_an_unknown_algorithm_is_refused(algorithm: str) -> None:
    assert not verified(
        "/voice", P, headers=by_key(algorithm=algorithm), by=Signatures(MY_COMPANY, [TOKEN], ["shared"])
    )


def test_the_header_of_a_shared_key_is_refused_where_none_is_configured() -> None:
    assert not verified("/voice", P, headers=by_key(TOKEN))
    assert not verified("/voice", P, headers=by_key(TOKEN, "HMAC_SHA1", "sha1"))


def test_the_token_does_not_sign_for_a_shared_key_nor_the_key_for_the_token() -> None:
    keyed = Signatures(MY_COMPANY, [TOKEN], ["shared"])
    assert not verified("/voice", P, headers=by_key(TOKEN), by=keyed)
    assert not verified("/voice", P, headers=signed(MY_COMPANY + "/voice", P, secret="shared"), by=keyed)
    sha256_by_token = signed(MY_COMPANY + "/voice", P, hash_name="sha256")
    assert not verified("/voice", P, headers=sha256_by_token, by=keyed)


def test_a_json_body_may_be_signed_by_a_shared_key() -> None:
    headers = signed(MY_COMPANY + JSON_TARGET, [], secret="shared", hash_name="sha256")
    headers[SETTINGS] = "key=k,algorithm=HMAC_SHA256"
    by = Signatures(MY_COMPANY, [TOKEN], ["shared"])
    assert verified(JSON_TARGET, headers=headers, by=by, body=JSON_BODY, content_type="application/json")
    assert not verified(JSON_TARGET, headers=headers, by=by, body=b"{}", content_type="application/json")


# ── whatever comes ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "signature", [None, "", "x", "é", "山田", "\x00", "A" * 100_000, "RSOYDt4T1cUTdK1PDd93/VVr8B8"]
)
def test_a_signature_that_is_none_is_refused(signature: str | None) -> None:
    headers = {} if signature is None else {"X-Twilio-Signature": signature}
    assert not verified(M, P, headers=headers)


HEADER = st.sampled_from(["X-Twilio-Signature", SETTINGS, "Host", "Content-Encoding", "Transfer-Encoding"])
TYPES = st.sampled_from(
    [FORM, "application/json", "multipart/form-data; boundary=x", "multipart/form-data", "", "text/xml"]
)
LATIN = st.text(st.characters(max_codepoint=255), max_size=60)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    target=LATIN | LATIN.map("/{}".format) | LATIN.map("/?bodySHA256={}".format),
    server=st.sampled_from(SERVERS),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "", "☎"]),
    body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode),
    content_type=TYPES | LATIN,
    headers=st.dictionaries(HEADER, LATIN),
    more=st.dictionaries(
        st.sampled_from(["CONTENT_LENGTH", "wsgi.input_terminated", "QUERY_STRING", "PATH_INFO"]), LATIN
    ),
    public_url=st.sampled_from([MY_COMPANY, "https://mycompany.com:99999", "https://[::1]", "https://["]),
)
@example("/", "gunicorn", "POST", b"", FORM, {"X-Twilio-Signature": "x"}, {}, "https://mycompany.com:99999")
@example("/", "gunicorn", "POST", b"a=%ff", FORM, {"X-Twilio-Signature": "x"}, {"CONTENT_LENGTH": "-1"}, MY_COMPANY)
@example("/", "gunicorn", "POST", b"{}", "application/json", {"X-Twilio-Signature": "x"}, {}, MY_COMPANY)
def test_whatever_strangers_send_is_refused_and_breaks_nothing(
    target: str,
    server: str,
    method: str,
    body: bytes,
    content_type: str,
    headers: dict[str, str],
    more: dict[str, str],
    public_url: str,
) -> None:
    environ = environ_of(target, server=server, method=method, body=body, content_type=content_type, headers=headers)
    by = Signatures(public_url, [TOKEN], ["shared"])
    assert by.verify(Request(environ | more)) is False


def test_a_request_that_breaks_while_it_is_read_is_refused() -> None:
    class Broken(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise ConnectionResetError

    environ = environ_of(M, headers={"X-Twilio-Signature": VECTORS[0].signature}) | {
        "wsgi.input": Broken(),
        "CONTENT_LENGTH": "10",
    }
    assert not Signatures(MY_COMPANY, [TOKEN]).verify(Request(environ))


@settings(max_examples=50)
@given(st.text(), st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=6), st.text(min_size=1))
def test_what_the_library_signs_we_verify(query: str, fields: Fields, token: str) -> None:
    target = "/voice?" + urlencode({"q": query})
    form = {name: value for name, value in fields if "\x00" not in name}
    signature = RequestValidator(token).compute_signature(MY_COMPANY + target, form)
    by = Signatures(MY_COMPANY, [token])
    assert verified(target, list(form.items()), headers={"X-Twilio-Signature": signature}, by=by)


# ── over the wire ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('signature') / 'bridge.db'}")
    migrate.upgrade(database)
    with running(database) as started:
        yield started
    database.close()


def exchange(live: Running, *parts: bytes) -> tuple[int, bytes]:
    """Send these bytes and return the status and the body of what comes back."""
    with socket.create_connection(("127.0.0.1", int(live.url.rpartition(":")[2])), timeout=5) as wire:
        answer = b""
        try:
            for part in parts:
                wire.sendall(part)
            wire.shutdown(socket.SHUT_WR)
        except OSError:  # refused before all was sent
            pass
        try:
            while chunk := wire.recv(65536):
                answer += chunk
        except ConnectionResetError:  # what was not read of our bytes resets the connection after the answer
            pass
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def request_bytes(
    target: str = "/twilio/voice/incoming", body: bytes = b"", method: str = "POST", **headers: str
) -> bytes:
    lines = {"Host": "127.0.0.1", "Connection": "close", "Content-Type": FORM, "X-Twilio-Signature": "x"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    if "Transfer-Encoding" not in lines:
        lines.setdefault("Content-Length", str(len(body)))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


MULTIPART = (
    b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n for n in range(1500)) + b"--x--"
)
HOSTILE = {
    "no signature": request_bytes(X_Twilio_Signature=""),
    "a signature in latin-1": request_bytes(X_Twilio_Signature="é"),
    "600 kB": request_bytes(body=b"a=" + b"x" * 600_000),
    "2,000 fields": request_bytes(body="&".join(f"f{n}={n}" for n in range(2000)).encode()),
    "multipart with 1,500 parts": request_bytes(body=MULTIPART, Content_Type="multipart/form-data; boundary=x"),
    "multipart cut off": request_bytes(body=MULTIPART[:100], Content_Type="multipart/form-data; boundary=x"),
    "multipart without a boundary": request_bytes(body=b"--", Content_Type="multipart/form-data"),
    "JSON": request_bytes(body=b"[" * 5000, Content_Type="application/json"),
    "JSON with an unreadable hash": request_bytes(
        "/twilio/voice/status?bodySHA256=%ff", body=b"\xff", Content_Type="application/json"
    ),
    "an unknown content type": request_bytes(body=b"\x00\xff", Content_Type="\xff/\xfe; charset=nonsense"),
    "an unknown charset": request_bytes(
        body=b"a=%81%40", Content_Type="application/x-www-form-urlencoded; charset=shift_jis"
    ),
    "a body shorter than announced": request_bytes(body=b"a=1", Content_Length="20"),
    "an absolute target": request_bytes("http://evil.example/twilio/voice/incoming"),
    "escapes that are none": request_bytes("/twilio/voice/incoming?a=%&b=%zz&c=%00"),
    "a host with port": request_bytes(Host="cti.example:8000"),
    "a shared key nobody has": request_bytes(X_Twilio_Webhooks_Signature_Settings="key=k,algorithm=HMAC_SHA256"),
    "a GET": request_bytes("/twilio/voice/status?CallSid=CA1", method="GET"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_stranger_gets_403_and_nothing_more(live: Running, name: str) -> None:
    assert exchange(live, HOSTILE[name]) == (403, b"")


CHUNKED = request_bytes(Transfer_Encoding="chunked")
MALFORMED = {
    "Host: xn--": request_bytes(Host="xn--"),
    "Host: xn--a": request_bytes(Host="xn--a"),
    "Host: xn--.com:80": request_bytes(Host="xn--.com:80"),
    "Host with a bad port": request_bytes(Host="a:b"),
    "Host in brackets": request_bytes(Host="[::1"),
    "no Host": request_bytes(Host=""),
    "two slashes": request_bytes("//twilio/voice/incoming", Host="xn--"),
    "a slash at the end": request_bytes("/twilio/voice/incoming/", Host="xn--"),
    "chunks that are none": CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n",
    "chunks cut off": CHUNKED + b"ffff\r\nabc",
    "a chunk of minus one": CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n",
    "a length that is none": request_bytes(body=b"a=1", Content_Length="many"),
    "a length below zero": request_bytes(body=b"a=1", Content_Length="-3"),
    "a PUT": request_bytes(method="PUT"),
    "a HEAD": request_bytes(method="HEAD"),
    "no path": request_bytes("*", method="OPTIONS"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_the_sender_s_mistake_and_never_ours(live: Running, name: str) -> None:
    status, _ = exchange(live, MALFORMED[name])
    assert 200 <= status < 500
    assert status != 200 or name == "no path"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    target=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=30).map(
        "/twilio/voice/status?{}".format
    ),
    host=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20)
    | st.from_regex(re.compile(r"xn--[a-z0-9-.]{0,8}(:\d+)?", re.ASCII), fullmatch=True),
    body=st.binary(max_size=200),
)
def test_no_bytes_get_a_server_error_or_in(live: Running, target: str, host: str, body: bytes) -> None:
    status, _ = exchange(live, request_bytes(target, body, Host=host))
    assert status in (400, 403, 404, 414)


def test_refusals_are_counted_and_show_as_a_failing_phone_line(live: Running) -> None:
    def refused() -> float:
        count = live.bridge.metrics.registry.get_sample_value(
            "cti_webhooks_total", {"kind": "status", "outcome": "refused"}
        )
        return count or 0.0

    before = refused()
    for _ in range(3):
        exchange(live, request_bytes("/twilio/voice/status"))
    assert refused() == before + 3
    assert live.bridge.webhooks.health.state == "quiet", "a stranger's noise must not worry the agents"
    for _ in range(3):
        exchange(live, request_bytes(f"/twilio/voice/status?AccountSid={live.twilio.account_sid}"))
    assert live.bridge.webhooks.health.state == "failing"
