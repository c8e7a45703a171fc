"""The screens' server: pages, the installed plug-in's files, its stored settings, and the proxy that adds stored secrets.

It stands before a FakeDomain as kintone's own host does: the REST API is passed on to the domain, with the signed-in
user's rights where no token is sent. What the documentation says of each rule stands in ``kintone.js`` and here.
"""

from __future__ import annotations

import io
import json
import threading
import zipfile
from base64 import b64encode
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests
from flask import Flask, Response, abort, request, send_file
from flask.typing import ResponseReturnValue

from tests.fakes.kintone import FakeDomain
from tests.fakes.loopback import Loopback

HERE = Path(__file__).parent
METHODS = ("GET", "POST", "PUT", "DELETE")
COOKIE = "kintone-user"


@dataclass(frozen=True)
class PageUser:
    """Somebody signed in to kintone, as ``kintone.getLoginUser()`` tells."""

    code: str
    name: str
    email: str
    language: str = "ja"


@dataclass
class Installed:
    """What one app keeps for the plug-in. ``proxies``: ``"POST https://…"`` → headers and data that the proxy adds."""

    config: dict[str, str] | None = None
    proxies: dict[str, dict[str, Any]] = field(default_factory=dict)


class KintonePages(Loopback):
    """``url`` is the domain's address for browsers and for the bridge. ``near_url`` is the same under the bridge's own
    host name, where browsers do not count the panel as a third party's; ``foreign_url`` under a name nobody allowed.

    ``proxied`` are the requests that kintone's servers made for pages, secrets included.
    """

    def __init__(self, domain: FakeDomain, plugin: Path) -> None:
        self.domain = domain
        self.users: dict[str, PageUser] = {}
        self.installed: dict[int, Installed] = {}
        self.proxied: list[dict[str, Any]] = []
        with zipfile.ZipFile(plugin) as outer:
            self._contents = zipfile.ZipFile(io.BytesIO(outer.read("contents.zip")))
            digest = sha256(outer.read("PUBKEY")).hexdigest()[:32]
        self.plugin_id = "".join("abcdefghijklmnop"[int(digit, 16)] for digit in digest)
        self.manifest = json.loads(self._contents.read("manifest.json"))
        self._reading = threading.Lock()
        super().__init__(self._app())
        self.url = f"http://localhost:{self.port}"
        self.near_url = f"http://127.0.0.1:{self.port}"
        self.foreign_url = f"http://foreign.localhost:{self.port}"

    def of_app(self, app: int) -> Installed:
        """What the app keeps for the plug-in; the plug-in is added to it if it was not."""
        return self.installed.setdefault(app, Installed())

    def _app(self) -> Flask:
        app = Flask(__name__, static_folder=None)
        for path in ("/k/<int:app>/", "/k/<int:app>/show", "/k/<int:app>/edit"):
            app.add_url_rule(path, f"desktop{path}", self._desktop)
        for path in ("/k/m/<int:app>/", "/k/m/<int:app>/show", "/k/m/<int:app>/edit"):
            app.add_url_rule(path, f"mobile{path}", self._mobile)
        app.get("/k/admin/app/<int:app>/plugin/config")(self._settings_page)
        app.get("/k/admin/app/<int:app>/plugin/")(self._plugin_list)
        app.get("/fake/<any('kintone.js', 'screens.js', 'screens.css'):name>")(self._own_file)
        app.get("/fake/plugin/<path:name>")(self._plugin_file)
        app.put("/fake/config/<int:app>")(self._set_config)
        app.put("/fake/proxy-config/<int:app>")(self._set_proxy)
        app.post("/fake/proxy")(self._proxy)
        app.add_url_rule("/k/<any('v1', 'guest'):root>/<path:path>", view_func=self._api, methods=METHODS)
        return app

    # ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _desktop(self, app: int) -> ResponseReturnValue:
        return self._page(app, "desktop", self.manifest["desktop"]["js"])

    def _mobile(self, app: int) -> ResponseReturnValue:
        return self._page(app, "mobile", self.manifest["mobile"]["js"])

    def _settings_page(self, app: int) -> ResponseReturnValue:
        config = self.manifest["config"]
        return self._page(app, "settings", config["js"], styles=config["css"], inside=config["html"])

    def _plugin_list(self, app: int) -> ResponseReturnValue:
        return f'<!doctype html><title>plug-ins</title><p data-test="plugin-saved">app {app}</p>'

    def _page(
        self, app: int, kind: str, scripts: list[str], *, styles: list[str] | None = None, inside: str | None = None
    ) -> str:
        if app not in self.domain.apps:
            abort(404)
        user = self.users[request.cookies.get(COOKIE, next(iter(self.users)))]
        kept = self.installed.get(app)
        facts = {
            "app": app,
            "kind": kind,
            "user": asdict(user),
            "plugin": self.plugin_id,
            "config": kept.config if kept else None,
            # Only the settings screen, which only administrators can open, is told what the proxy adds.
            "proxies": kept.proxies if kept and kind == "settings" else {},
        }
        # The plug-in runs where it was added; on its settings screen it runs to be set up.
        names = scripts if kept or kind == "settings" else []
        run = "\n".join(
            f'<script>kintone.$PLUGIN_ID = "{self.plugin_id}"</script><script src="/fake/plugin/{name}"></script>'
            "<script>delete kintone.$PLUGIN_ID</script>"
            for name in names
        )
        links = "".join(f'<link rel="stylesheet" href="/fake/plugin/{name}">' for name in styles or [])
        body = self._contents.read(inside).decode() if inside else ""
        told = json.dumps(facts, ensure_ascii=False).replace("<", "\\u003c")
        return f"""<!doctype html><html lang="{user.language}"><head><meta charset="utf-8"><title>kintone</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/fake/screens.css">{links}
</head><body><header>kintone <span data-test="user">{user.code}</span></header><main>{body}</main>
<script>window.fakeFacts = {told}</script><script src="/fake/kintone.js"></script>
{run}<script type="module" src="/fake/screens.js"></script></body></html>"""

    def _own_file(self, name: str) -> ResponseReturnValue:
        return send_file(HERE / name)

    def _plugin_file(self, name: str) -> ResponseReturnValue:
        kind = {"js": "text/javascript", "css": "text/css"}.get(name.rsplit(".", 1)[-1], "application/octet-stream")
        with self._reading:
            return Response(self._contents.read(name), mimetype=kind)

    # ── what the plug-in stores ─────────────────────────────────────────────────────────────────────────────────────

    def _set_config(self, app: int) -> ResponseReturnValue:
        self.of_app(app).config = request.get_json()
        return "", 204

    def _set_proxy(self, app: int) -> ResponseReturnValue:
        told = request.get_json()
        key = f"{told['method']} {told['url']}"
        self.of_app(app).proxies[key] = {"headers": told["headers"], "data": told["data"]}
        return "", 204

    # ── what kintone's servers do ───────────────────────────────────────────────────────────────────────────────────

    def _proxy(self) -> ResponseReturnValue:
        """A page's request, made from here. Stored values are added where app, plug-in, method and the start of the
        address agree, the longest address first (https://cybozu.dev/ja/kintone/docs/js-api/plugins/set-config-for-proxy)."""
        told = request.get_json()
        headers, data = dict(told["headers"]), told["data"]
        if told["plugin"]:
            asked = f"{told['method']} {told['url']}"
            found = [one for one in self.of_app(told["app"]).proxies.items() if asked.startswith(one[0])]
            stored: dict[str, Any] = max(found, key=lambda one: len(one[0]), default=("", {"headers": {}, "data": {}}))[
                1
            ]
            headers |= stored["headers"]
            if isinstance(data, dict):
                data = data | stored["data"]
        self.proxied.append({**told, "headers": headers, "data": data})
        body = data if isinstance(data, str) else json.dumps(data)
        try:
            answer = requests.request(
                told["method"],
                told["url"],
                headers=headers,
                data=body.encode() if told["method"] in ("POST", "PUT") else None,
                timeout=10,
            )
        except requests.RequestException:
            return json.dumps({"code": "GAIA_PR01", "message": "The request could not be sent."}), 520
        return {"answer": [answer.text, answer.status_code, dict(answer.headers)]}

    def _api(self, root: str, path: str) -> ResponseReturnValue:
        """The REST API, as the domain answers it."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "cookie")}
        if not any(name.lower() in ("x-cybozu-api-token", "authorization") for name in headers):
            user = self.domain.administrator
            headers["X-Cybozu-Authorization"] = b64encode(f"{user.code}:{user.password}".encode()).decode()
        answer = requests.request(
            request.method,
            f"{self.domain.url}/k/{root}/{path}",
            params=request.args.to_dict(flat=False),
            headers=headers,
            data=request.get_data(),
            timeout=30,
        )
        kept = {name: value for name, value in answer.headers.items() if name.lower().startswith("x-")}
        return Response(answer.content, answer.status_code, kept, content_type=answer.headers.get("Content-Type"))
