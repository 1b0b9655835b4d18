"""Words for yes and no, of people and of spreadsheet programs.

CLDR has none for TRUE and FALSE: its yes and no are other words. What Excel writes follows its display
language, and was not tried with it; where it leaves them English, and in more languages than it has,
LibreOffice has words of its own, which were read from what it writes.
"""

import unicodedata
from typing import Final

EXCEL: Final = """
en TRUE FALSE       de WAHR FALSCH      fr VRAI FAUX         es VERDADERO FALSO   it VERO FALSO
pt VERDADEIRO FALSO nl WAAR ONWAAR      sv SANT FALSKT       da SAND FALSK        nb SANN USANN
fi TOSI EPÄTOSI     pl PRAWDA FAŁSZ     cs PRAVDA NEPRAVDA   hu IGAZ HAMIS        tr DOĞRU YANLIŞ
ru ИСТИНА ЛОЖЬ      uk ІСТИНА ХИБНІСТЬ  bg ИСТИНА ЛЪЖА       kk АҚИҚАТ ЖАЛҒАН     el ΑΛΗΘΗΣ ΨΕΥΔΗΣ
ro ADEVĂRAT FALS    hr ISTINA LAŽ       sr TAČNO NETAČNO     lt TEISINGA KLAIDINGA
lv PATIESS APLAMS   et TÕENE VÄÄR       ca CERT FALS         gl VERDADEIRO FALSO  eu EGIA FALTSUA
is SATT ÓSATT       id BENAR SALAH      ms BENAR PALSU
"""
"""Language, TRUE, FALSE."""
LIBREOFFICE: Final = """
el ΣΩΣΤΌ ΛΆΘΟΣ      is RÉTT RANGT       bg ВЯРНО НЕВЯРНО     hr TOČNO NETOČNO     sr ТАЧНО НЕТАЧНО
bs TACNO NETACNO    mk ТОЧНО НЕТОЧНО    uk ІСТИНА БРЕХНЯ     lt TEISINGAI NETEISINGAI
be САПРАЎДНА НЕСАПРАЎДНА                az DÜZ YANLIŞ        uz HAQIQIY SOXTA     ca VERITAT FALS
eu EGIAZKOA FALTSUA ga FÍOR FALSA       mt VERU FALZ         af WAAR VALS         vi ĐÚNG SAI
th จริง เท็จ          ko 참 거짓            zh 真 假              ar صح خطأ            fa درست نادرست
ur راست غلط         hi सही गलत            bn সত্য মিথ্যা           ta ஸரி தப்ப            te నిజము అపాదము
ka ჭეშმარიტი მცდარი hy ՃՇՄԱՐԻՏ ԿԵՂԾ     mn ҮНЭН ХУДАЛ        lb WOUER FALSCH      tt ЧЫН ЯЛГАН
ky ЧЫНДЫК ЖАЛГАН
"""
_PEOPLE: Final = "yes no y n 1 0 on off ja nein oui non sí no si no sim não да нет 是 否"


def read(word: str) -> bool | None:
    """True, False, or None for any other word; case is ignored."""
    return _WORDS.get(_fold(word))


def _fold(word: str) -> str:
    # Turkish has two letters I; both become one, as case folding knows no language.
    return unicodedata.normalize("NFKC", word.strip()).replace("İ", "i").casefold().replace("ı", "i")


def _table() -> dict[str, bool]:
    said = [line for text in (EXCEL, LIBREOFFICE) for line in text.split()]
    people = _PEOPLE.split()
    pairs = [*zip(said[1::3], said[2::3], strict=True), *zip(people[::2], people[1::2], strict=True)]
    return {_fold(word): place == 0 for pair in pairs for place, word in enumerate(pair)} | {"x": True}


_WORDS: Final = _table()
