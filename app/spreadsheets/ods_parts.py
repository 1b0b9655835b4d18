"""The fixed XML of an OpenDocument spreadsheet: everything but its rows."""

from collections.abc import Iterable, Sequence
from typing import Final

from app.spreadsheets.layout import Style

MEDIA_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns"


def _names(**prefixes: str) -> str:
    return "".join([f' xmlns:{prefix}="{_OASIS}:{name}:1.0"' for prefix, name in prefixes.items()])


MANIFEST: Final = (
    f'{_DECLARATION}<manifest:manifest{_names(manifest="manifest")} manifest:version="1.2">'
    f'<manifest:file-entry manifest:full-path="/" manifest:version="1.2" manifest:media-type="{MEDIA_TYPE}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    '<manifest:file-entry manifest:full-path="settings.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)

_NAMESPACES: Final = _names(
    office="office", table="table", text="text", style="style", number="datastyle", fo="xsl-fo-compatible"
)
_LONG: Final = ' number:style="long"'
_MOMENT: Final = (
    f'<number:date-style style:name="n1"><number:year{_LONG}/><number:text>-</number:text>'
    f"<number:month{_LONG}/><number:text>-</number:text><number:day{_LONG}/><number:text> </number:text>"
    f"<number:hours{_LONG}/><number:text>:</number:text><number:minutes{_LONG}/><number:text>:</number:text>"
    f"<number:seconds{_LONG}/></number:date-style>"
)
# In a cell of the text format, a zip code or "=1+1" stays text when somebody edits it.
_CELL_STYLES: Final = (
    f'{_MOMENT}<number:boolean-style style:name="n2"><number:boolean/></number:boolean-style>'
    '<number:text-style style:name="n3"><number:text-content/></number:text-style>'
    '<style:style style:name="plain" style:family="table-cell"/>'
    '<style:style style:name="datetime" style:family="table-cell" style:data-style-name="n1"/>'
    '<style:style style:name="boolean" style:family="table-cell" style:data-style-name="n2"/>'
    '<style:style style:name="text" style:family="table-cell" style:data-style-name="n3"/>'
    '<style:style style:name="header" style:family="table-cell" style:data-style-name="n3">'
    '<style:text-properties fo:font-weight="bold"/></style:style>'
)


def open_content(widths: Iterable[int]) -> str:
    """The document up to its first sheet."""
    columns = "".join(
        f'<style:style style:name="w{width}" style:family="table-column">'
        f'<style:table-column-properties style:column-width="{width * 0.2 + 0.1:.1f}cm"/></style:style>'
        for width in sorted(set(widths))
    )
    return (
        f'{_DECLARATION}<office:document-content{_NAMESPACES} office:version="1.2">'
        f"<office:automatic-styles>{columns}{_CELL_STYLES}</office:automatic-styles>"
        "<office:body><office:spreadsheet>"
    )


def open_sheet(name: str, columns: Iterable[tuple[int, Style]]) -> str:
    """A sheet up to its first row; each column's width and style."""
    layout = "".join(
        f'<table:table-column table:style-name="w{width}" table:default-cell-style-name="{style}"/>'
        for width, style in columns
    )
    return f'<table:table table:name="{name}">{layout}'


CLOSE_SHEET: Final = "</table:table>"


def close_content(sheets: Sequence[tuple[str, str]]) -> str:
    """The end of the document, with the filter of each sheet, given by name and last cell, such as `C7`."""
    ranges = "".join(
        f'<table:database-range table:name="__Anonymous_Sheet_DB__{n}" table:display-filter-buttons="true" '
        f"table:target-range-address=\"'{name}'.A1:'{name}'.{last}\"/>"
        for n, (name, last) in enumerate(sheets)
    )
    return (
        f"<table:database-ranges>{ranges}</table:database-ranges>"
        "</office:spreadsheet></office:body></office:document-content>"
    )


def settings(sheets: Iterable[str]) -> str:
    """Settings that freeze the first row of each sheet."""
    views = "".join(
        f'<config:config-item-map-entry config:name="{name}">'
        f"{_item('VerticalSplitMode', 'short', 2)}{_item('VerticalSplitPosition', 'int', 1)}"
        f"{_item('ActiveSplitRange', 'short', 2)}{_item('PositionBottom', 'int', 1)}"
        "</config:config-item-map-entry>"
        for name in sheets
    )
    return (
        f"{_DECLARATION}<office:document-settings{_names(office='office', config='config')} "
        'xmlns:ooo="http://openoffice.org/2004/office" office:version="1.2"><office:settings>'
        '<config:config-item-set config:name="ooo:view-settings">'
        '<config:config-item-map-indexed config:name="Views"><config:config-item-map-entry>'
        f"{_item('ViewId', 'string', 'view1')}"
        f'<config:config-item-map-named config:name="Tables">{views}</config:config-item-map-named>'
        "</config:config-item-map-entry></config:config-item-map-indexed></config:config-item-set>"
        "</office:settings></office:document-settings>"
    )


def _item(name: str, kind: str, value: object) -> str:
    return f'<config:config-item config:name="{name}" config:type="{kind}">{value}</config:config-item>'
