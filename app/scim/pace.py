"""How many requests a provisioning client may make: past that it is told when to go on."""

from app.auth.throttles import Quota, Quotas
from app.core.errors import ThrottledError
from app.core.settings import Settings

_STEP_S = 10
"""What remains of a minute would be long to wait for; providers come again after `Retry-After`."""


async def throttle(quotas: Quotas, client: str, settings: Settings) -> None:
    """Count a request. ThrottledError; RedisError."""
    most = settings.scim_per_minute * _STEP_S // 60
    if most and not await quotas.take(client, [Quota("scim", most, _STEP_S)]):
        raise ThrottledError(_STEP_S)
