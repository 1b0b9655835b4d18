import pytest

from app.search.han import Reading, read
from app.search.words import fold


@pytest.mark.parametrize(
    ("run", "surname", "given", "initials"),
    [
        ("张伟", "zhang", "wei", "zw"),
        ("張偉", "zhang", "wei", "zw"),
        ("王小明", "wang", "xiaoming", "wxm"),
        ("曾国藩", "zeng", "guofan", "zgf"),
        ("单田芳", "shan", "tianfang", "stf"),
        ("單田芳", "shan", "tianfang", "stf"),
        ("欧阳娜娜", "ouyang", "nana", "oynn"),
        ("司馬相如", "sima", "xiangru", "smxr"),
        ("单于明", "chanyu", "ming", "cym"),
        ("欧阳", "ou", "yang", "oy"),  # of two characters, one is the given name
    ],
)
def test_surname_and_given_name_are_read_apart(run: str, surname: str, given: str, initials: str) -> None:
    reading = read(fold(run))
    assert reading is not None
    assert (reading.surname, reading.given, reading.whole) == ((surname,), (given,), (surname + given,))
    assert reading.initials == (initials,)


def test_every_way_of_typing_an_umlaut_is_among_the_spellings() -> None:
    assert read("吕布") == Reading(
        surname=("lv", "lu", "lyu"),
        given=("bu",),
        whole=("lvbu", "lubu", "lyubu"),
        syllables=("lv", "lu", "lyu", "bu"),
        initials=("lb",),
    )


def test_one_character_is_a_surname_alone() -> None:
    assert read("李") == Reading(("li",), (), ("li",), ("li",), ("l",))


def test_a_character_without_a_reading_leaves_all_unread() -> None:
    assert read("佐々木") is None
