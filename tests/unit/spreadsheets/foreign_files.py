"""Files of other kinds than are read, each as small as shows what it is."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile

from tests.unit.spreadsheets.readers import OFFICE, TYPES, archive, cells, parts, relations_of, text

SPREADSHEET_XML = (
    '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:html="http://www.w3.org/TR/REC-html40">'
    "<Worksheet/></Workbook>"
)
HTML = (
    '<html xmlns:x="urn:schemas-microsoft-com:office:excel">\r\n<head><meta charset="utf-8"></head>'
    "<table><tr><td>email</td></tr></table></html>"
)


def compound(*streams: str) -> bytes:
    """A compound file with these names in its directory, the second sector of which comes after a gap."""
    entries = [
        struct.pack("<64sH62x", name.encode("utf-16-le"), 2 * len(name) + 2) for name in ("Root", *streams)
    ]
    directory = b"".join(entries).ljust(1024, b"\0")
    ends, free = 0xFFFFFFFE, 0xFFFFFFFF
    table = struct.pack("<128I", 0xFFFFFFFD, 3, free, ends, *[free] * 124)
    header = struct.pack(
        "<8s16xHHHHH6x9I109I",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 62, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, ends, 0, ends, 0, 0,
        *[free] * 108,
    )  # fmt: skip
    return header + table + directory[:512] + b"\0" * 512 + directory[512:]


def other_document(part: str) -> bytes:
    """An Office document whose main part this is."""
    relation = f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="{part}"/>'
    return archive({"[Content_Types].xml": TYPES, "_rels/.rels": relations_of(relation), part: "<x/>"})


def open_document(kind: str) -> bytes:
    return archive(
        {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": "<x/>"}, method=0
    )


def packed_tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        made.addfile(tarfile.TarInfo("people.csv"))
    return out.getvalue()


def binary_workbook() -> bytes:
    return archive(parts(cells(text("REF", "x"))) | {"xl/workbook.bin": "x"})


OPEN = "open it in a spreadsheet program, and save it as an .xlsx workbook or as CSV."
TABLE = "send the table itself, as an .xlsx workbook or as CSV."
UNPACK = "unpack it, and send the file that it holds."
EXPORT = "export it to Excel or CSV by the program's menu."
FOLLOW = "open what it leads to, download it as an .xlsx workbook or as CSV, and send that."
OLD_XML = f"an XML spreadsheet of Excel 2003, which some programs name .xls: {OPEN}"
WEB_PAGE = f"a web page (HTML), which some programs name .xls: {OPEN}"
OLD_WORKBOOK = f"an old workbook (.xls): {OPEN}"
IWORK = f"a document of Apple's Numbers, Pages or Keynote: {EXPORT}"
PICTURE = f"a picture: {TABLE}"
DRIVE = f"a link to Google Drive (.gsheet), and no table: {FOLLOW}"

KINDS: dict[str, tuple[bytes, str]] = {
    "HTML named .xls": (HTML.encode(), WEB_PAGE),
    "HTML with a mark and blanks": (b"\xef\xbb\xbf\r\n  " + HTML.upper().encode(), WEB_PAGE),
    "HTML in UTF-16": (HTML.encode("utf-16"), WEB_PAGE),
    "a table of HTML": (b'<style>td{mso-number-format:"\\@"}</style><table><tr><td>email', WEB_PAGE),
    "HTML after a doctype": (b"<!DOCTYPE html>\n<p>Sign in", WEB_PAGE),
    "a web archive": (b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n", WEB_PAGE),
    "SpreadsheetML 2003": (SPREADSHEET_XML.encode(), OLD_XML),
    "SpreadsheetML in UTF-16": (SPREADSHEET_XML.encode("utf-16"), OLD_XML),
    "SpreadsheetML with a prefix": (
        b'<ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"/>', OLD_XML,
    ),
    ".fods": (
        b'<?xml version="1.0"?><office:document><table:table/>',
        f"a flat OpenDocument file (.fods): {OPEN}",
    ),
    ".xml": (b'<?xml version="1.0"?><people><person/></people>', f"an XML document: {TABLE}"),
    ".xls": (compound("\x05SummaryInformation", "Workbook"), OLD_WORKBOOK),
    ".xls of Excel 95": (compound("Book"), OLD_WORKBOOK),
    ".xls of Excel 3": (b"\x09\x02\x06\0\0\0\x10\0", OLD_WORKBOOK),
    "an encrypted .xlsx": (
        compound("\x06DataSpaces", "Version", "DataSpaceMap", "EncryptionInfo", "EncryptedPackage"),
        "encrypted: take its password off, and save it as an .xlsx workbook or as CSV.",
    ),
    ".doc": (compound("1Table", "WordDocument"), f"a text document (.doc): {TABLE}"),
    ".ppt": (compound("PowerPoint Document"), f"a presentation (.ppt): {TABLE}"),
    "another compound file": (
        compound("__properties_version1.0"), f"an old document of Microsoft Office or the like: {OPEN}",
    ),
    "a compound file that was cut off": (
        compound("Workbook")[:600], f"an old document of Microsoft Office or the like: {OPEN}",
    ),
    ".slk": (b"ID;PWXL;N;E\r\nP;PGeneral\r\n", f"an old SYLK spreadsheet (.slk): {OPEN}"),
    ".xlsb": (binary_workbook(), f"a binary workbook (.xlsb): {OPEN}"),
    ".numbers": (archive({"Index/Document.iwa": "x", "Metadata/Properties.plist": "x"}), IWORK),
    ".numbers as a folder": (archive({"people.numbers/Index.zip": "x"}), IWORK),
    ".docx": (other_document("word/document.xml"), f"a text document (.docx): {TABLE}"),
    ".pptx": (other_document("ppt/presentation.xml"), f"a presentation (.pptx): {TABLE}"),
    ".odt": (open_document("text"), f"an OpenDocument text document (.odt): {TABLE}"),
    ".odp": (open_document("presentation"), f"an OpenDocument presentation (.odp): {TABLE}"),
    ".odb": (open_document("base"), f"an OpenDocument document, but no spreadsheet: {TABLE}"),
    ".zip": (archive({"people.csv": "email\n"}), f"a ZIP archive, but no workbook: {UNPACK}"),
    ".csv.gz": (gzip.compress(b"email\n"), f"compressed by gzip: {UNPACK}"),
    ".csv.bz2": (bz2.compress(b"email\n"), f"compressed by bzip2: {UNPACK}"),
    ".csv.xz": (lzma.compress(b"email\n"), f"compressed by xz: {UNPACK}"),
    ".tar": (packed_tar(), f"a tar archive: {UNPACK}"),
    ".7z": (b"7z\xbc\xaf\x27\x1c\0\4", f"a 7z archive: {UNPACK}"),
    ".rar": (b"Rar!\x1a\x07\1\0", f"a RAR archive: {UNPACK}"),
    ".pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", f"a PDF document: {TABLE}"),
    ".rtf": (rb"{\rtf1\ansi\deff0 email}", f"a text document (.rtf): {TABLE}"),
    ".png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", PICTURE),
    ".jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", PICTURE),
    ".gif": (b"GIF89a\1\0\1\0", PICTURE),
    ".webp": (b"RIFF\x1a\0\0\0WEBPVP8L", PICTURE),
    ".heic": (b"\0\0\0\x18ftypheic\0\0\0\0", PICTURE),
    ".tiff": (b"II*\0\x08\0\0\0", PICTURE),
    ".bmp": (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0", PICTURE),
    ".svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', PICTURE),
    ".gsheet": (
        b'{"":"WARNING! DO NOT EDIT!","doc_id":"1a","resource_key":"","email":"a@example.com"}', DRIVE,
    ),
    "an older .gsheet": (
        b'{"url": "https://docs.google.com/open?id=1a", "doc_id": "1a", "email": "a@example.com"}', DRIVE,
    ),
    ".url": (b"[InternetShortcut]\r\nURL=https://example.com\r\n", f"a shortcut to a web page: {FOLLOW}"),
    ".webloc": (
        b'<?xml version="1.0"?><plist><dict><key>URL</key><string/></dict></plist>',
        f"a shortcut to a web page: {FOLLOW}",
    ),
    ".lnk": (b"L\0\0\0\1\x14\2\0\0\0\0\0", f"a shortcut to another file: {FOLLOW}"),
    ".vcf": (
        b"BEGIN:VCARD\r\nVERSION:3.0\r\n",
        "a file of contact cards (vCard): export the contacts as CSV.",
    ),
}  # fmt: skip
"""Each with what is said of it after `The file is`."""
