"""The search index and searches in it: words as Salesforce splits them, fields by group, an index that may lag.

Words end at spaces, punctuation, and between letters and digits; Chinese, Japanese and Korean text is indexed in pairs
of characters (SOSL reference, "FIND {SearchQuery}"). Whether a telephone number's digits are also one word is told by
no documentation: ``joins_phone_digits`` decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .errors import Json, Refused
from .queries import Job, Viewer
from .rows import Rows
from .schema import Field, Row, SObject
from .soql import Path, Query
from .sosl import Both, Letter, Returned, Sought, Term, parse_sosl

MOST_RECORDS = 2000
LONGEST_SEARCH = 100_000
_CJK = r"\u2e80-\u2fff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
_WORD = re.compile(rf"[{_CJK}]+|[0-9]+|[^\W\d_{_CJK}]+|[^\W_{_CJK}]")

Words = list[str]
Pattern = list[re.Pattern[str]]
"""One pattern per word, to be matched by words that follow each other."""


def split_words(text: str) -> Words:
    """``"ABC123 山田太郎"`` → ``["abc", "123", "山田", "田太", "太郎"]``."""
    words: Words = []
    for word in _WORD.findall(text.casefold()):
        if re.match(f"[{_CJK}]", word) and len(word) > 1:
            words += [word[at : at + 2] for at in range(len(word) - 1)]
        else:
            words.append(word)
    return words


class Searches:
    """Runs SOSL for one org."""

    def __init__(self, rows: Rows, viewer: Viewer, *, joins_phone_digits: bool) -> None:
        self._rows = rows
        self._viewer = viewer
        self._joins_phone_digits = joins_phone_digits
        self._lagging = False
        self._index: dict[str, dict[str, list[Words]]] = {}
        rows.watchers.append(self._written)

    @property
    def lagging(self) -> bool:
        """While True what is written is not indexed."""
        return self._lagging

    @lagging.setter
    def lagging(self, value: bool) -> None:
        self._lagging = value
        if not value:
            for sobject in self._rows.schema:
                for row in self._rows.live(sobject.name):
                    self._written(sobject, row)

    def run(self, text: str, version: str) -> list[Json]:
        """All records found, object by object as RETURNING names them."""
        if len(text) > LONGEST_SEARCH:
            raise Refused(
                400, "MALFORMED_SEARCH", f"SOSL statements cannot be longer than {LONGEST_SEARCH:,} characters."
            )
        search = parse_sosl(text)
        job = Job(self._rows, self._viewer, text, version)
        matches = _compile(search.sought)
        found: list[Json] = []
        wanted = search.returned or tuple(Returned(one.name, 0) for one in self._rows.schema if one.searchable)
        for returned in wanted:
            found += self._one(job, returned, search.group, matches)
        return found[: min(search.limit or MOST_RECORDS, MOST_RECORDS)]

    def _one(self, job: Job, returned: Returned, group: str, matches: Callable[[list[Words]], bool]) -> list[Json]:
        source = job.source(returned.sobject, returned.at)
        if not source.searchable:
            raise Refused(400, "INVALID_TYPE", f"sObject type '{source.name}' is not searchable.")
        fields = returned.fields or (Path(("Id",), returned.at),)
        query = Query(
            fields, source.name, returned.at, False, returned.where, returned.order, returned.limit, returned.offset
        )
        show = job.shower(source, query)
        searched = [one.name for one in self._searched(source, group)]
        hits = []
        for row in self._rows.live(source.name):
            words = self._index.get(row["Id"], {})
            if matches([part for name in searched for part in words.get(name, [])]):
                hits.append(row)
        return [show(row) for row in job.rows(source, query, hits)]

    def _searched(self, source: SObject, group: str) -> Iterable[Field]:
        for field in source.fields.values():
            if not self._viewer.rights.sees_field(source, field):
                continue
            by_name = field.name_field or field.name in source.name_group
            wanted = {"PHONE": field.type == "phone", "EMAIL": field.type == "email", "NAME": by_name}
            if wanted.get(group, field.is_text and field.type != "picklist"):
                yield field

    def _written(self, sobject: SObject, row: Row) -> None:
        if self._lagging or not sobject.searchable:
            return
        words: dict[str, list[Words]] = {}
        for field in sobject.fields.values():
            text = self._rows.value(sobject, row, field.name) if field.is_text else None
            if text:
                words[field.name] = [split_words(text)]
                if field.type == "phone" and self._joins_phone_digits:
                    words[field.name].append([re.sub(r"\D", "", text)])
        self._index[row["Id"]] = words


def _compile(sought: Sought) -> Callable[[list[Words]], bool]:
    """A test of a record's indexed fields."""
    if isinstance(sought, Both):
        left, right = _compile(sought.left), _compile(sought.right)
        if sought.word == "OR":
            return lambda fields: left(fields) or right(fields)
        if sought.word == "AND":
            return lambda fields: left(fields) and right(fields)
        return lambda fields: left(fields) and not right(fields)
    pattern = _pattern(sought)
    return lambda fields: bool(pattern) and any(_follows(pattern, words) for words in fields)


def _pattern(term: Term) -> Pattern:
    """The term's words as the index has them, wildcards as patterns. Punctuation divides it, as it divides the text."""
    pattern: Pattern = []
    for run in _runs(term.letters):
        if any(letter.wild for letter in run) and not re.match(f"[{_CJK}]", run[0].text):
            wild = {"*": ".*", "?": "."}
            text = "".join(wild[one.text] if one.wild else re.escape(one.text.casefold()) for one in run)
            pattern.append(re.compile(text))
        else:  # pairs of characters leave a wildcard nothing to do
            words = split_words("".join(letter.text for letter in run if not letter.wild))
            single = len(words) == 1 and len(words[0]) == 1 and re.match(f"[{_CJK}]", words[0])
            pattern += [re.compile(re.escape(word) + (".?" if single else "")) for word in words]
    return pattern


def _runs(letters: Iterable[Letter]) -> list[list[Letter]]:
    """The term cut where words end; a wildcard stays with what stands before it."""
    runs: list[list[Letter]] = [[]]
    kind = ""
    for letter in letters:
        now = kind if letter.wild else _kind(letter.text)
        if now != kind:
            runs.append([])
        kind = now
        if letter.wild or kind:
            runs[-1].append(letter)
    return [run for run in runs if any(not letter.wild for letter in run)]


def _kind(letter: str) -> str:
    if re.match(f"[{_CJK}]", letter):
        return "cjk"
    return "digit" if letter in "0123456789" else "letter" if re.match(r"[^\W_]", letter) else ""


def _follows(pattern: Pattern, words: Words) -> bool:
    return any(
        all(one.fullmatch(word) for one, word in zip(pattern, words[at:], strict=False))
        for at in range(len(words) - len(pattern) + 1)
    )
