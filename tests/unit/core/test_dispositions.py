"""The names under which browsers save downloads."""

import pytest

from app.core.dispositions import attach


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("users.csv", 'attachment; filename="users.csv"'),
        ("all users (1).csv", 'attachment; filename="all users (1).csv"'),
        ("张伟.xlsx", "attachment; filename=\"__.xlsx\"; filename*=UTF-8''%E5%BC%A0%E4%BC%9F.xlsx"),
        ('a"b\\c%41.csv', "attachment; filename=\"a_b_c_41.csv\"; filename*=UTF-8''a%22b%5Cc%2541.csv"),
        ("two  spaces.csv", "attachment; filename=\"two spaces.csv\"; filename*=UTF-8''two%20%20spaces.csv"),
        ("a\r\nb.csv", "attachment; filename=\"a b.csv\"; filename*=UTF-8''a%0D%0Ab.csv"),
    ],
)
def test_a_name_is_told_in_ascii_and_where_that_is_not_enough_as_it_is(name: str, disposition: str) -> None:
    assert attach(name) == disposition
