"""`python -m clients`: start Roster, let each client do its flows, and say what they did."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from clients import person, report, service, spa, tls
from clients.running import ALL, Outcome, run
from tests.support.live import command
from tools import browser


def main() -> int:
    """1 where a client failed."""
    asked = _read_arguments()
    wanted = [each for each in ALL if not asked.names or each.name in asked.names]
    with (
        tempfile.TemporaryDirectory(prefix="roster-clients-") as made,
        spa.serving() as application,
        tls.serving(Path(made)) as proxy,
        service.running(Path(made), application.origin, proxy) as served,
        person.serving(served.url, served.user) as door,
    ):
        told = {
            "clients": served.registry.clients,
            "user": served.user,
            "key": served.registry.key,
            "person": door,
            "origin": application.origin,
            "chromium": browser.find_chromium(),
            "mails": str(_write_mails(Path(made))),
            "trust": proxy.trust,
            "outbox": str(served.outbox),
            "pictures": str(asked.pictures or made),
        }
        outcomes = []
        for each in wanted:
            application.issuer = proxy.url if each.over_tls else served.url
            outcomes.append(run(each, json.dumps(told | {"issuer": application.issuer})))
        if asked.log:
            asked.log.write_text(served.server.errors)
    return _judge(outcomes, is_whole=not asked.names)


def _write_mails(made: Path) -> Path:
    folder = made / "mails"
    command(made, "mail", "preview", "--folder", str(folder)).check_returncode()
    return folder


def _judge(outcomes: list[Outcome], *, is_whole: bool) -> int:
    failed = [each for each in outcomes if each.failure]
    for each in failed:
        print(f"\n{each.program.name} failed after {len(each.steps)} flows:\n{each.failure}")
    if is_whole:
        report.REPORT.write_text(report.write(outcomes))
    flows = sum(len(each.steps) for each in outcomes)
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} clients did all their flows ({flows}).")
    return 1 if failed else 0


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m clients", description=__doc__)
    parser.add_argument("names", nargs="*", help="clients; by default all")
    parser.add_argument("--log", type=Path, help="where to leave the server's log")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the pages")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
