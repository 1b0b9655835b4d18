import pytest

from app.core.errors import InvalidError
from app.spreadsheets.columns import LONGEST_LABEL, catalogue, choose, projection
from tests.unit.spreadsheets.files import ID, person

ADDRESSES = [{"city": f"City {n}", "zipcode": f"0{n}"} for n in range(1, 6)]


def complain(spec: str | None, addresses: int = 3) -> list[str]:
    with pytest.raises(InvalidError) as caught:
        choose(spec, addresses=addresses)
    assert caught.value.status == 422
    return [error.detail for error in caught.value.errors]


PUBLISHED = [
    "id", "username", "email", "name", "phone", "avatar_url", "locale", "tags", "scopes", "is_active",
    "bio", "age", "title", "department",
    "address1_label", "address1_street", "address1_city", "address1_region", "address1_zipcode",
    "address1_country", "address2_label", "address2_street", "address2_city", "address2_region",
    "address2_zipcode", "address2_country", "address3_label", "address3_street", "address3_city",
    "address3_region", "address3_zipcode", "address3_country", "addresses_more",
    "email_verified", "created_at", "updated_at", "last_login_at", "last_login_ip", "version",
]  # fmt: skip


def test_the_default_columns_stand_in_their_published_order() -> None:
    """New fields may come between them."""
    assert [column.name for column in choose(None) if column.name in PUBLISHED] == PUBLISHED


@pytest.mark.parametrize("addresses", [1, 3, 10])
def test_each_address_adds_six_columns(addresses: int) -> None:
    assert len(choose(None, addresses=addresses)) == len(choose(None, addresses=0)) + 6 * addresses


def test_columns_are_taken_in_the_order_asked_for_and_renamed_after_the_first_colon() -> None:
    chosen = choose("name, email:E-Mail,address1_city:City: the first")
    assert [(column.name, column.label) for column in chosen] == [
        ("name", "name"),
        ("email", "E-Mail"),
        ("address1_city", "City: the first"),
    ]


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("nmae", "there is no column `nmae`: did you mean name"),
        ("address11_city", "address1_city"),
        ("zzzzzz", "did you mean id, email, name, address1_city?"),
        ("password_hash", "there is no column `password_hash`"),
        ("", "a column's name is empty"),
        ("name,,email", "a column's name is empty"),
        ("name:", "the label after `name:` is empty"),
        ("name: ", "the label after `name:` is empty"),
        ("name:" + "x" * (LONGEST_LABEL + 1), "longer than 100 characters"),
        ("name,name:Name", "`name` occurs twice"),
        ("name:X,email:X", "two columns are labelled `X`"),
        ("name:email,email", "two columns are labelled `email`"),
    ],
)
def test_a_bad_column_is_refused_with_what_would_be_right(spec: str, complaint: str) -> None:
    (detail,) = complain(spec)
    assert complaint in detail


def test_every_bad_column_is_named_but_endless_nonsense_is_neither_echoed_nor_listed_whole() -> None:
    assert len(complain("foo,name,bar")) == 2
    assert len(complain(",".join(["nonsense"] * 1000))) == 20
    assert len(complain("x" * 100_000)[0]) < 200


@pytest.mark.parametrize("addresses", [-1, 11])
def test_a_number_of_addresses_that_no_user_has_is_refused(addresses: int) -> None:
    assert complain(None, addresses) == ["addresses must be from 0 to 10"]


def test_a_column_reads_its_value_out_of_a_stored_user() -> None:
    ana = person(profile={"age": 30, "addresses": ADDRESSES})
    read = {
        column.name: column.read(ana) for column in choose("id,age,address2_zipcode,addresses_more,phone")
    }
    assert read == {
        "id": ID,
        "age": 30,
        "address2_zipcode": "02",
        "addresses_more": ADDRESSES,
        "phone": None,
    }


def test_an_address_beyond_the_columns_may_be_asked_for_and_still_stands_among_the_others() -> None:
    far, *_, more = choose("address4_city,address1_city,address2_zipcode,addresses_more", addresses=1)
    ana = person(profile={"addresses": ADDRESSES})
    assert far.read(ana) == "City 4"
    assert more.read(ana) == ADDRESSES[2:]


@pytest.mark.parametrize(
    ("addresses", "rest"),
    [
        ([{}], [{}]),
        ([{}, {"city": None}], [{}, {"city": None}]),
        ([{"city": "A"}, {}], [{}]),
        ([{"city": "A"}, {}, {"city": "C"}], None),
        ([{}, {}, {"city": "C"}, {}, {"city": "E"}], [{}, {"city": "E"}]),
        ([{"city": "A"}, {"city": "B"}, {}, {}], [{}, {}]),
    ],
)
def test_empty_addresses_that_blank_cells_could_not_show_stand_with_the_rest(
    addresses: list[dict[str, str]], rest: list[dict[str, str]] | None
) -> None:
    *_, more = choose("address1_city,address2_city,address3_city,addresses_more")
    assert more.read(person(profile={"addresses": addresses})) == rest


@pytest.mark.parametrize("profile", [None, "poison", {}, {"addresses": None}, {"addresses": ["poison", 1]}])
def test_a_profile_of_any_shape_reads_as_nothing(profile: object) -> None:
    row = person(profile=profile)
    assert all(column.read(row) is None for column in catalogue(10) if "address" in column.name)


def test_the_projection_brings_what_the_columns_read_and_nothing_else() -> None:
    assert projection(choose("name,age,address1_city,address2_city,address1_zipcode")) == {
        "_id": 0,
        "name": 1,
        "profile.addresses.city": 1,
        "profile.addresses.zipcode": 1,
        "profile.age": 1,
    }


def test_the_projection_has_no_path_that_collides_with_another() -> None:
    assert projection(choose("id,address1_city,addresses_more")) == {"_id": 1, "profile.addresses": 1}
    paths = projection(catalogue())
    assert paths["profile.addresses"] == 1
    assert not any(path.startswith("profile.addresses.") for path in paths)
