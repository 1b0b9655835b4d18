"""A made-up field in a copy of the tree: one line declares it, and it is everywhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODEL = Path("models/user.py")
TOP = (
    '    nickname: Annotated[Line | None, Blank, Declared(answers.Line, owner="sets", '
    'filter="Whole nicknames.", sort=True, search=True)] = None\n'
)
NESTED = TOP.replace('owner="sets", ', "")
RENEWAL = '''"""Find old users by their titles."""

from app.core.mongo import BSON, Database
from app.users.renewal import renew_derived
from models.user import User


async def migrate(database: Database) -> None:
    """Read all users."""
    users = database[User.Settings.name].with_options(codec_options=BSON)
    await renew_derived(users, "keys", "facets", "search")
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("app", "models", "routers", "tests", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def insert(copy: Path, line: str, before: str) -> None:
    """One line more in the declaration, and nothing else."""
    text = (copy / MODEL).read_text()
    assert text.count(before) == 1
    (copy / MODEL).write_text(text.replace(before, line + before))


def run(copy: Path, tests: str, field: str) -> int:
    """How many tests of that field passed in the copy; all must."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", tests, "-k", field]
    own = {name: said for name, said in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=copy, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return sum(map(int, re.findall(r"(\d+) passed", done.stdout)))


@pytest.mark.parametrize(
    ("line", "before"),
    [
        pytest.param(TOP, "    tags: Annotated[", id="of the user"),
        pytest.param(NESTED, "    title: Annotated[", id="of the profile"),
    ],
)
def test_a_field_of_one_line_is_in_every_way_in_and_out(copy: Path, line: str, before: str) -> None:
    insert(copy, line, before)
    each_way = ("written", "by its owner", "found", "sorted", "csv", "ndjson", "xlsx", "document")
    assert run(copy, "tests/integration/users/test_declared_fields.py", "nickname") == len(each_way)


def test_a_field_that_becomes_a_facet_finds_old_users_once_a_migration_renewed_them(copy: Path) -> None:
    text = (copy / MODEL).read_text()
    (declared,) = re.findall(r"    title: .*\n", text)
    more = declared.replace("answers.Line", 'answers.Line, filter="Whole titles.", sort=True')
    (copy / MODEL).write_text(text.replace(declared, more))
    folder = copy / "app" / "migrations"
    (folder / f"m{len([*folder.glob('m[0-9]*.py')]) + 1:04}_titles.py").write_text(RENEWAL)
    each_way = ("facet", "words", "order")
    assert run(copy, "tests/integration/migrations/test_renewal.py", "title") == len(each_way)
