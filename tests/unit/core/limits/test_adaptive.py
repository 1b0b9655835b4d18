from app.core.limits.adaptive import QUIET, AdaptiveLimit


class Server:
    """Work that takes `least_s` alone; beside others, as long as a rate of `per_second` makes it."""

    def __init__(self, limit: AdaptiveLimit, *, least_s: float, per_second: float) -> None:
        self.limit = limit
        self.least_s = least_s
        self.per_second = per_second
        self.now = 0.0

    def serve(self, seconds: float, *, crowded: bool = True, alone: bool = True) -> None:
        end = self.now + seconds
        while self.now < end:
            at_once = self.limit.value if crowded else 1
            took = max(self.least_s, at_once / self.per_second)
            self.now += 1 / min(self.per_second, at_once / took)
            self.limit.observe(took, now=self.now, quiet=at_once <= QUIET, crowded=crowded, alone=alone)


def test_work_that_only_computes_is_done_by_few_at_once() -> None:
    server = Server(limit := AdaptiveLimit(100, least=4), least_s=0.002, per_second=1_000)
    server.serve(10, crowded=False)
    server.serve(20)
    assert 4 <= limit.value <= 12


def test_work_that_waits_for_others_is_done_by_as_many_as_keep_the_rate() -> None:
    server = Server(limit := AdaptiveLimit(100), least_s=0.050, per_second=600)
    server.serve(10, crowded=False)
    server.serve(20)
    assert 600 * 0.050 <= limit.value <= 100


def test_the_limit_never_passes_its_upper_bound_and_grows_only_where_others_wait() -> None:
    server = Server(limit := AdaptiveLimit(20), least_s=0.100, per_second=1_000)
    before = limit.value
    server.serve(20, crowded=False)
    assert limit.value == before
    server.serve(20)
    assert limit.value >= 20


def test_work_that_slows_down_shrinks_the_limit_and_recovery_lets_it_grow() -> None:
    server = Server(limit := AdaptiveLimit(100, least=4), least_s=0.020, per_second=1_000)
    server.serve(5, crowded=False)
    server.serve(10)
    before = limit.value
    server.per_second = 50
    server.serve(10)
    assert limit.value <= before / 2
    server.per_second = 1_000
    server.serve(40)
    assert limit.value >= 0.8 * before


def test_the_baseline_is_measured_anew_where_a_queue_stands_for_long() -> None:
    server = Server(limit := AdaptiveLimit(100), least_s=0.002, per_second=1_000)
    server.serve(1, crowded=False)
    server.serve(10)
    server.least_s = 0.040  # the data has grown, say
    server.serve(60)
    assert limit.value >= 1_000 * 0.040


def test_no_quiet_is_made_while_work_of_other_kinds_waits() -> None:
    server = Server(limit := AdaptiveLimit(100), least_s=0.050, per_second=600)
    server.serve(1, crowded=False)
    server.serve(10)
    for _ in range(60):
        server.serve(1, alone=False)
        assert limit.value >= 16


def test_a_measurement_that_work_of_other_kinds_disturbs_is_broken_off() -> None:
    server = Server(limit := AdaptiveLimit(100), least_s=0.050, per_second=600)
    limit.value = 20
    for _ in range(30):
        limit.observe(0.05, now=server.now + 1, quiet=False, crowded=True)
    assert limit.value == QUIET
    server.now = 2
    server.serve(2, alone=False)
    assert limit.value >= 20


def test_a_limit_with_one_bound_stays_and_only_measures() -> None:
    server = Server(limit := AdaptiveLimit(3, least=3), least_s=0.030, per_second=50)
    server.serve(60)
    assert limit.value == 3
    assert 0.055 < limit.mean_s < 0.065
