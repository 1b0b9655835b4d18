"""The fixed XML of a workbook: everything but its rows."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# The number of sheets is known last, but this part comes first: by default an .xml is a sheet.
CONTENT_TYPES: Final = (
    f'{_DECLARATION}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    "</Types>"
)

RELATIONS: Final = (
    f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/relationships/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>"
)

# 49 is Excel's own "@": a zip code or "=1+1" stays text when somebody edits it.
STYLES: Final = (
    f'{_DECLARATION}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
    "</cellXfs>"
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


def open_sheet(layout: Iterable[tuple[int, int]]) -> str:
    """A sheet up to its first row; the layout has each column's width and style."""
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width}" style="{style}" customWidth="1"/>'
        for n, (width, style) in enumerate(layout, 1)
    )
    return (
        f'{_DECLARATION}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="bottomLeft"/></sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>'
    )


def close_sheet(last_cell: str) -> str:
    """The end of a sheet: its filter, and no warnings for phone numbers stored as text."""
    table = f"A1:{last_cell}"
    return (
        f'</sheetData><autoFilter ref="{table}"/><ignoredErrors>'
        f'<ignoredError sqref="{table}" numberStoredAsText="1"/></ignoredErrors></worksheet>'
    )


def workbook(sheets: Sequence[tuple[str, str]]) -> str:
    """The workbook of sheets given by name and last cell, such as `$C$7`."""
    entries = "".join(
        f'<sheet name="{escape(name, quote=False)}" sheetId="{n}" r:id="rId{n}"/>'
        for n, (name, _) in enumerate(sheets, 1)
    )
    # Excel keeps a filter's range twice, and repairs workbooks that lack the hidden name in some versions.
    names = "".join(
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{n}" hidden="1">'
        f"'{escape(name, quote=False)}'!$A$1:{last}</definedName>"
        for n, (name, last) in enumerate(sheets)
    )
    return (
        f'{_DECLARATION}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}/relationships"><bookViews>'
        f"<workbookView/></bookViews><sheets>{entries}</sheets><definedNames>{names}</definedNames></workbook>"
    )


def workbook_relations(sheets: int) -> str:
    entries = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/relationships/worksheet" '
        f'Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, sheets + 1)
    )
    return (
        f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{entries}'
        f'<Relationship Id="rId{sheets + 1}" Type="{_OFFICE}/relationships/styles" Target="styles.xml"/>'
        "</Relationships>"
    )
