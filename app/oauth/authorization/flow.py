"""A flow: a validated authorization request on its way through the pages."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import orjson

ResponseMode = Literal["query", "form_post"]

_SETS = frozenset({"scopes", "prompt", "id_token_claims"})


@dataclass(frozen=True, slots=True)
class Flow:
    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    """What was asked for; a user or a client may have less."""
    code_challenge: str
    """S256 (RFC 7636, section 4.2)."""
    asked_at: float
    """Seconds since 1970, by the clock that notes sign-ins: one before does not satisfy `prompt=login`."""
    state: str | None = None
    nonce: str | None = None
    response_mode: ResponseMode = "query"
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    """Seconds that the sign-in may be old; 0 asks for a new one, as `prompt=login` does."""
    subject: str | None = None
    """Only this user will do: the one of `id_token_hint`, or of a `sub` in `claims`."""
    login_hint: str | None = None
    ui_locales: str | None = None
    id_token_claims: frozenset[str] = frozenset()
    """Claims that the ID token is to have besides its own."""
    request_uri: str | None = None
    """Of a pushed request (RFC 9126)."""
    consented: str | None = None
    """The user who consented on the way, where a remembered consent does not do."""

    @property
    def is_openid(self) -> bool:
        return "openid" in self.scopes

    def dump(self) -> bytes:
        """JSON without what is missing: the whole travels in an address."""
        told = {name: value for name, value in asdict(self).items() if value not in (None, frozenset())}
        return orjson.dumps(told, default=sorted)

    @classmethod
    def load(cls, content: bytes) -> Self:
        """What `dump` made."""
        told: dict[str, Any] = orjson.loads(content)
        told |= {name: frozenset(told[name]) for name in _SETS & told.keys()}
        return cls(**told)
