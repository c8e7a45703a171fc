"""What an administrator should know about the org: every finding in plain words, with its mend. Raises nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

from cti_bridge.connectors.salesforce.budget import WARN_AT
from cti_bridge.connectors.salesforce.content import REFERENCES, can_hold, closed_status
from cti_bridge.connectors.salesforce.lookup import Lookup
from cti_bridge.connectors.salesforce.problems import Both, SalesforceRefused, SalesforceUnavailable
from cti_bridge.connectors.salesforce.records import shapes
from cti_bridge.connectors.salesforce.schema import Described, Table, contact_objects
from cti_bridge.connectors.salesforce.soql import select
from cti_bridge.connectors.salesforce.tasks import CALL_ID_LENGTH, external_id_column
from cti_bridge.errors import ConnectorError
from cti_bridge.model import Finding, Severity

WRITTEN = (*REFERENCES, "Subject", "ActivityDate", "Status", "CallType", "CallDurationInSeconds", "CallDisposition")
"""What every call's Task says, besides its text and the call's id."""

OPEN_CTI_ENDS = date(2028, 2, 28)
TOLERABLE_SKEW = timedelta(seconds=60)

OK, WARNING, ERROR = Severity.OK, Severity.WARNING, Severity.ERROR


class CheckUp:
    """Asks the org anew, so that what an administrator has just mended is seen."""

    def __init__(self, lookup: Lookup, public_url: str) -> None:
        self._lookup = lookup
        self._settings = lookup.settings
        self._public_url = public_url

    def findings(self, now: datetime) -> list[Finding]:
        """Never raises: what goes wrong is itself a finding."""
        try:
            described = self._described()
        except Exception as problem:  # noqa: BLE001  (a check-up reports whatever is wrong, also our own mistakes)
            told = self._not_reached(problem)
            return [*told, *self._guarded(self._clock)]
        parts: list[Callable[[], Iterator[Finding]]] = [
            lambda: self._signed_in(described),
            self._clock,
            lambda: self._objects(described),
            lambda: self._named_fields(described),
            lambda: self._mapped_fields(described),
            lambda: self._task(described),
            lambda: self._statuses(described),
            lambda: self._call_centre(now.astimezone(UTC).date()),
            self._budget,
        ]
        return [finding for part in parts for finding in self._guarded(part)]

    def _described(self) -> Described:
        known = self._lookup.schema.known
        return self._lookup.schema.refresh(known) if known else self._lookup.schema.get()

    def _guarded(self, part: Callable[[], Iterator[Finding]]) -> list[Finding]:
        try:
            return list(part())
        except Exception as problem:  # noqa: BLE001  (see above)
            return self._not_reached(problem)

    def _not_reached(self, problem: Exception) -> list[Finding]:
        """In each language its own words; of a mistake of ours, its name."""
        if isinstance(problem, SalesforceUnavailable | SalesforceRefused):
            said = problem.words
        else:
            said = Both(*[str(problem) if isinstance(problem, ConnectorError) else type(problem).__name__] * 2)
        return [
            Finding(
                ERROR,
                "salesforce",
                f"Salesforceに確認できません：{said.ja}",
                f"Salesforce could not be asked: {said.en}",
            )
        ]

    # ── the parts ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _signed_in(self, described: Described) -> Iterator[Finding]:
        flow = (
            ("JWTベアラー", "JWT bearer")
            if self._settings.signs_in_by_jwt
            else ("クライアントログイン情報", "client credentials")
        )
        yield Finding(
            OK,
            "sign-in",
            f"{self._settings.origin} にサインインできました（{flow[0]}フロー）。APIを利用できます。",
            f"Signed in to {self._settings.origin} ({flow[1]} flow); its interface is open to us.",
        )
        wanted, newest = self._settings.api_version, described.versions[-1] if described.versions else "?"
        if described.version != wanted:
            yield Finding(
                WARNING,
                "api-version",
                f"この組織はAPIバージョン{wanted}に対応していないため、{described.version}を使います。"
                f"SALESFORCE_API_VERSION={described.version} にしてください。",
                f"This org does not speak version {wanted} yet; {described.version} is used. "
                f"Set SALESFORCE_API_VERSION={described.version}.",
            )
        else:
            yield Finding(
                OK,
                "api-version",
                f"APIバージョン{wanted}を使います（この組織の最新は{newest}）。",
                f"Interface version {wanted} is used; the org's newest is {newest}.",
            )

    def _clock(self) -> Iterator[Finding]:
        skew = self._lookup.org.clock_skew
        if skew is None or abs(skew) <= TOLERABLE_SKEW:
            return
        seconds = round(abs(skew).total_seconds())
        yield Finding(
            WARNING,
            "clock",
            f"このマシンの時計がSalesforceと{seconds:,}秒ずれています。JWTによるサインインが失敗します。NTPで合わせてください。",
            f"This machine's clock differs from Salesforce's by {seconds:,} seconds; sign-in by JWT fails. Set it by NTP.",
        )

    def _objects(self, described: Described) -> Iterator[Finding]:
        known = {shape.table.name: shape for shape in shapes(described, self._settings)}
        for name in contact_objects(self._settings):
            shape = known.get(name)
            if shape is None:
                yield Finding(
                    ERROR if self._settings.phone_fields else WARNING,
                    name,
                    f"{name}が見えません。CTI Bridge用ユーザーの権限セットに参照権限を付けてください。",
                    f"{name} cannot be seen; give the bridge's user the right to read it in the permission set.",
                )
                continue
            held = [*shape.normalised, *shape.phones]
            if not held:
                yield Finding(
                    WARNING,
                    name,
                    f"{shape.table.label}（{name}）に参照できる電話番号項目がありません。項目レベルセキュリティを確認してください。",
                    f"{name} has no telephone field that we may read; check field-level security.",
                )
                continue
            yield Finding(
                OK,
                name,
                f"{shape.table.label}（{name}）を{len(held)}項目で検索します：{', '.join(held)}。",
                f"{name} is searched by {', '.join(held)}.",
            )
            if name == self._settings.create_as and not shape.table.createable:
                yield Finding(
                    WARNING,
                    name,
                    f"{name}を作成する権限がないため、画面から顧客を新規登録できません。",
                    f"There is no right to create a {name}: agents cannot add new customers.",
                )
            if name == "Account" and self._settings.create_as == "Contact" and not shape.table.createable:
                yield Finding(
                    WARNING,
                    name,
                    "Accountを作成する権限がないため、Salesforceにまだない会社の人は、画面から新規登録できません。",
                    "There is no right to create an Account: agents cannot add people of a company that is new.",
                )
        account = described.tables.get("Account")
        if account is not None and "PersonContactId" in account.columns:
            yield Finding(
                OK,
                "person-accounts",
                "個人取引先が有効です。個人として検索し、活動は本人に記録します。",
                "Person accounts are in use: they are found as people, and calls are logged on the person.",
            )

    def settings_unmet(self, described: Described) -> list[Finding]:
        """What settings name and the org does not have or does not take."""
        found = [*self._named_fields(described), *self._mapped_fields(described)]
        return [finding for finding in found if finding.severity is ERROR]

    def _named_fields(self, described: Described) -> Iterator[Finding]:
        """The fields that settings name and the org does not show, or that cannot hold what they should."""
        settings = self._settings
        named = {
            "SALESFORCE_PHONE_FIELDS": settings.phone_fields,
            "SALESFORCE_NORMALISED_FIELDS": settings.normalised_fields,
            "SALESFORCE_READING_FIELDS": settings.reading_fields,
            "SALESFORCE_CARD_FIELDS": settings.card_fields,
        }
        for setting, fields in named.items():
            for field in fields:
                sobject, _, name = field.partition(".")
                table = described.tables.get(sobject)
                column = table.columns.get(name) if table else None
                if column is None:
                    yield _hidden(setting, field)
                elif setting == "SALESFORCE_NORMALISED_FIELDS" and not column.external_id:
                    yield Finding(
                        WARNING,
                        setting,
                        f"{field} を「外部ID」にすると、索引が付いて検索が速くなります。",
                        f"Mark {field} as External ID: it is then indexed, and found faster.",
                    )

    def _mapped_fields(self, described: Described) -> Iterator[Finding]:
        """The fields of SALESFORCE_TASK_FIELDS that will stay empty."""
        setting, task = "SALESFORCE_TASK_FIELDS", described.tables.get("Task")
        for fact, name in self._settings.task_mapping.items():
            column = task.columns.get(name) if task else None
            if column is None:
                yield _hidden(setting, f"Task.{name}")
            elif not can_hold(column, fact):
                yield Finding(
                    ERROR,
                    setting,
                    f"Task.{name}（{column.type}型）には {fact} を書き込めません。別の型の項目を指定してください。",
                    f"Task.{name} is of type {column.type}, which cannot hold {fact}; name a field of another type.",
                )
            elif not column.createable:
                yield Finding(
                    ERROR,
                    setting,
                    f"Task.{name} に書き込む権限がありません。項目レベルセキュリティで編集を許可してください。",
                    f"Task.{name} cannot be written; allow editing in field-level security.",
                )

    def _task(self, described: Described) -> Iterator[Finding]:
        task = described.tables.get("Task")
        if task is None or not task.createable:
            yield Finding(
                ERROR,
                "Task",
                "ToDo（Task）を作成できないため、通話を記録できません。権限セットで「ToDoの編集」を許可してください。",
                "Tasks cannot be created, so calls cannot be logged; allow Edit Tasks in the permission set.",
            )
            return
        locked = [name for name in (*WRITTEN, "Description") if not self._writable(task, name)]
        if locked:
            yield Finding(
                WARNING,
                "Task",
                f"ToDoの次の項目に書き込む権限がないため、空のまま記録されます：{', '.join(locked)}。"
                "項目レベルセキュリティで編集を許可してください（WhoIdは「名前」、WhatIdは「関連先」、OwnerIdは「任命先」）。",
                f"These fields of Task cannot be written and stay empty: {', '.join(locked)}. Allow editing in field-level "
                "security (WhoId is Name, WhatId is Related To, OwnerId is Assigned To).",
            )
        column = external_id_column(task, self._settings)
        wanted = self._settings.external_id_field
        if column is not None:
            yield Finding(
                OK,
                "call-id",
                f"通話IDを外部ID項目 {column.name} に記録します（1通話1リクエスト）。",
                f"A call's id goes into the external id field {column.name}: one request a call.",
            )
            if not column.unique:
                yield Finding(
                    WARNING,
                    "call-id",
                    f"{column.name} を「ユニーク」にしてください。重複した活動が作られるのをSalesforceが防ぎます。",
                    f"Mark {column.name} as Unique, so that Salesforce itself keeps doubles out.",
                )
            return
        if wanted and wanted.lower() != "none":
            yield Finding(
                ERROR,
                "SALESFORCE_EXTERNAL_ID_FIELD",
                f"{wanted} は活動の外部ID項目として使えません。"
                f"テキスト（{CALL_ID_LENGTH}文字以上）か、編集の権限があるかを確認してください。",
                f"{wanted} is no external id of Activity that we may write; it must be a text of at least {CALL_ID_LENGTH} "
                "characters, and editable for the bridge's user.",
            )
        held = task.columns.get("CallObject")
        usable = held is not None and held.createable and held.filterable
        yield Finding(
            OK if usable else ERROR,
            "call-id",
            "通話IDを「コールオブジェクト識別子」（CallObject）に記録します（1通話2リクエスト）。"
            + ("" if usable else "しかし、この項目の権限がありません。"),
            "A call's id goes into Call Object Identifier (CallObject): two requests a call."
            + ("" if usable else " But there is no right to that field."),
        )

    @staticmethod
    def _writable(task: Table, name: str) -> bool:
        column = task.columns.get(name)
        return column is not None and column.createable and column.updateable

    def _statuses(self, described: Described) -> Iterator[Finding]:
        status = closed_status(described, self._settings)
        if status is None:
            yield Finding(
                ERROR,
                "SALESFORCE_TASK_STATUS",
                "通話の状況に使える「完了」の値がありません。SALESFORCE_TASK_STATUS にToDoの状況の値を書いてください。",
                "There is no closed status for a call's Task; write one of Task's statuses into SALESFORCE_TASK_STATUS.",
            )
        elif status not in described.closed_statuses:
            yield Finding(
                WARNING,
                "SALESFORCE_TASK_STATUS",
                f"状況「{status}」は完了扱いではないため、通話が未完了のToDoとして残ります。",
                f"The status {status} does not count as closed: calls stay open Tasks.",
            )
        else:
            yield Finding(
                OK, "status", f"通話は状況「{status}」で記録します。", f"Calls are logged with the status {status}."
            )

    def _call_centre(self, today: date) -> Iterator[Finding]:
        ended = today > OPEN_CTI_ENDS
        try:
            [centres] = self._lookup.org.rows(select(["Name", "AdapterUrl"], "CallCenter", limit=50))
        except SalesforceRefused:
            centres = None
        ours = f"{self._public_url.rstrip('/')}/widgets/salesforce" if self._public_url else "/widgets/salesforce"
        addresses = [str(centre.get("AdapterUrl") or "") for centre in centres or ()]
        found = [one for one in addresses if one.startswith(self._public_url) and "/widgets/salesforce" in one]
        if found and not ended:
            yield Finding(
                OK,
                "call-centre",
                "Open CTIのコールセンターが登録されています。Open CTIは2028年2月28日に終了するため、"
                "それまでにユーティリティバーのパネルへ移行してください。",
                "A call centre for Open CTI is set up. Open CTI ends on 28 February 2028; move to the plain panel in the "
                "utility bar before then.",
            )
        elif centres is None or ended:
            yield Finding(
                WARNING,
                "call-centre",
                "この組織ではOpen CTIを確認できません（新しいAgentforce Service組織では使えません）。"
                "ユーティリティバーにパネルを配置してください。着信表示・発信・記録は同じように使えます。",
                "Open CTI cannot be seen in this org (new Agentforce Service orgs have none). Put the plain panel into the "
                "utility bar: it pops, dials and logs just the same.",
            )
        else:
            yield Finding(
                WARNING,
                "call-centre",
                f"{ours} のコールセンターがまだありません。cti-bridge salesforce call-center で定義を作り、"
                "「設定」→「コールセンター」でインポートするか、ユーティリティバーにパネルを配置してください。"
                "Open CTIは2028年2月28日に終了し、新しいAgentforce Service組織では使えません。",
                f"There is no call centre for {ours} yet. Make its definition with cti-bridge salesforce call-center and "
                "import it at Setup → Call Centers, or put the plain panel into the utility bar. Open CTI ends on 28 "
                "February 2028 and is closed to new Agentforce Service orgs.",
            )

    def _budget(self) -> Iterator[Finding]:
        for usage in self._lookup.org.budget.usage():
            share = self._lookup.org.budget.share
            much = share >= WARN_AT[-1]
            more = (
                (
                    "95%を超えると着信時の検索を控え、記録を優先します。",
                    "From 95 % on, look-ups are spared for call logs.",
                )
                if much
                else ("", "")
            )
            yield Finding(
                WARNING if much else OK,
                "requests",
                f"過去24時間のAPIリクエスト：{usage.used:,.0f} / {usage.limit or 0:,.0f}（{share:.0%}）。{more[0]}",
                f"Requests of the last 24 hours: {usage.used:,.0f} of {usage.limit or 0:,.0f} ({share:.0%}). "
                f"{more[1]}".strip(),
            )


def _hidden(setting: str, field: str) -> Finding:
    return Finding(
        ERROR,
        setting,
        f"{field} がないか、見えません。API参照名と項目レベルセキュリティを確認してください。",
        f"{field} does not exist or is hidden; check its API name and field-level security.",
    )
