"""Draws docs/rooms.svg from the import contract, and writes the table of rooms into docs/architecture.md."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PICTURE = ROOT / "docs" / "rooms.svg"
_TABLE = re.compile(r"(?<=<!-- rooms: written by `make snapshots` -->\n).*?(?=<!-- end -->)", re.DOTALL)
_WIDTH, _ROW, _BOX, _GAP = 760, 50, 30, 12
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    ' font-family="sans-serif" font-size="14" text-anchor="middle">\n'
    "<title>The rooms of Roster: each imports from the layers below it, never from above</title>\n"
    '<rect width="100%" height="100%" fill="#ffffff"/>\n'
)
_LINE = '<path d="M {middle} {top} v {length}" stroke="#8a94a6"/>\n'
_ROOM = (
    '<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="5" fill="{fill}" stroke="#44546a"/>\n'
    '<text x="{middle}" y="{base}" fill="#1c2733">{name}</text>\n'
)
_PACKAGE, _FILE = "#dce9f9", "#f4f0e4"


def read_layers(project: dict[str, Any]) -> list[list[str]]:
    """The names of each layer, from the top; `routers` and `models` where their own contracts put them."""
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    layers = [re.split(r" [|:] ", layer) for layer in contracts["rooms"]["layers"]]
    importers = {name.removeprefix("app.") for name in contracts["routers"]["allowed_importers"]}
    below = 1 + max(place for place, names in enumerate(layers) if importers & set(names))
    return [*layers[:below], ["routers"], *layers[below:], ["models"]]


def draw(layers: list[list[str]]) -> str:
    """The layers as rows of boxes, joined by a line behind them; packages are blue, single files are not."""
    height = _ROW * len(layers) + _GAP
    line = _LINE.format(middle=_WIDTH // 2, top=_ROW // 2, length=height - _ROW)
    rows = "".join(_draw_row(names, _GAP + _ROW * place) for place, names in enumerate(layers))
    return _HEAD.format(width=_WIDTH, height=height) + line + rows + "</svg>\n"


def _draw_row(names: list[str], y: int) -> str:
    widths = [9 * len(name) + 30 for name in names]
    x = (_WIDTH - sum(widths) - _GAP * (len(names) - 1)) // 2
    boxes = []
    for name, width in zip(names, widths, strict=True):
        fill = _PACKAGE if find_source(name).name == "__init__.py" else _FILE
        places = {"x": x, "y": y, "middle": x + width // 2, "base": y + 20}
        boxes.append(_ROOM.format(name=name, width=width, height=_BOX, fill=fill, **places))
        x += width + _GAP
    return "".join(boxes)


def describe(layers: list[list[str]]) -> str:
    """A table of the rooms with the first line of each docstring."""
    sources = [find_source(name) for names in layers for name in names]
    rows = (f"| {_link(source)} | {_summarise(source)} |\n" for source in sources)
    return "| Room | Holds |\n|---|---|\n" + "".join(rows)


def find_source(name: str) -> Path:
    """The file whose docstring tells what the room holds."""
    place = ROOT / name if name in {"routers", "models"} else ROOT / "app" / name
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _link(source: Path) -> str:
    where = source.relative_to(ROOT).as_posix().removesuffix("__init__.py")
    return f"[`{where}`](../{where})"


def _summarise(source: Path) -> str:
    return (ast.get_docstring(ast.parse(source.read_text())) or "").split("\n")[0].replace("|", "\\|")


def render() -> tuple[str, str]:
    """The picture and the page, as the contract and the docstrings give them."""
    layers = read_layers(tomllib.loads((ROOT / "pyproject.toml").read_text()))
    return draw(layers), _TABLE.sub(lambda _: describe(layers), PAGE.read_text())


if __name__ == "__main__":
    picture, page = render()
    PICTURE.write_text(picture)
    PAGE.write_text(page)
