"""When a schedule is due next."""

from datetime import UTC, datetime

import pytest

from app.core.errors import InvalidError
from app.exports.schedules import find_next


@pytest.mark.parametrize(
    ("cron", "timezone", "after", "due"),
    [
        ("* * * * *", "UTC", "2026-01-31T08:00:00", "2026-01-31T08:01:00"),
        ("*/15 * * * *", "UTC", "2026-01-31T08:00:01", "2026-01-31T08:15:00"),
        ("30 6 * * MON", "UTC", "2026-01-31T08:00:00", "2026-02-02T06:30:00"),
        ("30 6 * * 1-5", "Europe/Berlin", "2026-01-31T08:00:00", "2026-02-02T05:30:00"),
        ("0 9 * * *", "Asia/Shanghai", "2026-01-31T08:00:00", "2026-02-01T01:00:00"),
        ("0 0 29 2 *", "UTC", "2026-01-31T08:00:00", "2028-02-29T00:00:00"),
        # 02:30 is skipped that night, and comes when the clocks have
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00", "2026-03-29T01:00:00"),
        # 02:30 is there twice that night: once is enough
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00", "2026-10-25T00:30:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00", "2026-10-26T01:30:00"),
    ],
)
def test_it_is_as_cron_has_it_in_the_time_zone(cron: str, timezone: str, after: str, due: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert find_next(cron, timezone, moment) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "timezone", "pointer"),
    [
        ("", "UTC", "/cron"),
        ("* * * *", "UTC", "/cron"),
        ("* * * * * *", "UTC", "/cron"),
        ("60 * * * *", "UTC", "/cron"),
        ("* * 31 2 *", "UTC", "/cron"),
        ("* * * * 1#6", "UTC", "/cron"),
        ("@daily", "UTC", "/cron"),
        ("odd odd odd odd odd", "UTC", "/cron"),
        ("* * * * *", "Mars/Olympus", "/timezone"),
        ("* * * * *", "../../etc/passwd", "/timezone"),
        ("* * * * *", "", "/timezone"),
    ],
)
def test_what_is_none_is_named(cron: str, timezone: str, pointer: str) -> None:
    with pytest.raises(InvalidError) as refused:
        find_next(cron, timezone, datetime(2026, 1, 31, tzinfo=UTC))
    assert [bad.pointer for bad in refused.value.errors] == [pointer]
