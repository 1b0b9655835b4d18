"""How often a receiver is asked, by how it does."""

import time

import pytest

from app.webhooks.health import Health


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_after_some_failures_one_is_tried_at_a_time_and_later_each_time(clock: list[float]) -> None:
    health, pauses = Health(), []
    for _ in range(12):
        health.fail(0)
        pauses.append(health.quiet_s)
        clock[0] += health.quiet_s
    assert pauses == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert health.at_once == 1
    health.succeed()
    assert (health.at_once > 1, health.quiet_s) == (True, 0)


@pytest.mark.usefixtures("clock")
def test_what_was_begun_at_once_and_fails_at_once_counts_once() -> None:
    health = Health()
    for _ in range(16):
        health.fail(0)
    assert health.quiet_s == 1


@pytest.mark.usefixtures("clock")
def test_the_receiver_says_for_how_long_it_is_left_alone() -> None:
    health = Health()
    health.fail(120)
    assert health.quiet_s == 120
    health.fail(600)
    assert health.quiet_s == 600
    health.give_up()
    assert health.quiet_s == float("inf")
