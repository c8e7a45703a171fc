"""The objects every org has, cut to the fields that a telephone bridge meets. Custom ones are added by the test.

Fields, types and lengths: Object Reference,
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
"""

from __future__ import annotations

from typing import Any, Protocol

from .schema import Field, Row, Schema, SObject


class Facts(Protocol):
    """What computed fields must know of the org."""

    locale: str

    def row(self, record_id: str | None) -> Row | None: ...

    def live(self, sobject: str) -> list[Row]: ...

    def closed_task_statuses(self) -> set[str]: ...


def audit_fields() -> list[Field]:
    """The fields that every record has and Salesforce writes."""
    fixed: dict[str, Any] = {"createable": False, "updateable": False, "nillable": False}
    return [
        Field(name="Id", label="Record ID", label_ja="ID", type="id", length=18, id_lookup=True, **fixed),
        Field(name="IsDeleted", label="Deleted", label_ja="削除", type="boolean", default=False, **fixed),
        Field(name="CreatedDate", label="Created Date", label_ja="作成日", type="datetime", **fixed),
        _user("CreatedById", "CreatedBy", "Created By ID", "作成者 ID", **fixed),
        Field(name="LastModifiedDate", label="Last Modified Date", label_ja="最終更新日", type="datetime", **fixed),
        _user("LastModifiedById", "LastModifiedBy", "Last Modified By ID", "最終更新者 ID", **fixed),
        Field(name="SystemModstamp", label="System Modstamp", label_ja="システム更新日時", type="datetime", **fixed),
    ]


def new_object(name: str, label: str, plural: str, label_ja: str, prefix: str, *fields: Field, **more: Any) -> SObject:
    """An object with the audit fields and its own."""
    sobject = SObject(name=name, label=label, plural=plural, label_ja=label_ja, prefix=prefix, **more)
    sobject.add(*audit_fields(), *fields)
    return sobject


def phone(name: str, label: str, label_ja: str) -> Field:
    return Field(name=name, label=label, label_ja=label_ja, type="phone", length=40)


def owner() -> Field:
    return _user("OwnerId", "Owner", "Owner ID", "所有者 ID", nillable=False, default="")


def _user(name: str, relationship: str, label: str, label_ja: str, **more: Any) -> Field:
    kind: dict[str, Any] = {"type": "reference", "length": 18, "reference_to": ("User",)}
    return Field(name=name, label=label, label_ja=label_ja, relationship=relationship, **kind, **more)


def _text(name: str, label: str, label_ja: str, length: int, **more: Any) -> Field:
    return Field(name=name, label=label, label_ja=label_ja, length=length, **more)


def _notes(length: int = 32_000) -> Field:
    return _text("Description", "Description", "説明", length, type="textarea")


def _flag(name: str, label: str, label_ja: str, **more: Any) -> Field:
    return Field(name=name, label=label, label_ja=label_ja, type="boolean", default=False, nillable=False, **more)


def _lookup(name: str, relationship: str, to: tuple[str, ...], children: str | None, **more: Any) -> Field:
    kind: dict[str, Any] = {"type": "reference", "length": 18, "reference_to": to, "relationship": relationship}
    return Field(name=name, children=children, **kind, **more)


def _pick(name: str, label: str, label_ja: str, values: dict[str, str], **more: Any) -> Field:
    picked: dict[str, Any] = {"picklist": tuple(values), "picklist_ja": tuple(values.values())}
    more.setdefault("length", 255)
    return Field(name=name, label=label, label_ja=label_ja, type="picklist", **picked, **more)


def _computed(name: str, label: str, label_ja: str, kind: str, compute: Any, **more: Any) -> Field:
    fixed: dict[str, Any] = {"createable": False, "updateable": False, "type": kind, "compute": compute}
    return Field(name=name, label=label, label_ja=label_ja, **fixed, **more)


def standard_schema(facts: Facts) -> Schema:
    """A fresh org's objects."""
    schema = Schema()
    for make in (_people, _companies, _activities, _work, _setup):
        for sobject in make(facts):
            schema.add(sobject)
    return schema


def _full_name(facts: Facts) -> Field:
    def name(row: Row) -> str:
        parts = [row.get("FirstName"), row.get("LastName")]
        return " ".join(part for part in (reversed(parts) if facts.locale.startswith("ja") else parts) if part)

    return _computed("Name", "Full Name", "氏名", "string", name, length=121, name_field=True, nillable=False)


def _last_activity(facts: Facts, link: str) -> Field:
    def latest(row: Row) -> Any:
        closed = facts.closed_task_statuses()
        done = [*(task for task in facts.live("Task") if task.get("Status") in closed), *facts.live("Event")]
        return max(
            (one["ActivityDate"] for one in done if one.get(link) == row["Id"] and one["ActivityDate"]), default=None
        )

    return _computed("LastActivityDate", "Last Activity", "最終活動日", "date", latest)


def _person_fields(facts: Facts) -> list[Field]:
    return [
        _text("LastName", "Last Name", "姓", 80, nillable=False),
        _text("FirstName", "First Name", "名", 40),
        _full_name(facts),
        phone("Phone", "Business Phone", "電話"),
        phone("MobilePhone", "Mobile Phone", "携帯"),
        phone("Fax", "Fax", "Fax"),
        _text("Email", "Email", "メール", 80, type="email", id_lookup=True),
        _text("Title", "Title", "役職", 128),
        _notes(),
        _last_activity(facts, "WhoId"),
        owner(),
    ]


def _people(facts: Facts) -> list[SObject]:
    contact = new_object("Contact", "Contact", "Contacts", "取引先責任者", "003", *_person_fields(facts))
    contact.add(
        phone("HomePhone", "Home Phone", "自宅電話"),
        phone("OtherPhone", "Other Phone", "その他の電話"),
        phone("AssistantPhone", "Asst. Phone", "アシスタント電話"),
        _text("AssistantName", "Assistant's Name", "アシスタント", 40),
        _text("Department", "Department", "部署", 80),
        _lookup("AccountId", "Account", ("Account",), "Contacts", label="Account ID", label_ja="取引先 ID"),
    )
    contact.name_group = ("AssistantName",)
    lead = new_object("Lead", "Lead", "Leads", "リード", "00Q", *_person_fields(facts))
    statuses = {"Open - Not Contacted": "未対応", "Working - Contacted": "対応中", "Closed - Converted": "取引開始済み"}
    lead.add(
        _text("Company", "Company", "会社名", 255, nillable=False),
        _pick("Status", "Lead Status", "リード 状況", statuses, nillable=False, default="Open - Not Contacted"),
        _pick("LeadSource", "Lead Source", "リードソース", {"Web": "Web", "Phone Inquiry": "電話での問い合わせ"}),
        _flag("IsConverted", "Converted", "取引の開始済み", updateable=False),
    )
    lead.name_group = ("Company",)
    return [contact, lead]


def _companies(facts: Facts) -> list[SObject]:
    account = new_object("Account", "Account", "Accounts", "取引先", "001")
    account.add(
        _text("Name", "Account Name", "取引先名", 255, nillable=False, name_field=True),
        phone("Phone", "Account Phone", "電話"),
        phone("Fax", "Account Fax", "Fax"),
        _text("AccountNumber", "Account Number", "取引先番号", 40),
        _text("Website", "Website", "Web サイト", 255, type="url"),
        _text("Site", "Account Site", "取引先 部門", 80),
        _pick("Type", "Account Type", "種別", {"Customer": "顧客", "Partner": "パートナー", "Other": "その他"}),
        _notes(),
        _lookup("ParentId", "Parent", ("Account",), "ChildAccounts", label="Parent Account ID", label_ja="親取引先 ID"),
        _last_activity(facts, "WhatId"),
        owner(),
    )
    account.name_group = ("Website", "Site")
    return [account]


def add_person_accounts(schema: Schema) -> None:
    """The fields that an org has only with person accounts switched on."""
    account = schema["Account"]
    person: dict[str, Any] = {"createable": False, "updateable": False}
    account.add(
        _flag("IsPersonAccount", "Is Person Account", "個人取引先", **person),
        _lookup(
            "PersonContactId", "PersonContact", ("Contact",), None, label="Contact ID", label_ja="責任者 ID", **person
        ),
        _text("LastName", "Last Name", "姓", 80),
        _text("FirstName", "First Name", "名", 40),
        phone("PersonMobilePhone", "Mobile", "携帯"),
        phone("PersonHomePhone", "Home Phone", "自宅電話"),
        phone("PersonOtherPhone", "Other Phone", "その他の電話"),
        _text("PersonEmail", "Email", "メール", 80, type="email", id_lookup=True),
        _text("PersonTitle", "Title", "役職", 80),
    )
    schema["Contact"].add(_flag("IsPersonAccount", "Is Person Account", "個人取引先", **person))


def _activity_fields(*, subject: str) -> list[Field]:
    subjects = {"Call": "電話", "Email": "メール", "Meeting": "会議", "Other": "その他"}
    picked: dict[str, Any] = {"picklist": tuple(subjects), "picklist_ja": tuple(subjects.values())}
    related = ("Account", "Opportunity", "Case")
    return [
        _text("Subject", "Subject", "件名", 255, type="combobox", name_field=True, **picked),
        _lookup("WhoId", "Who", ("Contact", "Lead"), subject, label="Name ID", label_ja="名前 ID"),
        _lookup("WhatId", "What", related, subject, label="Related To ID", label_ja="関連先 ID"),
        _notes(),
        owner(),
    ]


def _activities(facts: Facts) -> list[SObject]:
    def account(row: Row) -> Any:
        what, who = row.get("WhatId"), row.get("WhoId")
        related = facts.row(what)
        if what and what.startswith("001"):
            return what
        if related and str(what).startswith("006"):
            return related.get("AccountId")
        contact = facts.row(who) if who and who.startswith("003") else None
        return contact.get("AccountId") if contact else None

    kind: dict[str, Any] = {"length": 18, "reference_to": ("Account",), "relationship": "Account"}
    of_account = _computed("AccountId", "Account ID", "取引先 ID", "reference", account, **kind)
    task = new_object("Task", "Task", "Tasks", "ToDo", "00T", *_activity_fields(subject="Tasks"), of_account)
    subtypes = {
        "Task": "ToDo",
        "Email": "メール",
        "ListEmail": "リストメール",
        "Cadence": "ケイデンス",
        "Call": "コール",
    }
    directions = {"Internal": "内部", "Inbound": "着信", "Outbound": "発信"}
    task.add(
        Field(name="ActivityDate", label="Due Date Only", label_ja="期日のみ", type="date"),
        _pick("Status", "Status", "状況", {}, nillable=False, default=""),
        _pick(
            "Priority",
            "Priority",
            "優先度",
            {"High": "高", "Normal": "中", "Low": "低"},
            nillable=False,
            default="Normal",
        ),
        _computed(
            "IsClosed", "Closed", "完了", "boolean", lambda row: row.get("Status") in facts.closed_task_statuses()
        ),
        _pick(
            "Type", "Type", "種別", {"Call": "電話", "Email": "メール", "Meeting": "会議", "Other": "その他"}, length=40
        ),
        _pick(
            "TaskSubtype",
            "Task Subtype",
            "ToDo サブタイプ",
            subtypes,
            updateable=False,
            restricted=True,
            default="Task",
        ),
        _pick("CallType", "Call Type", "コール種別", directions, restricted=True, length=40),
        Field(name="CallDurationInSeconds", label="Call Duration", label_ja="コール時間", type="int", digits=8),
        _text("CallDisposition", "Call Result", "コール結果", 255),
        _text("CallObject", "Call Object Identifier", "コールオブジェクト識別子", 255),
        _computed("CompletedDateTime", "Completed Date", "完了日時", "datetime", lambda row: row.get("_completed")),
    )
    event = new_object("Event", "Event", "Events", "行動", "00U", *_activity_fields(subject="Events"), of_account)
    event.add(
        Field(name="StartDateTime", label="Start Date Time", label_ja="開始日時", type="datetime"),
        Field(name="EndDateTime", label="End Date Time", label_ja="終了日時", type="datetime"),
        Field(name="ActivityDateTime", label="Due Date Time", label_ja="期日", type="datetime"),
        Field(name="ActivityDate", label="Due Date Only", label_ja="期日のみ", type="date"),
        Field(name="DurationInMinutes", label="Duration", label_ja="期間", type="int", digits=8),
        _flag("IsAllDayEvent", "All-Day Event", "終日行動"),
        _text("Location", "Location", "場所", 255),
    )
    for sobject in (task, event):
        sobject.name_group = ("Subject",)
    return [task, event]


def _work(facts: Facts) -> list[SObject]:
    case = new_object("Case", "Case", "Cases", "ケース", "500")
    states = {"New": "新規", "Working": "対応中", "Escalated": "エスカレーション済み", "Closed": "クローズ"}
    fixed: dict[str, Any] = {"createable": False, "updateable": False, "nillable": False}
    case.add(
        _text(
            "CaseNumber", "Case Number", "ケース番号", 30, auto_number=True, name_field=True, id_lookup=True, **fixed
        ),
        _text("Subject", "Subject", "件名", 255),
        _pick("Status", "Status", "状況", states, default="New"),
        _pick("Priority", "Priority", "優先度", {"High": "高", "Medium": "中", "Low": "低"}, default="Medium"),
        _pick("Origin", "Case Origin", "発生源", {"Phone": "電話", "Email": "メール", "Web": "Web"}),
        _computed("IsClosed", "Closed", "クローズ", "boolean", lambda row: row.get("Status") == "Closed"),
        _notes(),
        _lookup("ContactId", "Contact", ("Contact",), "Cases", label="Contact ID", label_ja="取引先責任者 ID"),
        _lookup("AccountId", "Account", ("Account",), "Cases", label="Account ID", label_ja="取引先 ID"),
        owner(),
    )
    case.name_group = ("Subject",)
    deal = new_object("Opportunity", "Opportunity", "Opportunities", "商談", "006")
    stages = {"Prospecting": "見込み調査", "Negotiation": "交渉", "Closed Won": "成立", "Closed Lost": "不成立"}
    deal.add(
        _text("Name", "Name", "商談名", 120, nillable=False, name_field=True),
        _pick("StageName", "Stage", "フェーズ", stages, nillable=False),
        Field(name="CloseDate", label="Close Date", label_ja="完了予定日", type="date", nillable=False),
        Field(name="Amount", label="Amount", label_ja="金額", type="currency", digits=18),
        _computed("IsClosed", "Closed", "完了", "boolean", lambda row: str(row.get("StageName")).startswith("Closed")),
        _computed("IsWon", "Won", "成立", "boolean", lambda row: row.get("StageName") == "Closed Won"),
        _notes(),
        _lookup("AccountId", "Account", ("Account",), "Opportunities", label="Account ID", label_ja="取引先 ID"),
        owner(),
    )
    return [case, deal]


def _setup(facts: Facts) -> list[SObject]:
    user = new_object("User", "User", "Users", "ユーザー", "005")
    user.add(
        _text("Username", "Username", "ユーザー名", 80, nillable=False, unique=True),
        _text("LastName", "Last Name", "姓", 80, nillable=False),
        _text("FirstName", "First Name", "名", 40),
        _full_name(facts),
        _text("Alias", "Alias", "別名", 8),
        _text("Email", "Email", "メール", 128, type="email", nillable=False),
        phone("Phone", "Phone", "電話"),
        phone("MobilePhone", "Mobile", "携帯"),
        _flag("IsActive", "Active", "有効"),
        _text("UserType", "User Type", "ユーザー種別", 40, default="Standard"),
        _text("TimeZoneSidKey", "Time Zone", "タイムゾーン", 40, type="picklist"),
        _text("LanguageLocaleKey", "Language", "言語", 40, type="picklist"),
        _text("LocaleSidKey", "Locale", "地域", 40, type="picklist"),
        _lookup(
            "CallCenterId", "CallCenter", ("CallCenter",), None, label="Call Center ID", label_ja="コールセンター ID"
        ),
    )
    fixed: dict[str, Any] = {"createable": False, "updateable": False, "deletable": False, "searchable": False}
    status = new_object("TaskStatus", "Task Status Value", "Task Status Value", "ToDo 状況値", "01T", **fixed)
    status.add(
        _text("MasterLabel", "Master Label", "マスターラベル", 255, name_field=True),
        _text("ApiName", "API Name", "API 参照名", 255),
        Field(name="SortOrder", label="Sort Order", label_ja="表示順", type="int", digits=9),
        _flag("IsDefault", "Is Default", "デフォルト"),
        _flag("IsClosed", "Is Closed", "完了"),
    )
    center = new_object("CallCenter", "Call Center", "Call Centers", "コールセンター", "04v", **fixed)
    center.add(
        _text("Name", "Name", "名前", 80, name_field=True),
        _text("InternalName", "Internal Name", "内部名", 80),
        _text("AdapterUrl", "Adapter URL", "アダプタ URL", 255, type="url"),
    )
    organization = new_object("Organization", "Organization", "Organizations", "組織", "00D", **fixed)
    organization.add(
        _text("Name", "Name", "組織名", 80, name_field=True),
        _text("InstanceName", "Instance Name", "インスタンス名", 5),
        _text("OrganizationType", "Edition", "エディション", 40),
        _text("TimeZoneSidKey", "Time Zone", "タイムゾーン", 40),
        _text("LanguageLocaleKey", "Language", "言語", 40),
        _text("DefaultLocaleSidKey", "Locale", "地域", 40),
        _flag("IsSandbox", "Is Sandbox", "Sandbox"),
    )
    return [user, status, center, organization]
