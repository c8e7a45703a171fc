"""In which encoding a customer list is written, and saying plainly that a file is no such list."""

from __future__ import annotations

import codecs
from pathlib import Path

from cti_bridge.errors import BridgeError

CHUNK = 1 << 16


class CustomerFileUnreadable(BridgeError):
    """This file is not a customer list. ``ja`` and ``en`` say why and what to do; nothing was changed."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(en)
        self.ja = ja
        self.en = en


def encoding_of(path: Path) -> str:
    """``"utf-8-sig"``, ``"cp932"`` or ``"utf-16"``, whichever reads the whole file. Raises CustomerFileUnreadable."""
    try:
        with path.open("rb") as file:
            start = file.read(CHUNK)
            _refuse_other_formats(start)
            utf_16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            candidates = ["utf-16"] if utf_16 else ["utf-8-sig", "cp932"]
            decoders = {name: codecs.getincrementaldecoder(name)() for name in candidates}
            chunk = start
            while decoders:
                if b"\0" in chunk and not utf_16:
                    raise _binary()
                decoders = {name: decoder for name, decoder in decoders.items() if _reads(decoder, chunk)}
                if not chunk:
                    break
                chunk = file.read(CHUNK)
    except OSError as problem:
        raise CustomerFileUnreadable(
            f"ファイルを開けません：{problem.strerror}", f"The file cannot be opened: {problem.strerror}"
        ) from problem
    if not decoders:
        raise _binary()
    return next(iter(decoders))


def _refuse_other_formats(start: bytes) -> None:
    if not start.strip(b" \t\r\n\xef\xbb\xbf"):
        raise CustomerFileUnreadable("ファイルが空です。", "The file is empty.")
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise CustomerFileUnreadable(
            "Excelブックです。Excelで「名前を付けて保存」から「CSV UTF-8」を選び、保存し直してください。",
            'This is an Excel workbook. Save it from Excel as "CSV UTF-8" and import that.',
        )


def _reads(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError:
        return False
    return True


def _binary() -> CustomerFileUnreadable:
    return CustomerFileUnreadable(
        "文字として読めないファイルです。CSV（UTF-8またはShift_JIS）で保存し直してください。",
        "The file cannot be read as text. Save it as CSV in UTF-8 or Shift_JIS.",
    )
