"""The people of the stored directories: every kind of field, and values that a later release may refuse."""

from typing import Any

PASSWORD = "seven wet horses sing"
ADMIN = "admin@example.com"

_ADDRESS = {
    "label": "home",
    "street": "天安门大街 1 号",
    "city": "北京",
    "region": "Beijing",
    "zipcode": "100000",
    "country": "中国",
}
_NAMES = ["José Müller", "張偉", "Анна Каренина", "Zoë Ångström", "محمد علي", "Bill O'Brien", "小中同学"]


def _person(number: int) -> dict[str, Any]:
    return {
        "name": f"{_NAMES[number % len(_NAMES)]} {number}",
        "email": f"Person.{number}@Example.com",
        "username": f"person{number}",
        "phone": f"+34 600 000 {number:03}",
        "avatar_url": f"https://example.com/{number}.png",
        "locale": "zh-CN",
        "tags": ["staff", f"team-{number % 3}"],
        "profile": {
            "bio": "全栈开发者",
            "age": 20 + number,
            "title": "Engineer",
            "department": f"Department {number % 4}",
            "addresses": [_ADDRESS] * (number % 4),
        },
    }


ODD: list[dict[str, Any]] = [
    {"name": "Trunk Zero", "email": "trunk@example.com", "phone": "+49 (0)151 23456789"},
    {"name": "Without Zero", "email": "without@example.com", "phone": "+49 151 23456790"},
    {"name": "Impossible", "email": "impossible@example.com", "phone": "+999 1234567"},
    {"name": "Tab\tand\nbreak", "email": "breaks@example.com"},
    {"name": " blanks around ", "email": "blanks@example.com"},
    {"name": "bidi \u202eevil", "email": "bidi@example.com"},
    {"name": "Empty Address", "email": "empty@example.com", "profile": {"addresses": [{}]}},
    {"name": "Least", "email": "least@example.com"},
]
"""What every commit so far took, though the rules for new values may be stricter since."""
PEOPLE = [_person(number) for number in range(30)]
