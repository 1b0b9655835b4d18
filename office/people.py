"""The users of the round trip: a thousand samples, and those whose values programs are known to change."""

from collections.abc import Iterator
from typing import Any, Final

from app.commands import sample
from models.user import UserInput

SAMPLES: Final = 1_000
_HOSTILE: Final = (
    "=1+1", "'=1+1", "+49 30", "-1", "@SUM(A1)", "000100", "1E5", "12345678901234567890", "TRUE",
    "2024-01-02", "01.02.2024", "1/2", "12:30", "50%", "#REF", "張偉 小中",
    "👩‍👩‍👧 Ada", "שלום Ada", "_x0041_",
    "1:02:03", "25:00:00", "12:30 PM", "3:15.5", "2024-01-02 10:20", "2024-01-02T10:20:30Z", "2 Jan 2024",
    "January 2, 2024", "May 5", "2024-01", "$5", "5 €", "(5)", "5-", "1,234", "1.234,5", "1,5", "1 1/2", ".5",
    "0x1F", "12.5%", "-0", "NaN", "Infinity", "None",
    "_x000D_", "a  b", 'say "hi"', "a,b;c|d", "<b>&amp;]]>", "'quoted", "x" * 32_000, "😀" * 16_000,
)  # fmt: skip
_BIOS: Final = ("one\ntwo", "a\n\nb", "a\tb", "=HYPERLINK(1)", "'", "0", "1.0", "x\n=1+1")


def people() -> Iterator[dict[str, Any]]:
    """Bodies that create a user."""
    for person in sample.people(SAMPLES):
        yield {name: person[name] for name in UserInput.model_fields if name in person}
    for n, name in enumerate(_HOSTILE):
        bio = _BIOS[n % len(_BIOS)]
        address = {"zipcode": f"{n:05}", "street": name[:200], "city": "00:00"}
        yield {
            "name": name,
            "email": f"hostile-{n}@example.com",
            "username": f"{n:05}",
            "phone": f"+4930555{n:04}",
            "tags": [str(n), "TRUE"],
            "profile": {"bio": bio, "age": n, "title": name[:100], "addresses": [address] * (n % 5)},
        }
