"""Misspellings: the distance of two words, and tokens that near words share."""

from itertools import combinations

from rapidfuzz.distance import OSA

_REACH = 9
"""Letters that take part in the neighbourhood; typos after them do not change it."""
_SHORTEST_WITHOUT_ONE, _SHORTEST_WITHOUT_TWO = 3, 5
_INSIDE, _SHORTEST_ENDING = 16, 3
HALF_TYPED = (4, 5, 6)
"""Letters of beginnings that are found misspelt; of longer ones the first so many."""


def neighbourhood(word: str, most: int = 2) -> list[str]:
    """The word's beginning without any one or two of its letters: at most 46 tokens, 10 for one letter.

    Two words are within one edit (4 letters or more) or two (5 or more) only if their neighbourhoods meet:
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


def beginnings(word: str) -> list[str]:
    """Tokens of its beginnings of four, five and six letters, each without one of them: at most 15.

    A text is within one edit of a beginning only if `half_typed` of it meets these.
    """
    return [token for length in HALF_TYPED if length <= len(word) for token in _without_one(word[:length])]


def half_typed(typed: str) -> list[str]:
    """The tokens of a text of four letters or more that may be the beginning of a word."""
    return _without_one(typed[: HALF_TYPED[-1]])


def _without_one(begun: str) -> list[str]:
    return list(dict.fromkeys(f"~{begun[:at]}{begun[at + 1 :]}" for at in range(len(begun))))


def is_begun_near(typed: str, word: str) -> bool:
    """Whether the text is at most one edit away from a beginning of the word."""
    lengths = range(len(typed) - 1, min(len(word), len(typed) + 1) + 1)
    return any(distance(typed, word[:length], 1) is not None for length in lengths)


def endings(word: str) -> list[str]:
    """What follows the first letters of a word, three letters or more, by which its middle is found."""
    return [word[at:] for at in range(1, min(len(word), _INSIDE) - _SHORTEST_ENDING + 1)]


def distance(one: str, other: str, limit: int) -> int | None:
    """Letters added, omitted, replaced, or swapped with a neighbour (optimal string alignment).

    None if there are more than `limit`.
    """
    found = OSA.distance(one, other, score_cutoff=limit)
    return found if found <= limit else None
