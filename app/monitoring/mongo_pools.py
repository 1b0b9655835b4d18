"""Counts of PyMongo's pooled connections; those by which it monitors servers are not among them."""

from pymongo import monitoring

from app.monitoring.metrics import MONGO_FAILED_CHECKOUTS


class MongoPoolListener(monitoring.ConnectionPoolListener):
    """Counts the connections of all pools of one client, which has one for each server."""

    def __init__(self) -> None:
        self.open = 0
        self.in_use = 0
        self.waiting = 0

    def connection_created(self, event: monitoring.ConnectionCreatedEvent) -> None:  # noqa: ARG002 - PyMongo's
        self.open += 1

    def connection_closed(self, event: monitoring.ConnectionClosedEvent) -> None:  # noqa: ARG002 - PyMongo's
        self.open -= 1

    def connection_check_out_started(self, event: monitoring.ConnectionCheckOutStartedEvent) -> None:  # noqa: ARG002 - PyMongo's
        self.waiting += 1

    def connection_check_out_failed(self, event: monitoring.ConnectionCheckOutFailedEvent) -> None:
        self.waiting -= 1
        MONGO_FAILED_CHECKOUTS.labels(event.reason).inc()

    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None:  # noqa: ARG002 - PyMongo's
        self.waiting -= 1
        self.in_use += 1

    def connection_checked_in(self, event: monitoring.ConnectionCheckedInEvent) -> None:  # noqa: ARG002 - PyMongo's
        self.in_use -= 1

    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None: ...

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None: ...

    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None: ...

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None: ...

    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None: ...
