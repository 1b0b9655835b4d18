"""The pages of the documentation: what is generated is up to date, and what is named is there."""

import re
from pathlib import Path

import pytest

from tools import rooms

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
)

PLACEHOLDERS = {"app/x", "routers/x.py", "app/migrations/mNNNN_what.py"}
FOLDERS = "app|benchmarks|clients|deploy|docs|fuzz|models|mta|office|routers|tests|tools"


def find_headings(page: Path) -> set[str]:
    """The anchors that a forge makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_each_link_of_a_page_leads_to_a_file_or_heading_that_is_there(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        path, _, heading = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not heading or heading in find_headings(found), target


@pytest.mark.parametrize("name", PAGES)
def test_each_file_and_module_that_a_page_names_is_there(name: str) -> None:
    text = (ROOT / name).read_text()
    paths = set(re.findall(rf"`((?:{FOLDERS})/[\w./-]*)", text))
    modules = {found.replace(".", "/") for found in re.findall(r"`(app\.[a-z_.]+[a-z_])", text)}
    tests = {f"tests/**/{found}" for found in re.findall(r"`(test_\w+\.py)`", text)}
    gone = {path for path in paths - PLACEHOLDERS if not (ROOT / path).exists()}
    gone |= {module for module in modules if not _is_module(module)}
    gone |= {pattern for pattern in tests if not any(ROOT.glob(pattern))}
    assert not gone


def test_each_test_that_a_page_names_is_there() -> None:
    named = {name for page in PAGES for name in re.findall(r"`(test_\w+)`", (ROOT / page).read_text())}
    defined = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in [file.stem, *re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)]
    }
    assert len(named) > 20
    assert named <= defined, named - defined


def _is_module(path: str) -> bool:
    """Whether it is one, or a name that one has."""
    if (ROOT / path).exists() or (ROOT / f"{path}.py").exists():
        return True
    parent, name = path.rsplit("/", 1)
    sources = (ROOT / f"{parent}.py", ROOT / parent / "__init__.py")
    return any(re.search(rf"\b{name}\b", source.read_text()) for source in sources if source.exists())


def test_the_picture_and_the_table_of_rooms_are_what_the_contract_gives() -> None:
    assert (rooms.PICTURE.read_text(), rooms.PAGE.read_text()) == rooms.render(), "run `make snapshots`"


def test_the_picture_has_every_room_below_what_imports_it() -> None:
    layers = [["__main__"], ["main"], ["routers"], ["users"], ["audit", "core"], ["models"]]
    contracts = [
        {"id": "rooms", "layers": ["__main__", "main", "users", "audit | core"]},
        {"id": "routers", "allowed_importers": ["app.main"]},
    ]
    assert rooms.read_layers({"tool": {"importlinter": {"contracts": contracts}}}) == layers
    places = re.findall(r'y="(\d+)" fill="#\w+">(\w+)<', rooms.draw(layers))
    assert [name for _, name in places] == [name for names in layers for name in names]
    assert len({height for height, _ in places}) == len(layers)


@pytest.mark.parametrize("name", [page for page in PAGES if page.startswith("docs/decisions/")])
def test_each_decision_has_its_status_date_and_parts(name: str) -> None:
    text = (ROOT / name).read_text()
    status = r"\n\nStatus: (accepted|replaced by ADR \d+), \d{4}-\d\d-\d\d\.\n\n"
    assert re.match(rf"# {int(Path(name).name[:4])}\. .+" + status, text)
    parts = re.findall(r"^\*\*(\w[\w ]+?)\.?\*\*", text, re.MULTILINE)
    needed = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
    assert [part for part in parts if part in needed] == needed
