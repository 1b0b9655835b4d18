"""The search of all logs of the suite: that it bites, and not what it should let be."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.suite_logs import PATTERNS, VARIABLE, search

ROOT = Path(__file__).parents[3]
SECRET = "Zk3" + "w" * 40
FOUND = {
    "e-mail": ("somebody ana@example.com did it", "?email=ana%40%E4%BE%8B.com", "root@localhost"),
    "access token": ("Bearer eyJhbGciOiJFZERTQSIsImtpZCI6",),
    "opaque token": (f"Bearer roster_pat_{SECRET}aBcDeF", "token=roster_svc_awRo1aBcDeF"),
    "refresh token": (f"token {SECRET}.12.{'b' * 43}",),
    "secret of a client, an invitation or a cursor's key": (f'"code":"{SECRET}"', rf"\n{SECRET}", "0f" * 32),
    "client's credentials": ("Authorization: Basic cG9ydGFsOmtleXM6b3BlbmVk",),
    "password": ("tried seven wet horses sing", "Correct Horse battery"),
    "password of a backend": ("mongodb://roster:hunter2@localhost/roster", "AUTH redis-secret"),
    "secret key": ("key 0123456789abcdef0123456789abcdef",),
    "hash of a password": ("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "$2b$04$", "pbkdf2_sha256$5$"),
    "phone number": ('"said":"+4915112345678"', r"failed\n+4915112345678", "phone=%2B4915112345678"),
}  # fmt: skip
HARMLESS = (
    '{"event":"request","request_id":"a94677b2baa72d3a","duration_ms":1.94,"timestamp":"2026-11-27T11:06:02+00:00"}',
    '{"event":"signed_in","user_id":"6b098e2a0b1b523554bd9e3d","session":"25aaeaa459b10d06","email":"***"}',
    f'{{"event":"signing_key_unreadable","kid":"{SECRET}"}}',
    f'{{"event":"signing_key_made","kid":"eyJ{SECRET[3:]}"}} kid=eyJ{SECRET[3:]}',
    "in test_whose_name_is_as_long_as_a_secret_would_be",
    "mongodb://***@localhost:27017/roster cannot be reached",
    "The administrator's e-mail must be an address such as ana@example.com.",
)
LEAKS = """
import pytest, structlog
from tests.support.live import LiveProcess, command

SAY = "import sys; sys.stderr.write('fine\\\\nnine herons argue loudly, cut off')"

def test_an_app_leaks():
    structlog.get_logger("roster.leak").info("leaked", said="seven wet horses sing")

@pytest.mark.logs_on_purpose
def test_a_process_leaks(tmp_path):
    structlog.get_logger("roster.leak").info("leaked", said="eight badgers whisper softly")
    server = LiveProcess(tmp_path, "serve", program=("-c", SAY))
    server.process.wait()
    server.stop()

def test_a_command_leaks(tmp_path):
    command(tmp_path, "--ana@example.com")
"""
SAID = {
    "test_leaks.py::test_an_app_leaks": "password",
    "test_leaks.py::test_a_process_leaks": "password",
    "test_leaks.py::test_a_command_leaks": "e-mail",
}


def run_tests(folder: Path, source: str, *, processes: int) -> subprocess.CompletedProcess[str]:
    """A suite of this one module, in the folder, where what it keeps is, too; by itself or by processes."""
    (folder / "test_leaks.py").write_text(source)
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", VARIABLE))
    }
    options = (
        "-c",
        os.devnull,
        "--rootdir",
        folder,
        "-p",
        "tests.support.suite_logs",
        "-p",
        "no:cacheprovider",
    )
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-n", str(processes), "test_leaks.py"],
        cwd=folder,
        env=inherited | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_each_kind_has_its_example() -> None:
    assert FOUND.keys() == PATTERNS.keys()


@pytest.mark.parametrize("kind", PATTERNS)
def test_a_line_with_a_secret_is_found_and_not_said_again(kind: str, tmp_path: Path) -> None:
    (tmp_path / "1.log").write_text("\n".join(f"a_test | {line}" for line in ("fine", *FOUND[kind])))
    finds = [find for find in search(tmp_path) if find.kind == kind]
    assert [(find.file, find.test, find.line) for find in finds] == [
        ("1.log", "a_test", number) for number in range(2, 2 + len(FOUND[kind]))
    ]
    assert not [find for find in finds if PATTERNS[kind].search(find.around)]


def test_what_logs_are_for_is_let_be(tmp_path: Path) -> None:
    (tmp_path / "1.log").write_text("\n".join(f"a_test | {line}" for line in HARMLESS))
    assert list(search(tmp_path)) == []


def test_each_password_that_tests_sign_in_with_is_looked_for() -> None:
    named = re.compile(r'^\w*PASSWORD\w*(?:: \w+)? = f?"(.+)"$', re.MULTILINE)
    used = {word for path in ROOT.glob("tests/**/*.py") for word in named.findall(path.read_text())}
    assert len(used) >= 5
    missed = {
        word for word in used if not PATTERNS["password"].search(word.replace("{CANARY}", "kanarienvogel"))
    }
    assert missed == set(), "add them to tests/support/suite_logs.py"


def test_a_suite_that_passes_fails_over_what_its_processes_logged(tmp_path: Path) -> None:
    done = run_tests(tmp_path, LEAKS, processes=1)
    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    told = re.findall(r"\d+\.log:\d+: ([\w-]+): (\S+): (.*)", done.stdout)
    assert {test: kind for kind, test, _ in told} == SAID
    assert f"3 found in {tmp_path}" in done.stdout
    assert not re.search("horses|herons|badgers|ana@", done.stdout)


def test_of_a_suite_without_a_find_nothing_stays(tmp_path: Path) -> None:
    done = run_tests(tmp_path, "def test_it(): ...", processes=0)
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
    assert "What no log may hold" not in done.stdout
    assert list(tmp_path.glob("roster-suite-logs-*")) == []
