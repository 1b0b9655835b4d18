"""Known names that are near to an unknown one: what its writer may have meant."""

from collections.abc import Collection

from rapidfuzz import fuzz, process

_LONGEST = 64
_LIKENESS = 70
"""The least `rapidfuzz.fuzz.ratio`, of 100: two letters of seven may differ."""


def find_near(written: str, known: Collection[str], *, most: int = 1) -> list[str]:
    """The nearest names, the best first; an empty list where none is near."""
    found = process.extract(
        written[:_LONGEST],
        known,
        scorer=fuzz.ratio,
        processor=str.casefold,
        limit=most,
        score_cutoff=_LIKENESS,
    )
    return [name for name, _, _ in found]
