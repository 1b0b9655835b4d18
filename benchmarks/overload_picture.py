"""Good answers a second over time, as an SVG: one row a load, each in shares of its own most."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

_WIDTH, _ROW, _LEFT = 720, 44, 130


def draw(series: Mapping[str, Sequence[int]], path: Path) -> None:
    rows = [_row(name, counts, index * _ROW) for index, (name, counts) in enumerate(series.items())]
    height = len(rows) * _ROW + 24
    seconds = max((len(counts) for counts in series.values()), default=0)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 80} {height}" '
        'font-family="sans-serif" font-size="12">\n'
        '<rect width="100%" height="100%" fill="#fff"/>\n'
        + "\n".join(rows)
        + f'\n<text x="{_LEFT}" y="{height - 6}">good answers a second, over {seconds} s</text>\n</svg>\n',
        encoding="utf-8",
    )


def _row(name: str, counts: Sequence[int], top: int) -> str:
    most = max(counts, default=0) or 1
    step = _WIDTH / max(1, len(counts) - 1)
    base = top + _ROW - 6
    points = " ".join(
        f"{_LEFT + index * step:.0f},{base - count / most * (_ROW - 12):.0f}"
        for index, count in enumerate(counts)
    )
    return (
        f'<text x="4" y="{base - 10}">{escape(name)}</text>'
        f'<line x1="{_LEFT}" y1="{base}" x2="{_LEFT + _WIDTH}" y2="{base}" stroke="#ccc"/>'
        f'<polyline points="{points}" fill="none" stroke="#0b62a4" stroke-width="1.5"/>'
        f'<text x="{_LEFT + _WIDTH + 6}" y="{base - 10}" fill="#555">{most:,}/s</text>'
    )
