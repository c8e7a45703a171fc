"""The files for Salesforce: what Salesforce demands of them, and that nobody's work is overwritten."""

from __future__ import annotations

import json
import shlex
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.cli.salesforce_files import METADATA, CallCentre, call_centre_definition, metadata
from tests.cli.conftest import Terminal

HOSTILE = '</item><item name="reqAdapterUrl">https://evil.example</item> & "引用" \'x\' ]]> <!-- 👋'
SET = f"{{{METADATA}}}"


def definition(text: str) -> dict[str, dict[str, str]]:
    """Sections and their items; fails when the file breaks a rule of Salesforce's call centre definitions."""
    root = ET.fromstring(text)
    assert root.tag == "callCenter"
    assert root.attrib == {}, "the definition file has no namespace, unlike metadata"
    sections = list(root)
    assert [section.get("sortOrder") for section in sections] == [str(n) for n in range(len(sections))]
    read = {}
    for section in sections:
        assert section.tag == "section"
        assert section.get("label"), f"{section.get('name')} has no label"
        items = list(section)
        assert [item.get("sortOrder") for item in items] == [str(n) for n in range(len(items))]
        assert all(item.tag == "item" and item.get("label") and not len(item) for item in items)
        names = [str(item.get("name")) for item in items]
        assert len(set(names)) == len(names)
        read[str(section.get("name"))] = {name: item.text or "" for name, item in zip(names, items, strict=True)}
    return read


def components(folder: Path) -> dict[str, set[str]]:
    """What package.xml names, by type."""
    root = ET.parse(folder / "manifest/package.xml").getroot()
    assert root.tag == f"{SET}Package"
    return {
        str(types.findtext(f"{SET}name")): {str(member.text) for member in types.findall(f"{SET}members")}
        for types in root.findall(f"{SET}types")
    }


def lying_there(folder: Path) -> dict[str, set[str]]:
    """What is really in the source folder, by type, told from the files' paths as Salesforce does."""
    main = folder / "force-app/main/default"
    found = {
        "CallCenter": {path.name.removesuffix(".callCenter-meta.xml") for path in main.glob("callCenters/*")},
        "CustomField": {
            f"{path.parent.parent.name}.{path.name.removesuffix('.field-meta.xml')}"
            for path in main.glob("objects/*/fields/*")
        },
        "CspTrustedSite": {
            path.name.removesuffix(".cspTrustedSite-meta.xml") for path in main.glob("cspTrustedSites/*")
        },
        "LightningComponentBundle": {path.name for path in main.glob("lwc/*")},
        "PermissionSet": {path.name.removesuffix(".permissionset-meta.xml") for path in main.glob("permissionsets/*")},
    }
    bundles = [path for path in main.glob("lwc/*/*") if path.name.startswith(f"{path.parent.name}.")]
    others = sum(map(len, found.values())) - len(found["LightningComponentBundle"])
    assert others + len(bundles) == len([path for path in main.rglob("*") if path.is_file()])
    return {name: members for name, members in found.items() if members}


def fields_allowed(folder: Path) -> dict[str, str]:
    """The permission set's fields: name → editable."""
    root = ET.parse(folder / "force-app/main/default/permissionsets/CTI_Bridge.permissionset-meta.xml").getroot()
    return {
        str(one.findtext(f"{SET}field")): str(one.findtext(f"{SET}editable"))
        for one in root.findall(f"{SET}fieldPermissions")
    }


# ── the call centre's definition ─────────────────────────────────────────────────────────────────────────────────────


def test_the_definition_keeps_salesforces_rules(terminal: Terminal) -> None:
    file = terminal.folder / "call-center.xml"
    said = terminal.run("salesforce", "call-center", str(file))

    general = definition(file.read_text("utf-8"))["reqGeneralInfo"]
    assert list(general)[:2] == ["reqInternalName", "reqDisplayName"], "Salesforce wants these two first"
    assert general["reqInternalName"].isalnum()
    assert general["reqAdapterUrl"] == "https://cti.example.co.jp/widgets/salesforce"
    assert general["reqSalesforceCompatibilityMode"] == "Lightning", "without it Salesforce takes Classic"
    assert general["reqUseApi"] == "true"
    assert int(general["reqSoftphoneHeight"]) > int(general["reqSoftphoneWidth"]) > 0
    assert not {"reqStandbyUrl", "reqTimeout", "reqCanvasApiName"} & general.keys()
    assert "Open CTI Softphone" in said
    assert "28 February 2028" in said


def test_without_a_file_the_definition_alone_goes_to_standard_output(terminal: Terminal) -> None:
    from click.testing import CliRunner

    from cti_bridge.cli import main

    result = CliRunner().invoke(main, ["salesforce", "call-center"])
    assert definition(result.stdout)["reqGeneralInfo"]["reqInternalName"] == "CTIBridge"
    assert "Import" in result.stderr


def test_the_options_stand_in_the_definition(terminal: Terminal) -> None:
    file = terminal.folder / "call-center.xml"
    options = ("--internal-name", "MinatoCTI2", "--display-name", HOSTILE, "--height", "700", "--width", "420")
    standby = ("--standby-url", "https://standby.example.co.jp/?a=1&b=2", "--timeout", "8000", "--prefix", "phone/")
    terminal.run("salesforce", "call-center", str(file), *options, *standby)

    general = definition(file.read_text("utf-8"))["reqGeneralInfo"]
    assert general["reqInternalName"] == "MinatoCTI2"
    assert general["reqDisplayName"] == HOSTILE, "hostile text stays text"
    assert (general["reqSoftphoneHeight"], general["reqSoftphoneWidth"]) == ("700", "420")
    assert general["reqAdapterUrl"] == "https://cti.example.co.jp/phone/widgets/salesforce"
    assert general["reqStandbyUrl"] == "https://standby.example.co.jp/?a=1&b=2"
    assert general["reqTimeout"] == "8000"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1))
def test_any_display_name_survives_both_files(name: str) -> None:
    centre = CallCentre("CTIBridge", name, "https://cti.example.co.jp/widgets/salesforce")
    assert definition(call_centre_definition(centre, "ja"))["reqGeneralInfo"]["reqDisplayName"] == name
    files = metadata(centre, api_version="68.0", language="ja")
    root = ET.fromstring(next(text for path, text in files.items() if "callCenters" in path))
    assert root.findtext(f"{SET}displayName") == name


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--internal-name", "2nd"), "the first a letter"),
        (("--internal-name", "CTI_Bridge"), "letters and digits"),
        (("--internal-name", "ＣＴＩ"), "letters and digits"),
        (("--internal-name", "A" * 41), "at most 40"),
        (("--display-name", " "), "1 to 1,000"),
        (("--display-name", "x" * 1001), "1 to 1,000"),
        (("--display-name", "bell\a"), "control characters"),
        (("--timeout", "5000"), "go together"),
        (("--standby-url", "https://standby.example.co.jp"), "go together"),
        (("--standby-url", "http://standby.example.co.jp", "--timeout", "5000"), "https://"),
        (("--prefix", "/phone?x=1"), "cannot be part of an address"),
    ],
)
@pytest.mark.parametrize("command", ["call-center", "metadata"])
def test_what_salesforce_would_refuse_is_refused_first(
    terminal: Terminal, command: str, options: tuple[str, ...], words: str
) -> None:
    target = terminal.folder / "target"
    assert words in terminal.run("salesforce", command, str(target), *options, code=1)
    assert not target.exists()


@pytest.mark.parametrize(("language", "words"), [("ja", "httpsのページしか表示しません"), ("en", "with https only")])
@pytest.mark.parametrize("command", ["call-center", "metadata"])
def test_http_is_refused_with_the_mend(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: str, language: str, words: str
) -> None:
    monkeypatch.setenv("CTI_PUBLIC_URL", "http://127.0.0.1:8000")
    monkeypatch.setenv("CTI_LANGUAGE", language)
    said = terminal.run("salesforce", command, str(terminal.folder / "target"), code=1)
    assert words in said
    assert "CTI_PUBLIC_URL" in said
    assert not (terminal.folder / "target").exists()


def test_labels_and_next_steps_are_in_the_administrators_language(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "ja")
    file = terminal.folder / "call-center.xml"
    said = terminal.run("salesforce", "call-center", str(file))
    assert "コールセンター" in said
    assert "2028年2月28日" in said
    labels = [item.get("label") for item in ET.parse(file).getroot().iter("item")]
    assert "表示名" in labels


# ── the folder of metadata ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--without-call-id",),
        ("--without-call-center",),
        ("--phone-fields",),
        ("--utility-bar",),
        ("--without-call-id", "--without-call-center", "--phone-fields", "--utility-bar", "--by-sharing"),
    ],
)
def test_the_manifest_names_exactly_what_lies_there(terminal: Terminal, options: tuple[str, ...]) -> None:
    folder = terminal.folder / "salesforce"
    terminal.run("salesforce", "metadata", str(folder), *options)
    assert components(folder) == lying_there(folder)
    project = json.loads((folder / "sfdx-project.json").read_text("utf-8"))
    [directory] = project["packageDirectories"]
    assert (folder / directory["path"]).is_dir()
    for file in folder.rglob("*.xml"):
        assert ET.parse(file).getroot().tag.startswith(SET), f"{file.name} is not metadata"


def test_the_call_id_field_can_be_upserted_by(terminal: Terminal) -> None:
    folder = terminal.folder / "salesforce"
    terminal.run("salesforce", "metadata", str(folder))
    field = ET.parse(folder / "force-app/main/default/objects/Activity/fields/CTI_Call_SID__c.field-meta.xml").getroot()
    told = {child.tag.removeprefix(SET): child.text for child in field}
    assert told["fullName"] == "CTI_Call_SID__c"
    assert (told["type"], told["length"]) == ("Text", str(len("CA" + "0" * 32)))
    assert (told["externalId"], told["unique"], told["required"]) == ("true", "true", "false")
    assert fields_allowed(folder)["Task.CTI_Call_SID__c"] == "true", "a field's rights are those of Task, not Activity"


def test_the_field_that_salesforce_may_refuse_can_be_left_out(terminal: Terminal) -> None:
    folder = terminal.folder / "salesforce"
    assert "CallObject" in terminal.run("salesforce", "metadata", str(folder)), "the way out is told"
    without = terminal.folder / "without"
    terminal.run("salesforce", "metadata", str(without), "--without-call-id")
    assert "CustomField" not in components(without)
    assert not any("CTI_Call_SID" in name for name in fields_allowed(without))


def test_the_permission_set_lets_the_user_look_up_and_log_and_delete_nothing(terminal: Terminal) -> None:
    folder = terminal.folder / "salesforce"
    terminal.run("salesforce", "metadata", str(folder))
    root = ET.parse(folder / "force-app/main/default/permissionsets/CTI_Bridge.permissionset-meta.xml").getroot()
    users = {one.findtext(f"{SET}name") for one in root.findall(f"{SET}userPermissions")}
    assert users == {"ApiEnabled", "EditTask"}
    objects = {
        str(one.findtext(f"{SET}object")): {child.tag.removeprefix(SET): child.text for child in one}
        for one in root.findall(f"{SET}objectPermissions")
    }
    assert objects.keys() == {"Account", "Case", "Contact", "Lead", "Opportunity"}
    assert all(rights["allowRead"] == "true" for rights in objects.values())
    assert all(rights["allowDelete"] == rights["modifyAllRecords"] == "false" for rights in objects.values())
    assert {name for name, rights in objects.items() if rights["allowCreate"] == "true"} == {
        "Account",
        "Contact",
        "Lead",
    }
    fields = fields_allowed(folder)
    assert fields["Task.WhoId"] == "true"
    assert fields["Case.Subject"] == fields["Account.AccountNumber"] == fields["Event.Location"] == "false"
    required = {
        "Account.Name",
        "Contact.LastName",
        "Lead.Company",
        "Lead.Status",
        "Opportunity.StageName",
        "Task.Status",
    }
    assert not required & fields.keys(), "Salesforce refuses a permission set that grants required fields"


def test_by_sharing_the_user_sees_no_more_than_its_role(terminal: Terminal) -> None:
    folder = terminal.folder / "salesforce"
    terminal.run("salesforce", "metadata", str(folder), "--by-sharing")
    text = (folder / "force-app/main/default/permissionsets/CTI_Bridge.permissionset-meta.xml").read_text("utf-8")
    assert {one.text for one in ET.fromstring(text).iter(f"{SET}viewAllRecords")} == {"false"}


def test_the_call_centre_says_the_same_in_both_forms(terminal: Terminal) -> None:
    file, folder = terminal.folder / "call-center.xml", terminal.folder / "salesforce"
    options = (
        "--internal-name",
        "Minato",
        "--display-name",
        HOSTILE,
        "--standby-url",
        "https://b.example",
        "--timeout",
        "9",
    )
    terminal.run("salesforce", "call-center", str(file), *options)
    terminal.run("salesforce", "metadata", str(folder), *options)
    general = definition(file.read_text("utf-8"))["reqGeneralInfo"]
    root = ET.parse(folder / "force-app/main/default/callCenters/Minato.callCenter-meta.xml").getroot()
    [section] = root.findall(f"{SET}sections")
    items = {one.findtext(f"{SET}name"): one.findtext(f"{SET}value") for one in section.findall(f"{SET}items")}
    assert items == {
        name: value for name, value in general.items() if name not in ("reqInternalName", "reqDisplayName")
    }
    assert root.findtext(f"{SET}displayName") == general["reqDisplayName"]
    assert root.findtext(f"{SET}adapterUrl") == general["reqAdapterUrl"]
    settings = json.loads(root.findtext(f"{SET}customSettings") or "")
    assert settings == {name: value for name, value in items.items() if name != "reqAdapterUrl"}
    assert root.findtext(f"{SET}displayNameLabel")
    assert root.findtext(f"{SET}internalNameLabel")


def test_the_fields_for_normalised_numbers_come_with_the_setting_that_uses_them(terminal: Terminal) -> None:
    from cti_bridge.connectors.salesforce.settings import SalesforceSettings

    folder = terminal.folder / "salesforce"
    said = terminal.run("salesforce", "metadata", str(folder), "--phone-fields")
    value = shlex.split(said.partition("SALESFORCE_NORMALISED_FIELDS=")[2])[0]
    app = {"SALESFORCE_CONSUMER_KEY": "k", "SALESFORCE_CONSUMER_SECRET": "s", "SALESFORCE_MY_DOMAIN": "acme"}
    settings = SalesforceSettings.read({**app, "SALESFORCE_NORMALISED_FIELDS": value})
    made = {name for name in components(folder)["CustomField"] if not name.startswith("Activity.")}
    assert set(settings.normalised_fields) == made
    assert made <= fields_allowed(folder).keys()


def test_without_open_cti_a_component_shows_the_page_in_the_utility_bar(terminal: Terminal) -> None:
    folder = terminal.folder / "salesforce"
    said = terminal.run(
        "salesforce", "metadata", str(folder), "--utility-bar", "--without-call-center", "--prefix", "phone"
    )
    assert "Utility Items" in said
    main = folder / "force-app/main/default"
    bundle = main / "lwc/ctiBridgePanel"
    template = (bundle / "ctiBridgePanel.html").read_text("utf-8")
    assert template.startswith("<template>")
    [frame] = ET.fromstring(template)
    assert frame.tag == "iframe"
    assert frame.get("src") == "https://cti.example.co.jp/phone/widgets/salesforce"
    assert "</iframe>" in template, "browsers know no frame that closes itself"
    about = ET.parse(bundle / "ctiBridgePanel.js-meta.xml").getroot()
    assert [target.text for target in about.iter(f"{SET}target")] == ["lightning__UtilityBar"]
    site = ET.parse(main / "cspTrustedSites/CTI_Bridge.cspTrustedSite-meta.xml").getroot()
    assert site.findtext(f"{SET}endpointUrl") == "https://cti.example.co.jp", "the frame's origin and no more"
    leave = {one.tag.removeprefix(SET) for one in site if one.text == "true"}
    assert leave == {"isActive", "isApplicableToFrameSrc"}


def test_two_commands_deploy_it(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESFORCE_MY_DOMAIN", "https://acme--uat.sandbox.my.salesforce.com")
    monkeypatch.setenv("SALESFORCE_API_VERSION", "67.0")
    folder = terminal.folder / "a folder; with 空白"
    said = terminal.run("salesforce", "metadata", str(folder))
    cd, login, deploy = (shlex.split(line) for line in said.splitlines() if line.startswith("  "))
    assert cd == ["cd", str(folder)]
    assert login[:4] == ["sf", "org", "login", "web"]
    assert login[login.index("--instance-url") + 1] == "https://acme--uat.sandbox.my.salesforce.com"
    assert deploy[:4] == ["sf", "project", "deploy", "start"]
    assert (folder / deploy[deploy.index("--source-dir") + 1]).is_dir()
    assert deploy[deploy.index("--target-org") + 1] == login[login.index("--alias") + 1]
    assert json.loads((folder / "sfdx-project.json").read_text("utf-8"))["sourceApiVersion"] == "67.0"


def test_metadata_needs_no_app_yet_but_no_nonsense_either(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--instance-url" not in terminal.run("salesforce", "metadata", str(terminal.folder / "salesforce"))
    monkeypatch.setenv("SALESFORCE_MY_DOMAIN", "login.salesforce.com")
    assert "SALESFORCE_MY_DOMAIN" in terminal.run("salesforce", "metadata", str(terminal.folder / "other"), code=1)


# ── nobody's work is lost ────────────────────────────────────────────────────────────────────────────────────────────


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_repeating_changes_nothing(terminal: Terminal) -> None:
    folder = terminal.folder / "salesforce"
    terminal.run("salesforce", "metadata", str(folder))
    before = contents(folder)
    said = terminal.run("salesforce", "metadata", str(folder))
    assert contents(folder) == before
    assert said.count("Unchanged") == len(before)
    assert "Wrote" not in said


def test_what_somebody_changed_is_not_overwritten_unless_told_so(terminal: Terminal) -> None:
    folder = terminal.folder / "salesforce"
    terminal.run("salesforce", "metadata", str(folder))
    permissions = next(folder.rglob("*.permissionset-meta.xml"))
    permissions.write_text("<!-- ours -->", "utf-8")
    next(folder.rglob("*.field-meta.xml")).unlink()
    before = contents(folder)

    said = terminal.run("salesforce", "metadata", str(folder), code=1)
    assert str(permissions) in said
    assert "--overwrite" in said
    assert contents(folder) == before, "refused, but something was written all the same"

    assert f"Replaced {permissions}" in terminal.run("salesforce", "metadata", str(folder), "--overwrite")
    assert ET.parse(permissions).getroot().tag == f"{SET}PermissionSet"


def test_a_definition_that_somebody_changed_is_kept_too(terminal: Terminal) -> None:
    file = terminal.folder / "call-center.xml"
    file.write_text("ours", "utf-8")
    assert "--overwrite" in terminal.run("salesforce", "call-center", str(file), code=1)
    assert file.read_text("utf-8") == "ours"
    terminal.run("salesforce", "call-center", str(file), "--overwrite")
    assert "Unchanged" in terminal.run("salesforce", "call-center", str(file))


def test_what_else_lies_there_would_be_deployed_and_stops_the_command(terminal: Terminal) -> None:
    folder = terminal.folder / "salesforce"
    terminal.run("salesforce", "metadata", str(folder))
    before = contents(folder)
    for extra in ((), ("--overwrite",)):
        said = terminal.run("salesforce", "metadata", str(folder), "--without-call-id", *extra, code=1)
        assert "CTI_Call_SID__c.field-meta.xml" in said
        assert contents(folder) == before


def test_a_place_that_cannot_be_written_is_said_in_words(terminal: Terminal) -> None:
    (terminal.folder / "file").write_text("", "utf-8")
    said = terminal.run("salesforce", "call-center", str(terminal.folder / "file" / "x.xml"), code=1)
    assert str(terminal.folder / "file" / "x.xml") in said


def test_sections_are_told_apart_by_their_order() -> None:
    centre = CallCentre("A", "A", "https://cti.example.co.jp/widgets/salesforce")
    orders = [int(section.get("sortOrder") or -1) for section in ET.fromstring(call_centre_definition(centre, "en"))]
    assert all(after == before + 1 for before, after in pairwise(orders))
