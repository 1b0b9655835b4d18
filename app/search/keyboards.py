"""Text typed while the keyboard was set to another layout: `.hbq` is Юрий."""

from collections.abc import Iterator

_LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,." + '~QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>'
_RUSSIAN = "ёйцукенгшщзхъфывапролджэячсмитьбюЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ"
_UKRAINIAN = "'йцукенгшщзхїфівапролджєячсмитьбю₴ЙЦУКЕНГШЩЗХЇФІВАПРОЛДЖЄЯЧСМИТЬБЮ"

_AS_LATIN = tuple(str.maketrans(layout, _LATIN) for layout in (_RUSSIAN, _UKRAINIAN))
_AS_CYRILLIC = tuple(str.maketrans(_LATIN, layout) for layout in (_RUSSIAN, _UKRAINIAN))


def other_layouts(typed: str) -> Iterator[str]:
    """What the same keys type in other layouts, each text once."""
    tables = _AS_CYRILLIC if typed.isascii() else _AS_LATIN
    yield from dict.fromkeys(text for table in tables if (text := typed.translate(table)) != typed)
