"""`python -m benchmarks`: the promised ratios, on servers it starts itself.

python -m benchmarks                    all benches, into benchmarks/RESULTS.md
python -m benchmarks pages              one bench; its rows there are replaced
python -m benchmarks pages --quick      one bench on a small directory; RESULTS.md stays as it is
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks import (
    avatars,
    bad_files,
    bulk,
    bystander,
    depth,
    exports,
    grants,
    identity,
    imports,
    mail,
    pages,
    results,
    search,
    sign_ins,
    trailing,
    workers,
)
from benchmarks.plan import FULL, QUICK, Sizes
from benchmarks.results import Finding
from benchmarks.servers import Backends, backends

BENCHES: dict[str, Callable[[Backends, Sizes], list[Finding]]] = {
    "pages": pages.measure,
    "exports": exports.measure,
    "depth": depth.measure,
    "bystander": bystander.measure,
    "identity": identity.measure,
    "sign-ins": sign_ins.measure,
    "grants": grants.measure,
    "search": search.measure,
    "imports": imports.measure,
    "bulk": bulk.measure,
    "bad files": bad_files.measure,
    "trail": trailing.measure,
    "workers": workers.measure,
    "mail": mail.measure,
    "avatars": avatars.measure,
}


def main() -> None:
    asked = _parse()
    sizes = _sizes(asked)
    chosen = asked.bench or list(BENCHES)
    started = time.perf_counter()
    findings: list[Finding] = []
    with backends() as servers:
        for name in chosen:
            print(f"{name} ...", flush=True)
            findings += BENCHES[name](servers, sizes)
    results.conclude(findings, mongod=servers.mongod_version, started=started, keep=sizes == FULL)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = ", ".join(BENCHES)
    parser.add_argument("bench", nargs="*", choices=[*BENCHES, []], help=f"{names}; default: all")
    parser.add_argument("--quick", action="store_true", help="20,000 and 100,000 users, shorter loads")
    parser.add_argument("--users", type=int, help="users of pages and exports")
    parser.add_argument("--many", type=int, help="users where depth or memory is measured")
    return parser.parse_args()


def _sizes(asked: argparse.Namespace) -> Sizes:
    sizes = QUICK if asked.quick else FULL
    return replace(sizes, users=asked.users or sizes.users, many=asked.many or sizes.many)


if __name__ == "__main__":
    main()
