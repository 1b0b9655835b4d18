"""Made-up fields in a copy of the tree: one line declares each, and it is everywhere."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODEL = Path("models/user.py")
TOP = (
    '    nickname: Annotated[Line | None, Blank, Declared(answers.Line, owner="sets", '
    'filter="Whole nicknames.", sort=True, search=True)] = None\n'
)
NESTED = TOP.replace("nickname", "motto").replace('owner="sets", ', "")
RENEWAL = '''"""Find old users by their titles."""

from app.core.mongo import BSON, Database
from app.users.renewal import renew_derived
from models.user import User


async def migrate(database: Database) -> None:
    """Read all users."""
    users = database[User.Settings.name].with_options(codec_options=BSON)
    await renew_derived(users, "keys", "facets", "search")
'''


def copy_tree(folder: Path) -> Path:
    """With what is compiled, but for files that are being written."""
    for name in ("app", "models", "routers", "tests", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def insert(text: str, line: str, before: str) -> str:
    """One line more in the declaration, and nothing else."""
    assert text.count(before) == 1
    return text.replace(before, line + before)


def declare(copy: Path) -> None:
    """A field of the user, one of the profile, and a facet of what was none, for which old users wait."""
    text = (copy / MODEL).read_text()
    text = insert(text, TOP, "    tags: Annotated[")
    text = insert(text, NESTED, "    title: Annotated[")
    (declared,) = re.findall(r"    title: .*\n", text)
    more = declared.replace("answers.Line", 'answers.Line, filter="Whole titles.", sort=True')
    (copy / MODEL).write_text(text.replace(declared, more))
    folder = copy / "app" / "migrations"
    (folder / f"m{len([*folder.glob('m[0-9]*.py')]) + 1:04}_titles.py").write_text(RENEWAL)


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Counter[tuple[str, str]]:
    """How many tests passed in the copy, by file and field; all must."""
    copy = copy_tree(tmp_path_factory.mktemp("copy"))
    declare(copy)
    files = [
        f"tests/integration/{name}.py" for name in ("users/test_declared_fields", "migrations/test_renewal")
    ]
    chosen = "test_declared_fields and (nickname or motto) or test_renewal and title"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *files, "-k", chosen]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=copy, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    line = re.compile(r"^PASSED \S*/(\w+)\.py::\S*\b(nickname|motto|title)\b", re.MULTILINE)
    return Counter(line.findall(done.stdout))


@pytest.mark.parametrize(
    "name", [pytest.param("nickname", id="of the user"), pytest.param("motto", id="of the profile")]
)
def test_a_field_of_one_line_is_in_every_way_in_and_out(passed: Counter[tuple[str, str]], name: str) -> None:
    each_way = ("written", "by its owner", "found", "sorted", "csv", "ndjson", "xlsx", "document")
    assert passed["test_declared_fields", name] == len(each_way)


def test_a_field_that_becomes_a_facet_finds_old_users_once_a_migration_renewed_them(
    passed: Counter[tuple[str, str]],
) -> None:
    each_way = ("facet", "words", "order")
    assert passed["test_renewal", "title"] == len(each_way)
