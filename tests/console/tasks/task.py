"""How tasks are registered, each under the name that its budget has."""

from collections.abc import Awaitable, Callable
from typing import Final

from tests.support.hand import Hand

Script = Callable[[Hand], Awaitable[None]]
SCRIPTS: Final[dict[str, Script]] = {}


def task(name: str) -> Callable[[Script], Script]:
    """The decorator of a script that begins at the table of people."""

    def register(script: Script) -> Script:
        SCRIPTS[name] = script
        return script

    return register
