"""`python -m fuzz`: start the service, let schemathesis and the two peers at it, and say what they found."""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from fuzz import peers, running, service

_FEWEST_CASES = 2_000


def main() -> int:
    """1 where anything was found, or too little was tried."""
    asked, options = _read_arguments()
    print(f"Seed {asked.seed}: `python -m fuzz --seed {asked.seed}` draws the same.", flush=True)
    with tempfile.TemporaryDirectory(prefix="roster-fuzz-") as made, service.running(Path(made)) as served:
        intrusions = peers.check(served)
        report = running.run(served, Path(made), seed=asked.seed, seconds=asked.seconds, options=options)
        if asked.log:
            asked.log.write_text(served.server.errors)
    findings = [*intrusions.findings, *report.findings]
    if report.cases < _FEWEST_CASES:
        findings.append(f"There were fewer than {_FEWEST_CASES} cases.")
    if report.tested == report.operations:  # all, unless schemathesis was told to leave some out
        findings += [f"Never successful, so hardly tried: {operation}" for operation in report.failing]
    print(
        f"Two peers: {intrusions.requests} requests; {intrusions.operations} operations that take an id"
        f"\nschemathesis: {report.cases} cases of {report.tested} of {report.operations} operations, "
        f"{report.operations - len(report.failing)} of which succeeded at least once"
        f"\nExcused: {report.excused}"
    )
    for reason, times in report.reasons.most_common():
        print(f"  {times:5}  {reason}")
    print(f"{len(findings)} findings")
    for finding in findings:
        print(f"  {finding}")
    return 1 if findings else 0


def _read_arguments() -> tuple[argparse.Namespace, list[str]]:
    """Ours, and what is left for schemathesis."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    parser.add_argument("--seconds", type=int, default=480, help="that schemathesis has")
    parser.add_argument("--log", type=Path, help="where to leave the server's log")
    return parser.parse_known_args()


if __name__ == "__main__":
    sys.exit(main())
