"""`python -m mta`: a Roster gives Postfix each kind of mail in each language, and people do what it says."""

import asyncio
import sys
import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Final

from app.container import Container, opened
from app.core.catalogue import LANGUAGES
from app.core.settings import Settings
from app.mail import Mail, contents
from app.mail.messages import KINDS
from mta import flows, judging, postfix
from tests.support.live import LiveServer
from tests.support.servers import MongoServer, RedisServer
from tests.support.users import until

_ADMIN: Final = "administrator@example.com"
_PASSWORD: Final = "a staple for the mails"  # noqa: S105 - it guards sample users, for minutes
_ODD: Final = ("zoë.müller@example.com", "ana@bücher.example", "用户@bücher.example")
"""Addresses with other letters than ASCII before the @, behind it, and in both (RFC 6531)."""


def main() -> int:
    if postfix.is_missing():
        print(postfix.NEEDS)
        return 1
    with tempfile.TemporaryDirectory(prefix="roster-mta-") as name:
        folder = Path(name)
        with MongoServer(folder) as mongo, RedisServer(folder) as redis, postfix.running() as mta:
            given: dict[str, Any] = {
                "mongo_uri": mongo.uri,
                "redis_url": redis.url,
                "smtp_url": f"smtp://127.0.0.1:{mta.port}",
                "mail_from": judging.SENDER,
                "issuer": "https://users.example.com",
            }
            first: dict[str, Any] = {"admin_email": _ADMIN, "admin_password": _PASSWORD}
            with LiveServer(folder / "server", registration="open", **first, **given) as server:
                wrong = asyncio.run(_try(Settings(_env_file=None, **given), mta))
                flows.walk(server, mta, _ADMIN, _PASSWORD)
    print(f"Postfix {mta.version}")
    print("\n".join(wrong) or "Every mail arrived once, as it was written; people got in by links and codes.")
    return 1 if wrong else 0


async def _try(settings: Settings, mta: postfix.Postfix) -> list[str]:
    """A sentence for each thing that is wrong."""
    mails = _mails(settings.issuer_url)
    async with opened(settings, apply_indexes=False, sign=False) as roster:
        for mail in mails:
            await roster.auth.outbox.add(mail)
        await roster.auth.outbox.wake()
        await until(lambda: _is_empty(roster, mta, len(mails)))
        stored = {
            each["to"]: each async for each in roster.auth.outbox.mails.find({"state": {"$ne": "sent"}})
        }
    delivered = [each for each in mails if each.to not in {postfix.REFUSED, postfix.GREYLISTED}]
    return [
        *judging.compare(delivered, mta.read_mailbox(), settings),
        *judging.judge_refusal(stored.get(postfix.REFUSED), "failed", "550 5.1.1"),
        *judging.judge_refusal(stored.get(postfix.GREYLISTED), "waiting", "450 4.7.1"),
    ]


def _mails(issuer: str) -> list[Mail]:
    each = [contents.sample(kind, language, issuer=issuer) for kind, language in product(KINDS, LANGUAGES)]
    others = (*_ODD, postfix.REFUSED, postfix.GREYLISTED)
    return each + [replace(each[0], to=address) for address in others]


async def _is_empty(roster: Container, mta: postfix.Postfix, count: int) -> bool:
    """Whether all that can be delivered is, and the others were tried."""
    untried = await roster.auth.outbox.mails.count_documents({"tries": 0})
    return untried == 0 and len(mta.read_mailbox()) >= count - 2


if __name__ == "__main__":
    sys.exit(main())
