"""Wrong tries, counted in Redis for all workers together, and how long they make the next one wait.

Three counters see a wrong password: the address's own, the account's from this address (`here`), and the
account's from every address that it has not signed in from (`elsewhere`). An address that it has signed in
from is held to `here` instead of `elsewhere`, so that those who guess from elsewhere keep nobody out.

What else is refused has counters of its own, so that it costs nobody a sign-in: registrations, passwords too
weak, secrets of clients.

Redis sees only keyed hashes. The time of the last failure is what is left of the counter's lifetime, so
it is Redis's clock that counts, and a counter that nobody raises is forgotten by itself.
"""

from app.auth.throttles.paces import CounterState
from app.auth.throttles.quotas import Quota, Quotas
from app.auth.throttles.throttle import Throttle

__all__ = ["CounterState", "Quota", "Quotas", "Throttle"]
