"""Queries that spell names right, as a whole or in part, in whatever order, case, width and joints."""

from random import Random

from benchmarks.search_queries.directory import Directory, Person
from benchmarks.search_queries.kinds import Kind, Query, query
from benchmarks.search_queries.text import APOSTROPHES, fold, is_east_asian, words

_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_PARTICLES = frozenset({
    "ap", "da", "de", "degli", "del", "den", "der", "di", "dos", "in", "la", "le", "lo", "mac",
    "ni", "o", "st", "t", "ter", "van", "von", "zu",
})  # fmt: skip
_APOSTROPHES_TYPED = ("", "’", "ʼ", "‘", "＇", "`", "´")


def _tokens(person: Person) -> list[str]:
    """The name as one would type it, a word each; none of a name that is not made of different words."""
    if is_east_asian(person.name) or len(set(person.words)) < len(person.words):
        return []
    return person.name.split()


def full_name(person: Person, directory: Directory, _: Random) -> Query | None:
    """Right are people who have all the words, maybe among others."""
    if len(_tokens(person)) < 2:
        return None
    return query(person.name, directory.named(*person.words))


def whole_name(person: Person, directory: Directory, _: Random) -> Query | None:
    """Others have these words too, and more: those who have no more must not drown among them."""
    if len(_tokens(person)) < 2:
        return None
    same = {
        which for which in directory.named(*person.words) if words(directory.names[which]) == person.words
    }
    has_longer = len(same) < len(directory.named(*person.words))
    return query(person.name, same) if has_longer and len(same) <= 10 else None


def one_word(person: Person, directory: Directory, dice: Random) -> Query | None:
    tokens = [token for token in _tokens(person) if len(token) >= 3]
    if not tokens:
        return None
    token = dice.choice(tokens)
    return query(token, directory.named(*words(token)))


def given_and_surname(person: Person, directory: Directory, _: Random) -> Query | None:
    """The first and the last word of three or more."""
    tokens = _tokens(person)
    if len(tokens) < 3:
        return None
    asked = f"{tokens[0]} {tokens[-1]}"
    return query(asked, directory.named(*words(asked)))


def quoted(person: Person, directory: Directory, dice: Random) -> Query | None:
    """The whole name, or one word, which must not find longer words."""
    tokens = _tokens(person)
    if len(tokens) < 2:
        return None
    typed = dice.choice([person.name, tokens[0]])
    asked = words(typed)
    right = directory.named(*asked)
    together = f" {' '.join(asked)} "
    if any(together not in f" {' '.join(words(directory.names[which]))} " for which in right):
        return None
    return query(f'"{typed}"', right)


def username(person: Person, _: Directory, dice: Random) -> Query | None:
    if not person.username:
        return None
    return query(dice.choice([person.username, person.username.lower()]), {person.number})


def case_and_width(person: Person, directory: Directory, dice: Random) -> Query | None:
    if len(_tokens(person)) < 2:
        return None
    typed = dice.choice([person.name.upper(), person.name.swapcase(), person.name.translate(_WIDE)])
    same = words(typed) == person.words
    return query(typed, directory.named(*person.words)) if same else None


def apostrophes(person: Person, directory: Directory, dice: Random) -> Query | None:
    if not any(mark in person.name for mark in APOSTROPHES) or not _tokens(person):
        return None
    typed = person.name.replace("'", dice.choice(_APOSTROPHES_TYPED))
    return query(typed, directory.named(*person.words)) if words(typed) == person.words else None


def prefix_of_last_word(person: Person, directory: Directory, dice: Random) -> Query | None:
    tokens = _tokens(person)
    if len(tokens) < 2 or len(tokens[-1]) < 4 or not tokens[-1].isalpha():
        return None
    typed = tokens[-1][: dice.randrange(3, len(tokens[-1]))]
    first, part = words(" ".join(tokens[:-1])), fold(typed)
    right = directory.named(*first) & directory.starting(part)
    asked = " ".join([*tokens[:-1], typed])
    return None if directory.anywhere(*first, part) - right else query(asked, right)


def prefix_alone(person: Person, directory: Directory, dice: Random) -> Query | None:
    """No more letters than tell one name from all others."""
    tokens = [token for token in _tokens(person) if token.isalpha() and len(token) >= 5]
    if not tokens:
        return None
    whole = dice.choice(tokens)
    told = (
        length
        for length in range(3, len(whole))
        if directory.name_words_starting(fold(whole[:length])) == [fold(whole)]
    )
    length = next(told, None)
    if length is None:
        return None
    part = fold(whole[:length])
    right = directory.named(fold(whole))
    return None if directory.anywhere_starting(part) - right else query(whole[:length], right)


def accents_missing(person: Person, directory: Directory, _: Random) -> Query | None:
    typed = " ".join(person.words)
    changed = person.name.lower().replace("-", " ").replace("'", "") != typed
    return query(typed, directory.named(*person.words)) if changed and _tokens(person) else None


def digraphs(person: Person, directory: Directory, _: Random) -> Query | None:
    """`Mueller` for `Müller`."""
    small = person.name.lower()
    typed = small.translate(_DIGRAPHS)
    if typed == small or not typed.isascii() or not _tokens(person) or directory.named(*words(typed)):
        return None
    return query(typed, directory.named(*person.words))


def swapped(person: Person, directory: Directory, dice: Random) -> Query | None:
    tokens = _tokens(person)
    if len(tokens) < 2:
        return None
    turned = tokens[-1:] + tokens[:-1]
    if len(tokens) > 2 and dice.random() < 0.5:
        turned = tokens[::-1]
    return query(" ".join(turned), directory.named(*person.words))


def joined(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`vandermeer`, `annemarie`: words that belong together, typed as one."""
    ends = [
        (start, end)
        for start in range(len(person.words))
        for end in range(start + 2, len(person.words) + 1)
        if _belong_together(person, person.words[start:end])
    ]
    if not ends:
        return None
    return _joined(person, directory, *dice.choice(ends))


def whole_name_joined(person: Person, directory: Directory, _: Random) -> Query | None:
    """`johnsmith`."""
    return _joined(person, directory, 0, len(person.words)) if len(person.words) > 1 else None


def _joined(person: Person, directory: Directory, start: int, end: int) -> Query | None:
    """Right are people who have the words in a row, or a word (`Annamaria`, an e-mail's) that begins so."""
    if not _tokens(person) or not all(word.isascii() for word in person.words):
        return None
    typed = "".join(person.words[start:end])
    rest = (*person.words[:start], *person.words[end:])
    row = f" {' '.join(person.words[start:end])} "
    right = {
        which
        for which in directory.named(*person.words)
        if row in f" {' '.join(words(directory.names[which]))} "
    }
    right |= directory.anywhere_starting(typed) & (directory.named(*rest) if rest else right)
    return query(" ".join([*person.words[:start], typed, *person.words[end:]]), right)


def _belong_together(person: Person, row: tuple[str, ...]) -> bool:
    has_hyphen = any(words(token) == row for token in person.name.split())
    return has_hyphen or (all(word in _PARTICLES for word in row[:-1]) and row[-1] not in _PARTICLES)


def split(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`Mac Leod`, `O Brien`, `Fitz Gerald`: where the name has a capital or an apostrophe inside."""
    inside = [
        (place, token)
        for place, token in enumerate(_tokens(person))
        if token.isalpha() and not token.isupper() and any(letter.isupper() for letter in token[1:])
    ]
    if not inside:
        return None
    place, token = dice.choice(inside)
    capital = next(at for at, letter in enumerate(token) if at and letter.isupper())
    tokens = _tokens(person)
    tokens[place] = f"{token[:capital]} {token[capital:]}"
    asked = " ".join(tokens)
    return None if directory.anywhere(*words(asked)) else query(asked, directory.named(*person.words))


KINDS = (
    Kind("exact", "full name", full_name),
    Kind("exact", "whole name that others continue", whole_name),
    Kind("exact", "one word", one_word),
    Kind("exact", "given name and surname of a longer name", given_and_surname),
    Kind("exact", "quoted", quoted),
    Kind("exact", "username", username),
    Kind("exact", "other case or width", case_and_width),
    Kind("exact", "apostrophes", apostrophes),
    Kind("prefix", "prefix of the last word", prefix_of_last_word),
    Kind("prefix", "prefix alone", prefix_alone),
    Kind("accents", "accents missing", accents_missing),
    Kind("accents", "digraphs", digraphs),
    Kind("swapped", "words swapped", swapped),
    Kind("joints", "joined", joined),
    Kind("joints", "whole name joined", whole_name_joined),
    Kind("joints", "split", split),
)
