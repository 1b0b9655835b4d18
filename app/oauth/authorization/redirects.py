"""The answer to an authorization request, which the browser takes to the client."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from app.oauth.authorization.flow import ResponseMode


@dataclass(frozen=True, slots=True)
class Redirect:
    uri: str
    parameters: Mapping[str, str]
    mode: ResponseMode = "query"

    @property
    def location(self) -> str:
        """The address with the parameters, after those that it has (RFC 6749, section 3.1.2)."""
        if not self.parameters:
            return self.uri
        mark = "&" if "?" in self.uri else "?"
        return f"{self.uri}{mark}{urlencode(self.parameters)}"
