"""Misspellings: how far apart two words are, and tokens that near words share."""

from itertools import combinations

from rapidfuzz.distance import OSA

_REACH = 9
"""Letters that take part in the neighbourhood; two typos past them leave it as it is."""
_SHORTEST_WITHOUT_ONE, _SHORTEST_WITHOUT_TWO = 3, 6


def neighbourhood(word: str, most: int = 2) -> list[str]:
    """What the word's beginning becomes without any one or two of its letters: 46 tokens at most, 10 for one.

    Two words are within one edit (4 letters or more) or two (8 or more) only if their neighbourhoods meet:
    the symmetric deletes of SymSpell (Wolf Garbe, 2012), with its prefix. Not all that meet are so near.
    """
    start = word[:_REACH]
    deletions = min(most, (len(start) >= _SHORTEST_WITHOUT_ONE) + (len(start) >= _SHORTEST_WITHOUT_TWO))
    kept = (
        "".join(letters)
        for count in range(deletions + 1)
        for letters in combinations(start, len(start) - count)
    )
    return list(dict.fromkeys(kept))


def distance(one: str, other: str, limit: int) -> int | None:
    """Letters added, left out, replaced, or swapped with a neighbour (optimal string alignment).

    None when more than `limit`.
    """
    found = OSA.distance(one, other, score_cutoff=limit)
    return found if found <= limit else None
