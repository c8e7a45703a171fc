"""What a Salesforce org is given as files: the call centre's definition and a folder of metadata, as text.

Whether and where they are written stands in ``salesforce``. Shapes:
https://developer.salesforce.com/docs/service/api-cti/guide/sforce-api-cti-call-def-file-xml.html and
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_callcenter.htm
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cti_bridge.model import Language

METADATA = "http://soap.sforce.com/2006/04/metadata"
SOURCE = "force-app"
MAIN = f"{SOURCE}/main/default"
PERMISSION_SET = "CTI_Bridge"
CALL_ID = "CTI_Call_SID__c"
CALL_ID_LENGTH = 34
"""Twilio's CallSid: CA and 32 characters."""

NORMALISED = {
    "Contact": ("Phone_E164__c", "MobilePhone_E164__c"),
    "Lead": ("Phone_E164__c", "MobilePhone_E164__c"),
    "Account": ("Phone_E164__c",),
}
"""Text fields for numbers as +81312345678, which a Flow of the org's fills."""

READ, EDIT, CREATE = "read", "edit", "create"
OBJECTS = {"Account": CREATE, "Case": READ, "Contact": CREATE, "Lead": CREATE, "Opportunity": READ}
"""What the bridge's user may do. Tasks have no rights of their own: Edit Tasks is a permission of users."""

FIELDS = {
    "Account.AccountNumber": READ,
    "Account.Phone": EDIT,
    "Case.AccountId": READ,
    "Case.ContactId": READ,
    "Case.Subject": READ,
    "Contact.AccountId": EDIT,
    "Contact.AssistantPhone": EDIT,
    "Contact.HomePhone": EDIT,
    "Contact.MobilePhone": EDIT,
    "Contact.OtherPhone": EDIT,
    "Contact.Phone": EDIT,
    "Contact.Title": EDIT,
    "Event.Location": READ,
    "Lead.MobilePhone": EDIT,
    "Lead.Phone": EDIT,
    "Lead.Title": EDIT,
    "Opportunity.AccountId": READ,
    "Opportunity.Amount": READ,
    "Task.ActivityDate": EDIT,
    "Task.Description": EDIT,
    "Task.WhatId": EDIT,
    "Task.WhoId": EDIT,
}
"""Required fields must not stand here, nor those of calls (CallObject, CallType, …), which every user has."""

USER_PERMISSIONS = ("ApiEnabled", "EditTask")

PANEL = "ctiBridgePanel"
TRUSTED_SITE = "CTI_Bridge"
PANEL_SCRIPT = """import { LightningElement } from "lwc";

export default class CtiBridgePanel extends LightningElement {}
"""

LABELS: Mapping[str, tuple[str, str]] = {
    "reqGeneralInfo": ("一般情報", "General Information"),
    "reqInternalName": ("内部名", "Internal Name"),
    "reqDisplayName": ("表示名", "Display Name"),
    "reqAdapterUrl": ("CTI アダプター URL", "CTI Adapter URL"),
    "reqUseApi": ("CTI API を使用", "Use CTI API"),
    "reqSoftphoneHeight": ("ソフトフォンの高さ", "Softphone Height"),
    "reqSoftphoneWidth": ("ソフトフォンの幅", "Softphone Width"),
    "reqSalesforceCompatibilityMode": ("Salesforce 互換モード", "Salesforce Compatibility Mode"),
    "reqStandbyUrl": ("スタンバイ URL", "Standby URL"),
    "reqTimeout": ("タイムアウト（ミリ秒）", "Timeout (milliseconds)"),
    "reqDialingOptions": ("ダイヤルオプション", "Dialing Options"),
    "reqOutsidePrefix": ("外線プレフィックス", "Outside Prefix"),
    "reqLongDistPrefix": ("市外局番プレフィックス", "Long Distance Prefix"),
    "reqInternationalPrefix": ("国際電話プレフィックス", "International Prefix"),
}


@dataclass(frozen=True, slots=True)
class CallCentre:
    """One call centre. ``internal_name`` is ``"CTIBridge"``, ``timeout`` in milliseconds, ``adapter_url`` https."""

    internal_name: str
    display_name: str
    adapter_url: str
    height: int = 560
    width: int = 400
    standby_url: str | None = None
    timeout: int | None = None

    def items(self) -> dict[str, str]:
        """The general section, in Salesforce's order: the internal name first, the display name second."""
        standby = {"reqStandbyUrl": self.standby_url, "reqTimeout": str(self.timeout)} if self.standby_url else {}
        return {
            "reqInternalName": self.internal_name,
            "reqDisplayName": self.display_name,
            "reqAdapterUrl": self.adapter_url,
            "reqUseApi": "true",
            "reqSoftphoneHeight": str(self.height),
            "reqSoftphoneWidth": str(self.width),
            "reqSalesforceCompatibilityMode": "Lightning",  # Salesforce's own default is Classic
            **{name: value for name, value in standby.items() if value},
        }


DIALLING = ("reqOutsidePrefix", "reqLongDistPrefix", "reqInternationalPrefix")


def call_centre_definition(centre: CallCentre, language: Language) -> str:
    """The file for Setup → Call Centers → Import."""
    root = ET.Element("callCenter")
    sections = {"reqGeneralInfo": centre.items(), "reqDialingOptions": dict.fromkeys(DIALLING, "")}
    for place, (name, items) in enumerate(sections.items()):
        section = ET.SubElement(root, "section", sortOrder=str(place), name=name, label=_label(name, language))
        for number, (item, value) in enumerate(items.items()):
            one = ET.SubElement(section, "item", sortOrder=str(number), name=item, label=_label(item, language))
            one.text = value
    return _written(root)


def metadata(
    centre: CallCentre | None,
    *,
    api_version: str,
    language: Language,
    call_id: bool = True,
    normalised: bool = False,
    view_all: bool = True,
    panel_url: str | None = None,
) -> dict[str, str]:
    """A folder that Salesforce's command line deploys: path → text, ``{"sfdx-project.json": "{…", …}``.

    ``panel_url``: also a component for the utility bar that shows this page without Open CTI.
    """
    fields = {f"Activity.{CALL_ID}": _call_id_field(language)} if call_id else {}
    if normalised:
        for sobject, names in NORMALISED.items():
            fields.update({f"{sobject}.{name}": _normalised_field(name, language) for name in names})
    members = {
        "CallCenter": [centre.internal_name] if centre else [],
        "CspTrustedSite": [TRUSTED_SITE] if panel_url else [],
        "CustomField": sorted(fields),
        "LightningComponentBundle": [PANEL] if panel_url else [],
        "PermissionSet": [PERMISSION_SET],
    }
    files = {
        "sfdx-project.json": _project(api_version),
        "manifest/package.xml": _package(members, api_version),
        f"{MAIN}/permissionsets/{PERMISSION_SET}.permissionset-meta.xml": _permission_set(fields, view_all=view_all),
    }
    for name, text in fields.items():
        sobject, _, field = name.partition(".")
        files[f"{MAIN}/objects/{sobject}/fields/{field}.field-meta.xml"] = text
    if centre:
        files[f"{MAIN}/callCenters/{centre.internal_name}.callCenter-meta.xml"] = _call_centre(centre, language)
    return {**files, **(_panel(panel_url, api_version, height=560) if panel_url else {})}


def _call_centre(centre: CallCentre, language: Language) -> str:
    """The same call centre as metadata. Its file's name is the internal name; what is no field of the type goes into
    ``customSettings``, as Salesforce itself writes it when such a call centre is retrieved."""
    items = {name: value for name, value in centre.items().items() if name not in ("reqInternalName", "reqDisplayName")}
    settings = {name: value for name, value in items.items() if name != "reqAdapterUrl"}
    root = ET.Element("CallCenter", xmlns=METADATA)
    _add(root, adapterUrl=centre.adapter_url, customSettings=json.dumps(settings, separators=(",", ":")))
    _add(root, displayName=centre.display_name, displayNameLabel=_label("reqDisplayName", language))
    _add(root, internalNameLabel=_label("reqInternalName", language))
    section = ET.SubElement(root, "sections")
    for name, value in items.items():
        _add(ET.SubElement(section, "items"), label=_label(name, language), name=name, value=value)
    _add(section, label=_label("reqGeneralInfo", language), name="reqGeneralInfo")
    return _written(root)


def _panel(url: str, api_version: str, *, height: int) -> dict[str, str]:
    """The page in a frame, as an item of the utility bar, and the leave for that frame.

    https://developer.salesforce.com/docs/platform/lwc/guide/use-config-for-app-builder-utility-bar
    """
    template = ET.Element("template")
    ET.SubElement(template, "iframe", src=url, title="CTI Bridge", width="100%", height=str(height)).text = ""
    bundle = ET.Element("LightningComponentBundle", xmlns=METADATA)
    _add(bundle, apiVersion=api_version, isExposed="true", masterLabel="CTI Bridge")
    _add(ET.SubElement(bundle, "targets"), target="lightning__UtilityBar")
    site = ET.Element("CspTrustedSite", xmlns=METADATA)
    _add(site, context="LEX", description="CTI Bridge", endpointUrl="/".join(url.split("/")[:3]), isActive="true")
    _add(site, isApplicableToConnectSrc="false", isApplicableToFontSrc="false", isApplicableToFrameSrc="true")
    _add(site, isApplicableToImgSrc="false", isApplicableToMediaSrc="false", isApplicableToStyleSrc="false")
    ET.indent(template, "    ")
    return {
        f"{MAIN}/lwc/{PANEL}/{PANEL}.html": ET.tostring(template, encoding="unicode", method="html") + "\n",
        f"{MAIN}/lwc/{PANEL}/{PANEL}.js": PANEL_SCRIPT,
        f"{MAIN}/lwc/{PANEL}/{PANEL}.js-meta.xml": _written(bundle),
        f"{MAIN}/cspTrustedSites/{TRUSTED_SITE}.cspTrustedSite-meta.xml": _written(site),
    }


def _call_id_field(language: Language) -> str:
    label = {"ja": "通話ID（CTI Bridge）", "en": "Call ID (CTI Bridge)"}[language]
    why = {
        "ja": "CTI Bridgeが通話ごとに1件のToDoを保つために使います。",
        "en": "CTI Bridge finds a call's task by it, so that there is one task for each call.",
    }[language]
    return _text_field(CALL_ID, label, why, CALL_ID_LENGTH, unique=True)


def _normalised_field(name: str, language: Language) -> str:
    mobile = name.startswith("Mobile")
    label = {"ja": "携帯（E.164）" if mobile else "電話（E.164）", "en": f"{'Mobile' if mobile else 'Phone'} (E.164)"}[
        language
    ]
    why = {
        "ja": "+81312345678 の形の電話番号。組織のフローが値を入れ、CTI Bridgeが最初に探します。",
        "en": "The number as +81312345678. A Flow of the org's fills it; CTI Bridge asks it first.",
    }[language]
    return _text_field(name, label, why, 20, unique=False)  # a household shares a number


def _text_field(name: str, label: str, description: str, length: int, *, unique: bool) -> str:
    root = ET.Element("CustomField", xmlns=METADATA)
    _add(root, fullName=name)
    if unique:
        _add(root, caseSensitive="true")
    _add(root, description=description, externalId="true", label=label, length=str(length), required="false")
    _add(root, type="Text", unique=_true(unique))
    return _written(root)


def _permission_set(custom_fields: Iterable[str], *, view_all: bool) -> str:
    custom = {
        name.replace("Activity.", "Task."): EDIT if name.startswith("Activity.") else READ for name in custom_fields
    }
    root = ET.Element("PermissionSet", xmlns=METADATA)
    _add(root, description="CTI Bridge: looks callers up, writes calls as tasks. For the integration user alone.")
    for name, right in sorted({**FIELDS, **custom}.items()):
        _add(ET.SubElement(root, "fieldPermissions"), editable=_true(right == EDIT), field=name, readable="true")
    _add(root, hasActivationRequired="false", label="CTI Bridge")
    for name, right in OBJECTS.items():
        _add(
            ET.SubElement(root, "objectPermissions"),
            allowCreate=_true(right == CREATE),
            allowDelete="false",
            allowEdit=_true(right != READ),
            allowRead="true",
            modifyAllRecords="false",
            object=name,
            viewAllRecords=_true(view_all),
        )
    for name in USER_PERMISSIONS:
        _add(ET.SubElement(root, "userPermissions"), enabled="true", name=name)
    return _written(root)


def _package(members: Mapping[str, list[str]], api_version: str) -> str:
    root = ET.Element("Package", xmlns=METADATA)
    for name, components in members.items():
        if components:
            types = ET.SubElement(root, "types")
            for component in components:
                _add(types, members=component)
            _add(types, name=name)
    _add(root, version=api_version)
    return _written(root)


def _project(api_version: str) -> str:
    project = {
        "name": "cti-bridge",
        "namespace": "",
        "packageDirectories": [{"path": SOURCE, "default": True}],
        "sourceApiVersion": api_version,
    }
    return json.dumps(project, indent=2) + "\n"


def _add(parent: ET.Element, **children: str) -> None:
    for name, text in children.items():
        ET.SubElement(parent, name).text = text


def _written(root: ET.Element) -> str:
    ET.indent(root, "    ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _label(name: str, language: Language) -> str:
    return LABELS[name][language == "en"]


def _true(value: bool) -> str:
    return "true" if value else "false"
