"""Whether all that tests are told has a translation: `tools.catalogue` cannot see what is composed."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from app.core.catalogue import LANGUAGES
from app.core.catalogue.problems import translate
from app.http import languages

_OF_READINESS = re.compile("(mongodb|redis|indexes|keys): ")
"""Programs ask for readiness, and log what the backends say, which is English."""


@contextmanager
def noting_what_lacks_one() -> Iterator[set[str]]:
    """The texts that were told since, as far as a language does not have them."""
    lacking: set[str] = set()
    say = languages.say

    def note_and_say(*texts: str) -> Sequence[str]:
        told = [text for text in texts if not _OF_READINESS.match(text)]
        lacking.update(text for text in told if any(translate(text, each) is None for each in LANGUAGES[1:]))
        return say(*texts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(languages, "say", note_and_say)
        yield lacking
