"""Misspellings: the distance of two words, and tokens that near words share."""

from itertools import combinations

from rapidfuzz.distance import OSA

_REACH = 9
"""Letters that take part in the neighbourhood; typos after them do not change it."""
_SHORTEST_WITHOUT_ONE, _SHORTEST_WITHOUT_TWO = 3, 6


def neighbourhood(word: str, most: int = 2) -> list[str]:
    """The word's beginning without any one or two of its letters: at most 46 tokens, 10 for one letter.

    Two words are within one edit (4 letters or more) or two (8 or more) only if their neighbourhoods meet:
    the symmetric deletes of SymSpell (Wolf Garbe, 2012), with its prefix. Not all words that meet are so
    near.
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
    """Letters added, omitted, replaced, or swapped with a neighbour (optimal string alignment).

    None if there are more than `limit`.
    """
    found = OSA.distance(one, other, score_cutoff=limit)
    return found if found <= limit else None
