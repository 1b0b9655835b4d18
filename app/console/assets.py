"""The files of the console, each compressed once; their version is a hash of them all.

Modules are served as they are written but for comments and space, which are more than half of their bytes.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import orjson

from app.console.squeeze import squeeze_module, squeeze_style
from app.core.catalogue import LANGUAGES, console_texts
from app.pages.brand import Brand

_STATIC = Path(__file__).parent / "static"
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
_SERVED = frozenset({".js"})
"""What is served as it lies there; the styles are joined into one."""
_FIRST = ("base.css", "components.css")
_NEEDED_FIRST = ("vendor", "lib", "components")
"""The folders whose modules others import, in the order in which a page loads them."""
STYLE = "style.css"
_BRAND = ":root {{ --brand: light-dark({brand.colour}, {brand.dark_colour}); }}\n"


@dataclass(frozen=True, slots=True)
class Asset:
    media_type: str
    content: bytes = field(repr=False)
    compressed: bytes = field(repr=False)
    """In gzip."""


class Assets:
    """All files by their path below the version's folder."""

    def __init__(self, brand: Brand) -> None:
        style = _BRAND.format(brand=brand) + _read_style()
        self.files: Mapping[str, Asset] = {
            **_read_files(),
            STYLE: _make(STYLE, squeeze_style(style).encode()),
        }
        self.version = _hash(self.files)


@cache
def _read_files() -> Mapping[str, Asset]:
    """Those that are the same for every brand: modules, and the texts of each language."""
    paths = (path for path in sorted(_STATIC.rglob("*"), key=_place) if path.suffix in _SERVED)
    modules = {
        path.relative_to(_STATIC).as_posix(): squeeze_module(path.read_text("utf-8")).encode()
        for path in paths
    }
    texts = {f"texts/{language}.json": orjson.dumps(console_texts(language)) for language in LANGUAGES}
    return {name: _make(name, content) for name, content in (modules | texts).items()}


def _place(path: Path) -> tuple[int, Path]:
    folder = path.relative_to(_STATIC).parts[0]
    return _NEEDED_FIRST.index(folder) if folder in _NEEDED_FIRST else len(_NEEDED_FIRST), path


@cache
def _read_style() -> str:
    """The colours and the frame first, then the components, then what single views add."""
    others = sorted(path.name for path in (_STATIC / "style").iterdir() if path.name not in _FIRST)
    return "".join((_STATIC / "style" / name).read_text("utf-8") for name in (*_FIRST, *others))


def _make(name: str, content: bytes) -> Asset:
    media_type = f"{_MEDIA_TYPES[Path(name).suffix]}; charset=utf-8"
    return Asset(media_type, content, gzip.compress(content, mtime=0))


def _hash(files: Mapping[str, Asset]) -> str:
    whole = hashlib.sha256()
    for name, asset in sorted(files.items()):
        whole.update(f"{name}\0{len(asset.content)}\0".encode() + asset.content)
    return whole.hexdigest()[:16]
