"""What a setting may be, and what is said about one that is wrong: its name, the mend, never a secret."""

from __future__ import annotations

import traceback
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cti_bridge.environment import on_this_machine
from cti_bridge.errors import SettingsError
from cti_bridge.model import Disposition
from cti_bridge.settings import HEROKUS_DOMAIN, Settings
from cti_bridge.store import Database

GOOD = {
    "CTI_PUBLIC_URL": "https://cti.example.co.jp",
    "CTI_SECRET_KEY": "correct horse battery staple 0123",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "an auth token",
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    for name in ("DYNO", "LC_ALL", HEROKUS_DOMAIN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")


def read(**changed: object) -> Settings:
    return Settings.read({**GOOD, **changed})


def complaint(**changed: object) -> str:
    with pytest.raises(SettingsError) as refused:
        read(**changed)
    return str(refused.value)


# ── what is wrong is named, with the mend ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("CTI_PUBLIC_URL", "", "https://cti.example.co.jp"),
        ("CTI_PUBLIC_URL", "cti.example.co.jp", "write the whole address"),
        ("CTI_PUBLIC_URL", "ftp://cti.example.co.jp", "write the whole address"),
        ("CTI_PUBLIC_URL", "https://", "write the whole address"),
        ("CTI_PUBLIC_URL", "https://[::1", "write the whole address"),
        ("CTI_PUBLIC_URL", "https://cti.example.co.jp:99999", "write the whole address"),
        ("CTI_PUBLIC_URL", "https://cti.example.co.jp:port", "write the whole address"),
        ("CTI_PUBLIC_URL", "https://cti.example.co.jp?x=1", "write the whole address"),
        ("CTI_PUBLIC_URL", "https://cti.example.co.jp#x", "write the whole address"),
        ("CTI_PUBLIC_URL", "https://cti.example.co.jp/ x", "write the whole address"),
        ("CTI_PUBLIC_URL", "https://taro:secret@cti.example.co.jp", "leave out user and password"),
        ("CTI_PUBLIC_URL", "http://cti.example.co.jp", "use https"),
        ("CTI_PUBLIC_URL", "http://127.0.0.1.example.co.jp", "use https"),
        ("CTI_PUBLIC_URL", "https://日本.example", "xn--"),
        ("CTI_PUBLIC_URL", "https://my_bridge.example", "underscore"),
        ("CTI_SECRET_KEY", "short", "secrets.token_urlsafe(32)"),
        ("CTI_REGION", "jp", "such as JP"),
        ("CTI_REGION", "ZZ", "such as JP"),
        ("CTI_LANGUAGE", "fr", "must be ja or en"),
        ("CTI_TIMEZONE", "Mars/Olympus", "such as Asia/Tokyo"),
        ("CTI_TIMEZONE", "../../etc/passwd", "such as Asia/Tokyo"),
        ("CTI_EMBED_ORIGINS", "acme.cybozu.com", "https://acme.cybozu.com"),
        ("CTI_EMBED_ORIGINS", "https://acme.cybozu.com/k/1/", "scheme and host only"),
        ("CTI_EMBED_ORIGINS", "https://acme.cybozu.com?x=1", "scheme and host only"),
        ("CTI_EMBED_ORIGINS", "https://acme.cybozu.com;script-src", "scheme and host only"),
        ("CTI_EMBED_ORIGINS", "https://taro@acme.cybozu.com", "scheme and host only"),
        ("CTI_EMBED_ORIGINS", "https://acme.cybozu.com:99999", "scheme and host only"),
        ("CTI_EMBED_ORIGINS", "https://*.cybozu.com", "scheme and host only"),
        ("CTI_EMBED_ORIGINS", "*", "scheme and host only"),
        ("CTI_EMBED_ORIGINS", "null", "scheme and host only"),
        ("CTI_EMBED_ORIGINS", "https://acme.cybozu.com http://other.example", "use https"),
        ("CTI_DISPOSITIONS", "", "callback=再コール/Call back"),
        ("CTI_DISPOSITIONS", "再コール", "callback=再コール/Call back"),
        ("CTI_DISPOSITIONS", "a=良/Good, a=悪/Bad", "callback=再コール/Call back"),
        ("CTI_DISPOSITIONS", "a=良/Good,,b=悪/Bad", "callback=再コール/Call back"),
        ("CTI_WRAP_UP_MINUTES", "ten", "must be a whole number"),
        ("CTI_WRAP_UP_MINUTES", "0", "greater than or equal to 1"),
        ("CTI_WRAP_UP_MINUTES", "241", "less than or equal to 240"),
        ("CTI_LOOKUP_DEADLINE_SECONDS", "soon", "must be a number"),
        ("CTI_LOOKUP_DEADLINE_SECONDS", "nan", "less than or equal to 60"),
        ("CTI_INDEX_FRESH_HOURS", "inf", "less than or equal to 2160"),
        ("CTI_MAX_SOCKETS", "0", "greater than or equal to 1"),
        ("CTI_OUTBOX_IN_WEB", "maybe", "must be yes or no"),
        ("CTI_DIAL_COUNTRIES", "JP, Japan", "such as JP US"),
        ("TWILIO_ACCOUNT_SID", "SK" + "0" * 32, "AC and 32 characters"),
        ("TWILIO_AUTH_TOKEN", "", "is set but empty"),
        ("TWILIO_AUTH_TOKEN", " , ", "is set but empty"),
        ("TWILIO_API_KEY", "AC" + "0" * 32, "SK and 32 characters"),
        ("TWILIO_API_KEY", "SK" + "0" * 32, "TWILIO_API_SECRET"),
        ("TWILIO_API_SECRET", "a secret", "TWILIO_API_KEY"),
        ("CTI_TWILIO_API_URL", "https://api.twilio.com", "must point to this machine"),
        ("CTI_TWILIO_API_URL", "http://localhost@api.twilio.com", "must point to this machine"),
        ("CTI_TWILIO_API_URL", "http://10.0.0.1:5080", "must point to this machine"),
        ("CTI_TWILIO_API_URL", "http://[::1", "must point to this machine"),
        ("CTI_TWILIO_API_URL", "ftp://127.0.0.1", "must point to this machine"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name_and_the_mend(name: str, value: str, mend: str) -> None:
    said = complaint(**{name: value})
    assert said.startswith("The bridge cannot start: 1 setting is missing or wrong.\n")
    assert name in said
    assert mend in said


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_setting_is_named(name: str) -> None:
    assert f"  {name}: is not set" in complaint(**{name: None})


def test_all_that_is_wrong_is_told_at_once() -> None:
    said = complaint(CTI_PUBLIC_URL="x", CTI_SECRET_KEY="x", TWILIO_ACCOUNT_SID="x", CTI_REGION="x")
    assert said.startswith("The bridge cannot start: 4 settings are missing or wrong.\n")
    assert len(said.splitlines()) == 5


def test_sqlite_on_heroku_is_refused_with_the_reason_and_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNO", "web.1")
    for url in ({}, {"DATABASE_URL": "sqlite:///bridge.db"}):
        said = complaint(**url)
        assert "wiped at every restart" in said
        assert "heroku addons:create heroku-postgresql" in said
    accepted = read(DATABASE_URL="postgres://u:p@db.example/bridge")
    assert accepted.database_url.get_secret_value() == "postgres://u:p@db.example/bridge"


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────────

SECRETS = ("CTI_SECRET_KEY", "TWILIO_AUTH_TOKEN", "TWILIO_SHARED_KEY", "TWILIO_API_SECRET", "DATABASE_URL")
WRONG = st.sampled_from(
    [{}, {"CTI_PUBLIC_URL": "x"}, {"CTI_REGION": "x", "TWILIO_API_KEY": "x"}, {"CTI_MAX_SOCKETS": "x"}]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=st.text("abcdefXYZ0189+/=_-", min_size=8, max_size=60), name=st.sampled_from(SECRETS), wrong=WRONG)
@example(secret="tooshort", name="CTI_SECRET_KEY", wrong={})
@example(secret="forgotten key", name="TWILIO_API_SECRET", wrong={})
def test_a_secret_shows_in_no_text_and_no_error(secret: str, name: str, wrong: dict[str, str]) -> None:
    secret = f"Geheim{secret}"
    try:
        told = read(**{name: secret, **wrong})
    except SettingsError as refused:
        texts = [str(refused), repr(refused), str(refused.__context__), repr(refused.__context__)]
        texts += traceback.format_exception(refused)
    else:
        texts = [repr(told), str(told), f"{told.model_dump()}"]
    assert not [text for text in texts if secret in text]


@pytest.mark.parametrize("url", ["mysql://u:Geheim@db/x", "postgresql://u:Geheim@db:port/x", "Geheim", ""])
def test_a_database_address_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL .*sqlite:///bridge\.db") as refused:
        Database(url)
    assert "Geheim" not in "".join(traceback.format_exception(refused.value))


# ── what is right ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_little_that_must_be_set_is_enough() -> None:
    told = read()
    assert (told.connector, told.region, told.language, told.timezone) == ("local", "JP", "ja", "Asia/Tokyo")
    assert told.database_url.get_secret_value() == "sqlite:///cti-bridge.db"
    assert told.diallable_countries == {"JP"}
    assert told.wrap_up_limit == timedelta(minutes=10)
    assert told.index_freshness == timedelta(hours=24)
    assert Disposition("callback", "再コール", "Call back") in told.disposition_list


def test_the_environment_is_read_and_what_is_handed_in_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CTI_REGION", "US")
    assert Settings.read().region == "US"
    assert Settings.read({"CTI_REGION": "GB", "SOMETHING_ELSE": 1, "CTI_LANGUAGE": None}).region == "GB"


@pytest.mark.parametrize("given", ["old,new", "old new", " old ,\n new ", ["old", "new"]])
def test_several_auth_tokens_are_known_while_one_is_rotated(given: object) -> None:
    assert [token.get_secret_value() for token in read(TWILIO_AUTH_TOKEN=given).twilio_auth_tokens] == ["old", "new"]


def test_several_auth_tokens_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "old,new")
    told = Settings.read({name: value for name, value in GOOD.items() if name != "TWILIO_AUTH_TOKEN"})
    assert [token.get_secret_value() for token in told.twilio_auth_tokens] == ["old", "new"]


@pytest.mark.parametrize(
    ("url", "kept", "origin"),
    [
        ("https://cti.example.co.jp/", "https://cti.example.co.jp", "https://cti.example.co.jp"),
        (" https://cti.example.co.jp\n", "https://cti.example.co.jp", "https://cti.example.co.jp"),
        (
            "https://CTI.example.co.jp:8443/phone/",
            "https://CTI.example.co.jp:8443/phone",
            "https://cti.example.co.jp:8443",
        ),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://localhost", "http://localhost", "http://localhost"),
        ("http://[::1]:5000", "http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_the_public_address_is_kept_as_twilio_signs_it(url: str, kept: str, origin: str) -> None:
    told = read(CTI_PUBLIC_URL=url)
    assert (told.public_url, told.public_origin) == (kept, origin)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("https://acme.cybozu.com", ("https://acme.cybozu.com",)),
        ("https://Acme.Cybozu.com/", ("https://acme.cybozu.com",)),
        ("https://a.example, https://b.example:8443", ("https://a.example", "https://b.example:8443")),
        ("http://localhost:3000 http://[::1]:3000", ("http://localhost:3000", "http://[::1]:3000")),
    ],
)
def test_embedding_pages_are_written_as_browsers_send_them(text: str, origins: tuple[str, ...]) -> None:
    assert read(CTI_EMBED_ORIGINS=text).embed_origins == origins


def test_the_simulator_is_accepted_on_this_machine() -> None:
    assert read(CTI_TWILIO_API_URL="http://127.0.0.1:5080/").twilio_api_url == "http://127.0.0.1:5080"
    assert read(CTI_TWILIO_API_URL="").twilio_api_url is None


def test_an_api_key_comes_with_its_secret() -> None:
    assert read(TWILIO_API_KEY="SK" + "a" * 32, TWILIO_API_SECRET="a secret").twilio_api_key == "SK" + "a" * 32


def test_more_countries_may_be_dialled_when_they_are_named() -> None:
    assert read(CTI_DIAL_COUNTRIES="JP, US").diallable_countries == {"JP", "US"}


def test_dispositions_have_words_in_both_languages() -> None:
    [callback] = read(CTI_DISPOSITIONS=" callback = 再コール / Call back ").disposition_list
    assert (callback.code, callback.label("ja"), callback.label("en")) == ("callback", "再コール", "Call back")


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost", True),
        ("http://127.8.9.1:1", True),
        ("http://[::1]", True),
        ("http://10.0.0.1", False),
        ("http://localhost.example", False),
        ("http://", False),
        ("http://[", False),
        ("http://127.0.0.1:99999", False),
    ],
)
def test_this_machine_is_loopback_only(url: str, here: bool) -> None:
    assert on_this_machine(url) is here


@given(st.text())
def test_no_text_breaks_the_question_whether_it_is_this_machine(text: str) -> None:
    assert on_this_machine(text) in (True, False)


@pytest.mark.parametrize(("variable", "value"), [("CTI_LANGUAGE", "ja"), ("LC_ALL", "ja_JP.UTF-8")])
def test_a_japanese_administrator_reads_japanese(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    said = complaint(CTI_PUBLIC_URL="http://cti.example.co.jp", TWILIO_ACCOUNT_SID="AC1", CTI_REGION="Japan")
    assert "CTI_PUBLIC_URL: httpsにしてください" in said
    assert "TWILIO_ACCOUNT_SID: 形が違うようです" in said
    assert "CTI_REGION: JP のような国名" in said


@pytest.mark.parametrize("given_url", [None, ""])
def test_on_heroku_the_apps_own_domain_is_the_public_address(
    given_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HEROKUS_DOMAIN, "my-cti-1a2b3c.herokuapp.com")
    assert read(CTI_PUBLIC_URL=given_url).public_url == "https://my-cti-1a2b3c.herokuapp.com"
    assert read().public_url == GOOD["CTI_PUBLIC_URL"], "one that is set wins"
