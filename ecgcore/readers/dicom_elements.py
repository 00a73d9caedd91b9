"""DICOM's elements, read strictly: bytes in, a tree of tags and values out.

Why not a lenient parser: pydicom reads what it can and repairs in silence (a truncated sequence
ends early, an element with a damaged tag vanishes, ``1_0`` is the number 10), which is right for an
archive and wrong for a voltage. Here every length must fill its parent exactly, every element that
is used must have its own value representation, and every number must be written as the standard
says. DICOM PS3.5 sections 7 (data set), 6.2 (value representations) and annex A (transfer
syntaxes), PS3.10 section 7 (file meta information).
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field

from ecgcore.readers.plausibility import LARGEST_FILE_BYTES, require_file_size
from ecgcore.recording import RecordingError

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"

_PREAMBLE = 128
_MAGIC = b"DICM"
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DEEPEST = 12
_MOST_ELEMENTS = 100_000
_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_SHORT = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL"}
) | {"SS", "ST", "TM", "UI", "UL", "US"}
_USUAL_CHARACTER_SETS = {
    "": "ascii", "ISO_IR 6": "ascii", "ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8",
}  # fmt: skip
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")


@dataclass(frozen=True)
class Element:
    """One element: its value representation ("" where the file leaves it out) and its content.

    ``items`` is None for all but sequences.
    """

    vr: str
    value: bytes
    items: tuple[Item, ...] | None = None


@dataclass
class Item:
    """A data set or one item of a sequence: elements by tag, with typed access.

    Each accessor raises RecordingError for a value that is not what the standard says, and returns
    None (or nothing) for an element that is absent or empty.
    """

    elements: dict[int, Element] = field(default_factory=dict)
    encoding: str = "ascii"

    def raw(self, tag: int, name: str, *representations: str) -> bytes | None:
        """The value's bytes, if the element is there with one of these representations."""
        element = self.elements.get(tag)
        if element is None:
            return None
        if element.vr and element.vr not in representations:
            raise damaged(f"{name} has the value representation {element.vr!r}")
        return element.value

    def items(self, tag: int, name: str) -> tuple[Item, ...]:
        """The items of a sequence."""
        element = self.elements.get(tag)
        if element is None:
            return ()
        if element.items is None:
            raise damaged(f"{name} is no sequence")
        return element.items

    def text(self, tag: int, name: str, *representations: str) -> str | None:
        """A text without its padding."""
        value = self.raw(tag, name, *representations)
        if value is None:
            return None
        return value.decode(self.encoding, errors="replace").strip(" \0") or None

    def decimal(self, tag: int, name: str) -> float | None:
        """One number written in decimal digits (DS)."""
        text = self.text(tag, name, "DS")
        if text is None:
            return None
        if not _DECIMAL.fullmatch(text):
            raise damaged(f"{name} is {text[:40]!r}, which is no number")
        return float(text)

    def integer(self, tag: int, name: str, representation: str) -> int | None:
        """One unsigned binary number (US of 2 bytes, UL of 4)."""
        value = self.raw(tag, name, representation)
        if not value:
            return None
        size = {"US": 2, "UL": 4}[representation]
        if len(value) != size:
            raise damaged(f"{name} has {len(value)} bytes for one number of {size}")
        return int.from_bytes(value, "little")

    def integers(self, tag: int, name: str, representation: str) -> tuple[int, ...]:
        """Unsigned binary numbers (US, UL)."""
        value = self.raw(tag, name, representation) or b""
        size = {"US": 2, "UL": 4}[representation]
        if len(value) % size:
            raise damaged(f"{name} has {len(value)} bytes for numbers of {size}")
        return tuple(
            int.from_bytes(value[i : i + size], "little") for i in range(0, len(value), size)
        )


@dataclass(frozen=True)
class DicomFile:
    """The file meta information, the data set, and what was odd in the structure of both."""

    meta: Item
    content: Item
    warnings: tuple[str, ...]


def damaged(what: str) -> RecordingError:
    """The refusal of a DICOM file whose bytes contradict the standard or each other."""
    return RecordingError(
        f"DICOM: {what}",
        "a complete DICOM file as the standard (PS3.5, PS3.10) describes it",
        "export the recording again from its source",
    )


def looks_like_dicom(data: bytes) -> bool:
    """Whether the bytes begin as a DICOM file: 128 bytes of preamble, then "DICM"."""
    return data[_PREAMBLE : _PREAMBLE + 4] == _MAGIC


def parse_dicom(data: bytes) -> DicomFile:
    """All elements of a DICOM file.

    Raises RecordingError for a file that is truncated, damaged, too large, or big endian,
    compressed in a way other than deflate, or nested beyond reason.
    """
    require_file_size(len(data))
    if not looks_like_dicom(data):
        raise damaged("the file does not begin as DICOM")
    walk = _Walk(data, implicit=False)
    meta, start = walk.meta(_PREAMBLE + len(_MAGIC))
    syntax = meta.text(0x00020010, "Transfer Syntax UID", "UI")
    if syntax not in (IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED):
        raise RecordingError(
            f"DICOM: transfer syntax {syntax}",
            f"little endian: {IMPLICIT_LITTLE}, {EXPLICIT_LITTLE} or {DEFLATED}",
            "convert the file to Explicit VR Little Endian, for example with dcmconv +te",
        )
    body = _inflate(data[start:]) if syntax == DEFLATED else data[start:]
    content = _Walk(body, implicit=syntax == IMPLICIT_LITTLE, warnings=walk.warnings)
    item = content.item(0, len(body), 0)
    _set_encoding(item, _encoding(item, walk.warnings))
    return DicomFile(meta, item, tuple(dict.fromkeys(walk.warnings)))


class _Walk:
    """One pass over the bytes of a data set, counting what it has seen."""

    def __init__(self, data: bytes, *, implicit: bool, warnings: list[str] | None = None) -> None:
        self.data, self.implicit = data, implicit
        self.warnings: list[str] = [] if warnings is None else warnings
        self.count = 0

    def meta(self, start: int) -> tuple[Item, int]:
        """The file meta information, and where the data set begins."""
        item, at = Item(), start
        while at + 8 <= len(self.data) and self.data[at : at + 2] == b"\x02\x00":
            at = self.element(item, at, len(self.data), 0)
        length = item.integer(0x00020000, "File Meta Information Group Length", "UL")
        if length is not None and length != at - start - 12:
            self.warnings.append(
                f"DICOM: the file meta information is {at - start - 12} bytes long, not {length}."
            )
        return item, at

    def item(self, at: int, end: int, depth: int) -> Item:
        """The elements of ``data[at:end]``, which they must fill exactly."""
        item = Item()
        while at < end:
            at = self.element(item, at, end, depth)
        return item

    def element(self, item: Item, at: int, end: int, depth: int) -> int:
        """Read one element into ``item``; where the next begins."""
        self.count += 1
        if self.count > _MOST_ELEMENTS:
            raise damaged(f"more than {_MOST_ELEMENTS} elements")
        tag, vr, length, at = self.head(at, end)
        if item.elements:
            before = next(reversed(item.elements))
            if tag in item.elements:
                raise damaged(f"element {_show(tag)} is there twice")
            if tag < before:
                self.warnings.append(f"DICOM: element {_show(tag)} follows {_show(before)}.")
        if vr == "SQ" or length == _UNDEFINED:
            if vr not in ("SQ", "UN", ""):
                raise damaged(f"element {_show(tag)} ({vr}) has no stated length")
            items, at = self.sequence(at, end, length, depth + 1, implicit=vr == "UN")
            item.elements[tag] = Element("SQ", b"", items)
            return at
        if length > end - at:
            raise damaged(
                f"element {_show(tag)} says {length} bytes where {end - at} are left (truncated?)"
            )
        if vr == "" and _is_sequence(tag):
            items, at = self.sequence(at, end, length, depth + 1, implicit=True)
            item.elements[tag] = Element("SQ", b"", items)
            return at
        item.elements[tag] = Element(vr, self.data[at : at + length])
        return at + length

    def head(self, at: int, end: int) -> tuple[int, str, int, int]:
        """Tag, representation and length of the element at ``at``, and where its value begins."""
        if end - at < 8:
            raise damaged(f"{end - at} bytes are left over (truncated?)")
        group, number = struct.unpack_from("<HH", self.data, at)
        tag = group << 16 | number
        if group == 0xFFFE:
            raise damaged(f"a sequence delimiter {_show(tag)} outside a sequence")
        if self.implicit:
            return tag, "", struct.unpack_from("<I", self.data, at + 4)[0], at + 8
        vr = self.data[at + 4 : at + 6].decode("latin-1")
        if vr in _SHORT:
            return tag, vr, struct.unpack_from("<H", self.data, at + 6)[0], at + 8
        if vr not in _LONG or end - at < 12:
            raise damaged(f"element {_show(tag)} has the value representation {vr!r}")
        return tag, vr, struct.unpack_from("<I", self.data, at + 8)[0], at + 12

    def sequence(
        self, at: int, end: int, length: int, depth: int, *, implicit: bool
    ) -> tuple[tuple[Item, ...], int]:
        """The items of a sequence whose first item begins at ``at``, and where it ends."""
        if depth > _DEEPEST:
            raise damaged(f"sequences nested more than {_DEEPEST} deep")
        if implicit and not self.implicit:
            inner = _Walk(self.data, implicit=True, warnings=self.warnings)
            return inner.sequence(at, end, length, depth, implicit=True)
        if length != _UNDEFINED:
            if length > end - at:
                raise damaged(f"a sequence says {length} bytes where {end - at} are left")
            end = at + length
        items: list[Item] = []
        while length == _UNDEFINED or at < end:
            tag, size, at = self.delimiter(at, end)
            if tag == _SEQUENCE_END and length == _UNDEFINED and size == 0:
                return tuple(items), at
            if tag != _ITEM:
                raise damaged(f"{_show(tag)} where an item of a sequence should begin")
            item, at = self.sequence_item(at, end, size, depth)
            items.append(item)
        return tuple(items), at

    def sequence_item(self, at: int, end: int, size: int, depth: int) -> tuple[Item, int]:
        """One item of ``size`` bytes, or up to its delimiter, and where it ends."""
        if size != _UNDEFINED:
            if size > end - at:
                raise damaged(f"an item says {size} bytes where {end - at} are left")
            return self.item(at, at + size, depth), at + size
        item = Item()
        while self.data[at : at + 4] != b"\xfe\xff\x0d\xe0":
            at = self.element(item, at, end, depth)
        _, _, at = self.delimiter(at, end)
        return item, at

    def delimiter(self, at: int, end: int) -> tuple[int, int, int]:
        """Tag and length of an item or delimiter, and where its content begins."""
        if end - at < 8:
            raise damaged("a sequence ends early (truncated?)")
        group, number, size = struct.unpack_from("<HHI", self.data, at)
        return group << 16 | number, size, at + 8


def _show(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _is_sequence(tag: int) -> bool:
    """Whether the standard's dictionary knows the tag as a sequence (for implicit files)."""
    from pydicom.datadict import dictionary_VR

    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False


def _inflate(data: bytes) -> bytes:
    """The data set of a deflated file, bounded."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(data, LARGEST_FILE_BYTES + 1)
    except zlib.error as error:
        raise damaged(f"the deflated data set is damaged ({error})") from error
    require_file_size(len(content))
    if not stream.eof:
        raise damaged("the deflated data set ends early")
    return content


def _encoding(content: Item, warnings: list[str]) -> str:
    """Python's name of the file's first character set; Latin-1, with a warning, if unknown."""
    stated = (content.text(0x00080005, "Specific Character Set", "CS") or "").split("\\")[0].strip()
    encoding = _USUAL_CHARACTER_SETS.get(stated)
    if encoding is None:
        from pydicom.charset import python_encoding

        encoding = python_encoding.get(stated)
    if encoding is None:
        warnings.append(f"DICOM: character set {stated[:40]!r} is unknown; names may be misspelt.")
    return encoding or "latin-1"


def _set_encoding(item: Item, encoding: str) -> None:
    item.encoding = encoding
    for element in item.elements.values():
        for inner in element.items or ():
            _set_encoding(inner, encoding)
