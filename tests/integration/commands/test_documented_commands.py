"""Every shell command of the documentation does what its page says, in its order, on a real server."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from app.__main__ import cli
from tests.support import documented
from tests.support.browsing import Person, visit
from tests.support.documented import Command
from tests.support.live import PATIENCE_S, LiveServer, environment
from tests.support.live import command as run_command
from tests.support.pictures import encode, halves
from tests.support.servers import S3Server

ROOT = Path(__file__).parents[3]
ALL_PAGES = [
    "README.md",
    "README.zh-CN.md",
    *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))),
]
NOT_RUN = {
    "make run": "the server of this test is what it starts; test_command_line holds what it prints",
    "python -m app serve": "the same",
    "ROSTER_METRICS_PORT=9100 python -m app serve --workers 4": "the same; test_exposition has four workers",
    "python -m app serve --workers 4 &": "the signals of this page are sent by test_replaced_workers",
    "kill -HUP %1": "the same",
    "kill -TERM %1": "the same",
    "make fuzz": "nine minutes, and an environment of its own",
    ".venv/bin/python -m fuzz": "the same",
    "python -m app mail test": "it needs a mail server; test_mail_commands has one",
    "python -m app mail send": "the same, and the id of a mail",
    "python -m app webhooks test": "the id of a webhook, and a receiver; test_webhook_commands has both",
    "python -m app webhooks resume": "the same",
    "python -m app webhooks redeliver": "the same",
    "curl -N $R/events": "it has no end; tests/integration/live has one",
    "mongorestore": "a tool of MongoDB's that no wheel brings",
    "redis-cli": "a tool of Redis's that no wheel brings, and it would sign everybody out",
}
OTHERWISE = {"curl -i localhost:8000/health/ready": "200"}
"""The page shows what is answered while something is missing."""
ANAS_PASSWORD = "a horse in the rain"
CURL = """#!/bin/sh
# As the pages say: at port 8000, and with the token unless something else is shown to whom it is sent.
case "$*" in
  *Authorization*|*" -u "*|*/auth/token*|*/auth/register*|*/auth/device*|*/health/*|*/metrics*) ;;
  *) set -- "$@" -H "Authorization: Bearer $TOKEN" ;;
esac
exec {curl} -sS --connect-to 127.0.0.1:8000:{address} --connect-to localhost:8000:{address} \\
  --connect-to localhost:9100:{metrics} -w '%{{stderr}}status %{{http_code}}\\n' "$@"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, s3_server: S3Server) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("documented")
    url = f"s3://{s3_server.bucket}/documented"  # `app check` tells of what others left below a prefix
    bucket = s3_server.settings | {
        "files_url": url,
        "files_direct": True,
        "export_buckets": "s3://reports/people",
    }
    with LiveServer(folder, registration="invitation", metrics_port=0, **bucket) as live:
        programs = folder / "programs"
        programs.mkdir()
        (metrics,) = live.find("metrics_listening")
        host, port = live.address
        curl = CURL.format(
            curl=shutil.which("curl"), address=f"{host}:{port}", metrics=f"{host}:{metrics['port']}"
        )
        (programs / "curl").write_text(curl)
        (programs / "curl").chmod(0o700)
        yield live


class Reader:
    """Somebody who follows a page: ids, codes and tokens are those that they got, not those of the page."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        email, password = re.findall(r"Sign in as (\S+) with the password (\S+) ", server.printed)[0]
        tokens = server.sign_in(email, password).json()
        self.variables = {
            "R": "http://127.0.0.1:8000",
            "TOKEN": tokens["access_token"],
            "REFRESH": server.sign_in(email, password).json()["refresh_token"],
        }
        self.got = {"9bqk-1XzTmW4yLpc": password, "password=…": f"password={ANAS_PASSWORD}"}
        self.got["6b04…5b86"] = self.ask("/users?limit=1&email=kumar_aarav967@example.org")["items"][0]["id"]

    def ask(self, path: str, method: str = "GET", **body: Any) -> Any:
        with self._server.client() as http:
            headers = {"Authorization": f"Bearer {self.variables['TOKEN']}"}
            reply = http.request(method, path, headers=headers, json=body or None)
        assert reply.is_success, reply.text
        return reply.json() if reply.content else None

    def run(self, command: Command) -> None:
        text = command.text
        for shown, got in sorted(self.got.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(shown, got)
        assert "…" not in text, "the page has not said where this is from"
        if assigned := re.match(r"(\w+)=\$\(", text):
            text += f'\nprintf %s "${assigned[1]}"'
        done = self._do(text)
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        self._judge(command, done)
        if assigned:
            self.variables[assigned[1]] = done.stdout
        self._learn(command.shown, done.stdout)

    def _do(self, text: str) -> subprocess.CompletedProcess[str]:
        """In a shell, but for Roster's own commands, which start sooner as forks."""
        folder = self._server.folder
        words = shlex.split(text.replace("\\\n", ""))
        if words[:3] == ["python", "-m", "app"]:
            return run_command(folder, *words[3:], **self._server.settings)
        path = f"{folder}/programs:{os.environ['PATH']}"
        return subprocess.run(
            ["sh", "-c", text],
            cwd=folder,
            env=environment(folder) | self.variables | {"PATH": path},
            capture_output=True,
            check=False,
            text=True,
            timeout=PATIENCE_S,
        )

    def _judge(self, command: Command, done: subprocess.CompletedProcess[str]) -> None:
        statuses = re.findall(r"^status (\d+)$", done.stderr, re.MULTILINE)
        assert bool(statuses) == ("curl" in command.text)
        said = re.search(r'HTTP/1.1 (\d{3})|^\{"type".*?"status":(\d{3})', command.shown, re.DOTALL)
        wanted = OTHERWISE.get(command.text) or (said and (said[1] or said[2])) or r"2\d\d"
        assert all(re.fullmatch(wanted, status) for status in statuses), (command.text, done.stdout)

    def _learn(self, shown: str, output: str) -> None:
        shortened = [pair for pair in re.findall(r'"(\w+)":"([^"]+)"', shown) if "…" in pair[1]]
        lines = re.findall(r"^(id|secret): (\S{5,})$", shown, re.MULTILINE)
        location = [("id", found) for found in re.findall(r"Location: /users/(\w+)", shown)]
        for name, value in [*shortened, *lines, *location]:
            found = re.search(rf'"{name}":"([^"]*)"|^{name}: (\S+)$', output, re.MULTILINE)
            if found and value not in self.got:
                self.got[value] = found[1] or found[2]


def run_page(server: LiveServer, page: str, before: dict[str, Any] | None = None) -> None:
    """`before`: what happens between two commands, by how the second begins."""
    reader = Reader(server)
    for command in documented.read(page):
        if any(command.text.startswith(text) for text in NOT_RUN):
            continue
        for start, happen in (before or {}).items():
            if command.text.startswith(start):
                happen(reader)
        reader.run(command)


def test_the_readme(server: LiveServer) -> None:
    run_page(server, "README.md")
    assert (server.folder / "users.xlsx").stat().st_size > 1_000


def test_the_guide(server: LiveServer) -> None:
    reader = Reader(server)
    ana = reader.ask("/users", "POST", name="Ana", email="ana@example.com", scopes=["me", "users:read"])
    reader.ask(f"/users/{ana['id']}/password", "PUT", password=ANAS_PASSWORD)

    def sign_out(at: Reader) -> None:
        at.ask(f"/users/{ana['id']}/sessions", "DELETE")

    def sign_in_again(at: Reader) -> None:
        at.got["eyJhbGci…"] = server.sign_in("ana@example.com", ANAS_PASSWORD).json()["access_token"]

    def edit(_: Reader) -> None:
        file = server.folder / "team.csv"
        heading, first, *rest = file.read_text("utf-8-sig").splitlines()
        cells = first.split(",")
        cells[3] = "Head of Design"
        rows = [heading, ",".join(cells), *rest, ",Zed,zed@example.com,,", ",Nobody,,,"]
        file.write_text("\r\n".join(rows), "utf-8")

    def draw(_: Reader) -> None:
        (server.folder / "ana.jpg").write_bytes(encode(halves(), "JPEG"))

    run_page(
        server,
        "docs/guide.md",
        {
            "curl -X PUT --data-binary @ana.jpg": draw,
            "curl -i $R/users -H 'Authorization": sign_out,
            "curl $R/auth/introspect": sign_in_again,
            "curl -i $R/users/import": edit,
        },
    )
    assert (server.folder / "engineers.xlsx").stat().st_size > 1_000


def test_how_users_are_signed_in(server: LiveServer) -> None:
    email, password = re.findall(r"Sign in as (\S+) with the password (\S+) ", server.printed)[0]

    def agree(at: Reader) -> None:
        person = Person(server.url, {"username": email, "password": password})
        with httpx.Client() as browser:
            asked = visit(browser, person, f"{server.url}/auth/device?user_code={at.got['BCDF-…']}")
        assert asked.status == 200, asked

    run_page(server, "docs/sign-in.md", {"curl $R/auth/token -d grant_type=urn": agree})


OF_ITS_OWN = {"README.md", "docs/guide.md", "docs/sign-in.md"}


@pytest.mark.parametrize("page", [page for page in ALL_PAGES if page not in OF_ITS_OWN])
def test_every_other_page(server: LiveServer, page: str) -> None:
    run_page(server, page)


def test_what_is_not_run_is_there_and_has_its_reason() -> None:
    commands = [command.text for page in ALL_PAGES for command in documented.read(page)]
    assert len(commands) > 50
    assert all(any(text.startswith(start) for text in commands) for start in NOT_RUN)


def test_each_command_that_a_page_names_in_passing_is_one() -> None:
    text = "\n".join((ROOT / page).read_text() for page in [*ALL_PAGES, "CONTRIBUTING.md"])
    known = typer.main.get_command(cli)
    named = re.findall(r"python -m app ([a-z-]+)", text)
    assert len(set(named)) > 10
    assert set(named) <= set(getattr(known, "commands", {}))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
