"""Encodings of text files that spreadsheet programs save, by the names that callers use."""

from typing import Final, Literal, get_args

EncodingName = Literal[
    "utf-8", "utf-16", "utf-16-le", "utf-16-be",
    "windows-1252", "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255",
    "windows-1256", "windows-1257", "windows-1258", "windows-874",
    "cp932", "gb18030", "cp949", "cp950", "big5-hkscs",
    "mac-roman", "mac-latin2", "mac-cyrillic", "mac-greek", "mac-turkish", "mac-iceland", "mac-croatian",
    "mac-romanian",
    "cp437", "cp720", "cp737", "cp775", "cp850", "cp852", "cp855", "cp857", "cp858", "cp860", "cp861",
    "cp862", "cp863", "cp865", "cp866",
]  # fmt: skip
"""Unicode, then "CSV" of Windows by country, of Macs, and "CSV (MS-DOS)"; the likelier first."""

NAMES: Final[tuple[EncodingName, ...]] = get_args(EncodingName)
DOUBLE_BYTE: Final = frozenset({"cp932", "gb18030", "cp949", "cp950", "big5-hkscs"})
UNICODE: Final = frozenset(name for name in NAMES if name.startswith("utf-"))

_OTHER_NAMES: Final[dict[str, EncodingName]] = {
    "utf8": "utf-8",
    "utf16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    **dict.fromkeys(("cp936", "gbk", "gb2312"), "gb18030"),
    **dict.fromkeys(("shift-jis", "shiftjis", "sjis", "ms932"), "cp932"),
    **dict.fromkeys(("euc-kr", "uhc", "ms949"), "cp949"),
    "big5": "cp950",
    "big5hkscs": "big5-hkscs",
    **dict.fromkeys(("macintosh", "macroman", "x-mac-roman"), "mac-roman"),
    **dict.fromkeys(("mac-ce", "x-mac-ce", "mac-centraleurope"), "mac-latin2"),
    **dict.fromkeys(("latin-1", "latin1", "iso-8859-1"), "windows-1252"),
}


def find_name(written: object) -> object:
    """Our name of an encoding with another known name; other text stays as it is."""
    if not isinstance(written, str):
        return written
    name = written.strip().lower().replace("_", "-")
    page = name.removeprefix("windows-").removeprefix("ibm").removeprefix("cp")
    spellings = (name, f"windows-{page}", f"cp{page}")
    known = next((each for each in spellings if each in NAMES or each in _OTHER_NAMES), written)
    return _OTHER_NAMES.get(known, known)
