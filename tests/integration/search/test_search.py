"""`q` on `GET /users`: who is found by what, in which order and why; suggestions; what cannot be found."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.commands import samples
from tests.support.databases import PreparedDatabases
from tests.support.identity import PASSWORD, hash_of, token_of
from tests.support.listing import resources
from tests.support.search import found, keystrokes, marked, search, somebody, store, suggested
from tests.support.users import problem, users

ANNA, FLORIS, RONAN, SIOBHAN = (
    "Anna Müller",
    "Floris van der Ploeg",
    "Ronan MacGillivray",
    "Siobhán O’Gormley-Radziwinska",
)
ZHANG, OUYANG, LYU, TANAKA, SATO = "张伟", "欧阳娜娜", "吕思清", "田中 拓也", "サトウ ケンジ"
JOSE, LUKASZ, KHAI, WIDE = (
    "José Ángel Ibáñez",
    "Łukasz Wójtowicz",
    "Nguyễn Thị Minh Khai",
    "Ｑｕｉｎｔｕｓ Ｖａｒｅｌａ",
)
MOSHE, MUHAMMAD, YULIA, ELENI, MINSU = (
    "משה אברמוביץ",
    "محمد الحسيني",
    "Юлия Щербакова",
    "Ελένη Παπαδοπούλου",
    "김민수",
)
MAX, UWE = "Maximiliane Schwarzenbeck", "Uwe Zylinsky"

PEOPLE = [
    somebody(
        ANNA, username="annam_77", email="anna.mueller@nordwind-reederei.example", phone="+49 541 7654-321",
        tags=["Vorstand", "Brandschutz Helfer"], city="Osnabrück", department="Beschaffung",
        title="Leiterin Einkauf",
    ),
    somebody(FLORIS, email="fvdp@polder.example"),
    somebody(RONAN, email="ronan1988@glen.example", city=["Inverness", "Ullapool"]),
    somebody(SIOBHAN, email="sok@claddagh.example"),
    somebody(ZHANG, email="z.w@changjiang.example", city="重庆市"),
    somebody(OUYANG, email="nana@huanghe.example"),
    somebody(LYU, email="siqing@huanghe.example"),
    somebody(TANAKA, email="tt@kamogawa.example", city="京都市", department="総務部"),
    somebody(SATO, email="kenji.s@sumida.example"),
    somebody(JOSE, email="jai@ebro.example"),
    somebody(LUKASZ, email="lw@wisla.example"),
    somebody(KHAI, email="ntmk@mekong.example"),
    somebody(WIDE, email="qv@tajo.example"),
    somebody(MOSHE, email="ma@yarden.example"),
    somebody(MUHAMMAD, email="mh@nil.example"),
    somebody(YULIA, email="yus@neva.example"),
    somebody(ELENI, email="ep@evros.example"),
    somebody(MINSU, email="kms@hangang.example"),
    somebody(MAX, email="ms@isar.example", is_active=False),
    somebody(UWE, email="uz@weser.example", tags=["blau", "x-ray 9"]),
]  # fmt: skip


@pytest.fixture(scope="module")
async def town(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """The people above among four hundred of the sample."""
    async with prepared_databases.serving() as client:
        await samples.add(resources(client), 400)
        await store(client, PEOPLE)
        yield client


# --- what finds whom


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("anna müller", ANNA),
        ("annam_77", ANNA),
        ("annam", ANNA),
        ("anna.mueller@nordwind-reederei.example", ANNA),
        ("ANNA.MUELLER@NORDWIND-REEDEREI.EXAMPLE", ANNA),
        ("anna.mueller@nord", ANNA),
        ("anna.mueller@", ANNA),
        ("nordwind", ANNA),
        ("reederei", ANNA),
        ("nordwind-reederei", ANNA),
        ("@nordwind-reederei.example", ANNA),
        ("nordwind-reederei.example", ANNA),
        ("Nordwind-Reederei.exam", ANNA),
        ("email:nordwind-reederei.example", ANNA),
        ("@nordw", ANNA),
        ("anna nordwind-reederei.example", ANNA),
        ("anna.müller", ANNA),
        ("anna nordwind", ANNA),
        ("mueller@nordwind", ANNA),
        ("+495417654321", ANNA),
        ("0541 7654321", ANNA),
        ("(0541) 765 43-21", ANNA),
        ("0049 541/7654321", ANNA),
        ("+49 (0) 541 7654321", ANNA),
        ("7654321", ANNA),
        ("7654-321", ANNA),
        ("765 43", ANNA),
        ("54176", ANNA),
        ("٧٦٥٤٣٢١", ANNA),
        ("vorstand", ANNA),
        ("Osnabrück", ANNA),
        ("beschaffung", ANNA),
        ("leiterin einkauf", ANNA),
        ("einkauf anna osnabruck vorstand", ANNA),
        ("ronan1988", RONAN),
        ("ronan inverness", RONAN),
        ("ullapool", RONAN),
        ("x-ray 9", UWE),
    ],
)  # fmt: skip
async def test_each_field_and_its_parts_find_the_person(town: httpx.AsyncClient, q: str, name: str) -> None:
    assert (await found(town, q))[0] == name


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("muller anna", ANNA),
        ("schwarzenbeck maximiliane", MAX),
        ("khai nguyen", KHAI),
        ("ploeg floris der van", FLORIS),
        ("vanderploeg", FLORIS),
        ("van der ploeg", FLORIS),
        ("floris vanderploeg", FLORIS),
        ("vander ploeg", FLORIS),
        ("van derploeg", FLORIS),
        ("florisvanderploeg", FLORIS),
        ("vanderploeg floris", FLORIS),
        ("mac gillivray", RONAN),
        ("ronan mac gillivray", RONAN),
        ("ronanmacgillivray", RONAN),
        ("nguyenthi", KHAI),
        ("O'Gormley", SIOBHAN),
        ("o gormley", SIOBHAN),
        ("ogormley", SIOBHAN),
        ("OGormleyRadziwinska", SIOBHAN),
        ("ogormley-radziwinska siobhan", SIOBHAN),
    ],
)
async def test_words_come_in_any_order_joined_or_split(town: httpx.AsyncClient, q: str, name: str) -> None:
    assert (await found(town, q))[0] == name


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("muller", ANNA), ("MÜLLER anna", ANNA), ("mueller anna", ANNA), ("Mu\u0308ller anna", ANNA),
        ("osnabruck", ANNA), ("osnabrueck", ANNA),
        ("jose angel ibanez", JOSE), ("JOSÉ IBÁÑEZ", JOSE), ("lukasz wojtowicz", LUKASZ),
        ("nguyen thi minh khai", KHAI), ("NGUYỄN khai", KHAI),
        ("quintus varela", WIDE), ("ｖａｒｅｌａ", WIDE), ("ＭＡＸＩＭＩＬＩＡＮＥ", MAX),
        ("siobhan o‘gormley", SIOBHAN),
        ("o`gormley", SIOBHAN), ("O´Gormley", SIOBHAN), ("o＇gormley", SIOBHAN),
        ("さとう", SATO), ("ｻﾄｳ", SATO), ("サトウ", SATO), ("けんし", SATO),
        ("ЩЕРБАКОВА", YULIA), ("ελενη παπαδοπουλου", ELENI), ("ΠΑΠΑΔΟΠΟΎΛΟΥ", ELENI),
        ("אברמוביץ", MOSHE), ("אברמוביץ משה", MOSHE), ("الحسيني", MUHAMMAD), ("محمد الحسيني", MUHAMMAD),
    ],
)  # fmt: skip
async def test_accents_case_width_and_apostrophes_do_not_matter(
    town: httpx.AsyncClient, q: str, name: str
) -> None:
    assert (await found(town, q))[0] == name


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("schwarzenb", MAX), ("schw max", MAX), ("maximiliane s", MAX), ("m schwarzenbeck", MAX),
        ("osnab", ANNA), ("nordw", ANNA), ("beschaff mül", ANNA), ("vorst anna", ANNA),
        ("wójt", LUKASZ), ("zyl", UWE), ("щерб", YULIA), ("אברמ", MOSHE),
        ("radziwins", SIOBHAN), ("vanderpl", FLORIS), ("inver ron", RONAN),
        ("zhangw", ZHANG), ("ouy", OUYANG),
    ],
)  # fmt: skip
async def test_beginnings_of_words_find_the_person(town: httpx.AsyncClient, q: str, name: str) -> None:
    assert name in (await found(town, q))[:5]


@pytest.mark.parametrize(
    ("q", "name"),
    [  # one letter less, more, other, or two swapped
        ("zylinky", UWE), ("zylinnsky", UWE), ("zylimsky", UWE), ("zylinksy", UWE), ("cylinsky", UWE),
        ("einkuaf", ANNA), ("osnabrukc", ANNA), ("vorstnad", ANNA), ("beschafung anna", ANNA),
        ("flors", FLORIS), ("ana mulller", ANNA), ("ullapol", RONAN), ("invernes ronan", RONAN),
        ("zhangwie", ZHANG), ("щербкова", YULIA), ("abramovitz", "Eli Abramowitz"), ("blua uwe", UWE),
        # two in words of eight letters or more
        ("shwarzenbek", MAX), ("schwarznebekc", MAX), ("maximilaine schwarzenbk", MAX),
        ("radziwnisak", SIOBHAN), ("ossnabrukc", ANNA), ("beshafung", ANNA), ("magillivrey", RONAN),
    ],
)  # fmt: skip
async def test_misspelt_words_find_the_person(town: httpx.AsyncClient, q: str, name: str) -> None:
    if name == "Eli Abramowitz" and name not in await found(town, "abramowitz"):
        await store(town, [somebody(name)])
    assert (await found(town, q))[0] == name


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("uwi", UWE),  # one typo in three letters
        ("zulimsky", "Uli Zolinsk"),  # three in eight
        ("frols", "Floris van der Ploeg"),  # two in six
        ('"zylinky"', UWE),
        ('"zylin"', UWE),
        ('"uwe" "zylin"', UWE),
        ("uwe berlin", UWE),  # both of two words must match
        ("uwe zylinsky berlin hamburg", UWE),  # all but one
    ],
)
async def test_what_is_too_far_off_finds_nobody(town: httpx.AsyncClient, q: str, name: str) -> None:
    assert name not in await found(town, q)


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("张伟", ZHANG), ("张", ZHANG), ("伟", ZHANG), ("zhangwei", ZHANG), ("zhang wei", ZHANG),
        ("wei zhang", ZHANG), ("ZHANG Wei", ZHANG), ("zw", ZHANG), ("zhāng wěi", ZHANG),
        ("重庆", ZHANG), ("庆市", ZHANG), ("张 重庆", ZHANG), ("zhangwei 重庆", ZHANG),
        ("欧阳", OUYANG), ("娜娜", OUYANG), ("阳娜", OUYANG), ("阳娜娜", OUYANG), ("欧阳娜娜", OUYANG),
        ("ouyangnana", OUYANG), ("ouyang nana", OUYANG), ("nana ouyang", OUYANG), ("oynn", OUYANG),
        ("ou yang na na", OUYANG), ("lvsiqing", LYU), ("lv siqing", LYU), ("lu siqing", LYU),
        ("lyu siqing", LYU), ("lsq", LYU), ("lü siqing", LYU),
        ("田中", TANAKA), ("田中拓也", TANAKA), ("田中 拓也", TANAKA), ("拓也", TANAKA), ("中拓", TANAKA),
        ("也", TANAKA), ("京都", TANAKA), ("都市 田中", TANAKA), ("総務", TANAKA), ("城田中拓也", None),
        ("張偉", ZHANG), ("歐陽", OUYANG), ("呂思清", LYU), ("重慶 張", ZHANG), ("張重慶", None),
        ("サト", SATO), ("トウ", SATO), ("ケンジ サトウ", SATO), ("ンジ", SATO),
        ("김민수", MINSU), ("민수", MINSU), ("김", MINSU),
    ],
)  # fmt: skip
async def test_chinese_japanese_and_korean_names_are_found_by_any_part_and_by_pinyin(
    town: httpx.AsyncClient, q: str, name: str | None
) -> None:
    names = await found(town, q, limit=1000)
    if name is None:
        assert names == []
    else:
        assert name in names
        assert len(q) < 3 or name == names[0]


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("name:anna müller", ANNA), ("NAME:Müller", ANNA), ('name:"anna müller"', ANNA),
        ("username:annam", ANNA), ("email:nordwind", ANNA),
        ("email:anna.mueller@nordwind-reederei.example", ANNA),
        ("email:anna.mueller@nord", ANNA), ("phone:05417", ANNA), ("phone:7654-321", ANNA),
        ('phone:"0541 7654 321"', ANNA), ("phone:7654321 anna", ANNA), ("tag:vorstand", ANNA),
        ('tag:"brandschutz helfer" anna', ANNA), ("tag:vorst müller", ANNA), ("city:osnabrück anna", ANNA),
        ("city:osnabruck", ANNA), ("city:Ullapool", RONAN), ("department:beschaffung", ANNA),
        ("title:einkauf", ANNA), ('title:"leiterin einkauf"', ANNA), ("city：osnabrück", ANNA),
        ("city:京都 田中", TANAKA), ("department:総務", TANAKA), ("name:zhangwei", ZHANG),
        ("city:osnabrukc", ANNA),
        ("city: osnabrück", ANNA),
    ],
)  # fmt: skip
async def test_a_field_narrows_its_word(town: httpx.AsyncClient, q: str, name: str) -> None:
    assert (await found(town, q))[0] == name


@pytest.mark.parametrize(
    "q",
    [
        "name:osnabrück", "name:nordwind", "username:müller", "email:beschaffung", "phone:9999 anna müller",
        "tag:osnabrück", "city:vorstand", "city:beschaffung", "department:einkauf", "title:anna",
        "title:beschaffung", "city:müller", "tag:anna", "phone:anna", "name:重庆", "city:张",
    ],
)  # fmt: skip
async def test_a_field_leaves_out_who_has_the_word_elsewhere(town: httpx.AsyncClient, q: str) -> None:
    assert {ANNA, ZHANG}.isdisjoint(await found(town, q))


async def test_a_domain_finds_those_who_have_an_address_there(town: httpx.AsyncClient) -> None:
    await store(
        town,
        [
            somebody("Domkin Eins", email="eins@inner.domkin.example"),
            somebody("Zwei", email="domkin@zwei.example"),
            somebody("Drei", email="drei@domkin.test", tags=["domkin", "example"]),
        ],
    )
    for q in ("domkin.example", "@domkin.example", "inner.domkin.example", "DOMKIN.exam", "@domkin.e"):
        assert await found(town, q) == ["Domkin Eins"], q
    assert set(await found(town, "@domkin")) == {"Domkin Eins", "Drei"}
    assert await found(town, "drei @domkin.test") == ["Drei"]
    assert await found(town, "@zwei") == ["Zwei"]
    assert "Domkin Eins" in await found(town, "domkin.eins"), "no domain: two words"
    assert "Zwei" in await found(town, "@domkni"), "no domain: a word, misspelt"


async def test_quoted_words_are_exact(town: httpx.AsyncClient) -> None:
    assert await found(town, '"schwarzenbeck"') == [MAX]
    assert await found(town, '"anna" "müller" nordw') == [ANNA]
    assert await found(town, "“anna müller” reederei") == [ANNA]
    for q in ('"schwarzenbec"', '"anna mülle"', '"schwarzenbekc"', '"vanderploeg" "flori"'):
        assert await found(town, q) == []


async def test_a_number_that_is_no_phone_number_is_found_too(town: httpx.AsyncClient) -> None:
    """A phone number that holds the digits does not hide who is called so."""
    await store(
        town, [somebody("Rufina Holt", phone="+44 7700 4045 11"), somebody("Ada Room", tags=["4045"])]
    )
    assert await found(town, "4045") == ["Ada Room", "Rufina Holt"]
    assert [marked(item) for item in await search(town, "4045", highlight="true")] == [
        {"tags.0": ["4045"]},
        {"phone": ["4045"]},
    ]


async def test_everybody_of_the_sample_is_found_by_their_own_name(town: httpx.AsyncClient) -> None:
    for user in (await town.get("/users", params={"limit": 150, "fields": "name,email"})).json()["items"]:
        assert user["id"] in {item["id"] for item in await search(town, user["name"], limit=1000)}, user
        assert (await search(town, user["email"]))[0]["id"] == user["id"]


# --- in which order


RANKED = [
    somebody("Quorra", email="r0@order.example"),
    somebody("Quorra Abel", email="r1@order.example"),
    somebody("Quorra Abel", email="r2@order.example"),
    somebody("Quorra Zeta", email="r3@order.example"),
    somebody("Zacharias Ort", email="quorra@order.example"),
    somebody("Aaron Ort", email="r4@order.example", tags=["quorra"]),
    somebody("Zoltan Ort", email="r5@order.example", city="Quorra"),
    somebody("Quorrand Abel", email="r6@order.example"),
    somebody("Quorrandissima Abel", email="r7@order.example"),
    somebody("Aaron Weg", email="quorrand@order.example"),
    somebody("Aaron Pfad", email="r8@order.example", department="Quorrand"),
    somebody("Quorta Abel", email="r9@order.example"),
    somebody("Aaron Steg", email="quora@order.example"),
    somebody("Aaron Gang", email="r10@order.example", title="Quorr"),
]
KINDS = ["exact", "prefix", "one_typo", "two_typos"]


@pytest.fixture(scope="module")
async def ranked(town: httpx.AsyncClient) -> httpx.AsyncClient:
    shuffled = RANKED[1::2] + RANKED[::2]
    await store(town, shuffled)
    return town


async def test_exact_comes_before_prefix_before_typo_and_name_before_email_before_the_rest(
    ranked: httpx.AsyncClient,
) -> None:
    items = await search(ranked, "quorra", highlight="true")
    assert [item["name"] for item in items] == [one["name"] for one in RANKED]
    twins = [item["id"] for item in items if item["name"] == "Quorra Abel"]
    assert twins == sorted(twins)
    kinds = [item["match"]["kind"] for item in items]
    assert kinds == ["exact"] * 7 + ["prefix"] * 4 + ["one_typo"] * 3
    for kind in KINDS:
        scores = [item["match"]["score"] for item in items if item["match"]["kind"] == kind]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1.03 for score in scores)


async def test_two_typos_come_only_where_nobody_is_nearer(ranked: httpx.AsyncClient) -> None:
    (far,) = await search(ranked, "quorandisima", highlight="true")
    assert (far["name"], far["match"]["kind"]) == ("Quorrandissima Abel", "two_typos")
    (near,) = await search(ranked, "quorrandisima", highlight="true")
    assert (near["name"], near["match"]["kind"]) == ("Quorrandissima Abel", "one_typo")


async def test_the_worst_word_decides(ranked: httpx.AsyncClient) -> None:
    items = await search(ranked, "quorra abel", highlight="true")
    assert [(item["name"], item["match"]["kind"]) for item in items] == [
        ("Quorra Abel", "exact"),
        ("Quorra Abel", "exact"),
        ("Quorrand Abel", "prefix"),
        ("Quorrandissima Abel", "prefix"),
        ("Quorta Abel", "one_typo"),
    ]


async def test_filters_narrow_what_q_finds(ranked: httpx.AsyncClient) -> None:
    assert await found(ranked, "quorra", tag="QUORRA") == ["Aaron Ort"]
    assert await found(ranked, "quorra", city=["Quorra", "Nowhere"]) == ["Zoltan Ort"]
    assert await found(ranked, "quorra", email="r3@order.example") == ["Quorra Zeta"]
    assert await found(ranked, "quorra", department="Quorrand", is_active="true") == ["Aaron Pfad"]
    assert await found(ranked, "quorra", is_active="false") == []
    assert await found(ranked, "quorra", created_to="2020-01-01") == []
    assert len(await found(ranked, "quorra", created_from="2020-01-01")) == len(RANKED)
    assert await found(ranked, "schwarzenbeck", is_active="false") == [MAX]
    assert await found(ranked, "schwarzenbeck", is_active="true") == []
    assert await found(ranked, "7654321", city="Osnabrück") == [ANNA]
    assert await found(ranked, "7654321", city="Berlin") == []
    assert await found(ranked, "anna.mueller@nord", tag="vorstand") == [ANNA]
    assert await found(ranked, "anna.mueller@nord", tag="nobody's") == []


async def test_fields_choose_what_comes_and_the_total_says_at_least(ranked: httpx.AsyncClient) -> None:
    reply = await ranked.get(
        "/users", params={"q": "quorra", "fields": "name,profile.title", "count": "exact"}
    )
    page = reply.json()
    assert [set(item) for item in page["items"]] == [{"id", "name", "profile"}] * len(RANKED)
    assert page["total"] == {"value": len(RANKED), "relation": "gte"}
    assert (page["previous"], page["next"]) == (None, None)
    assert (await ranked.get("/users", params={"q": "quorra"})).json()["total"] is None
    problem(await ranked.get("/users", params={"q": "quorra", "fields": "search"}), 422, "validation_failed")


# --- why


@pytest.mark.parametrize(
    ("q", "name", "kind", "fields"),
    [
        ("müller vorstand", ANNA, "exact", {"name": ["Müller"], "tags.0": ["Vorstand"]}),
        ("mueller vorstand", ANNA, "exact",
         {"name": ["Müller"], "email": ["mueller"], "tags.0": ["Vorstand"]}),
        ("ANNA nordwind", ANNA, "exact", {"name": ["Anna"], "email": ["anna", "nordwind"]}),
        ("city:osnabruck tag:vorstand", ANNA, "exact",
         {"profile.addresses.0.city": ["Osnabrück"], "tags.0": ["Vorstand"]}),
        ("ullapool", RONAN, "exact", {"profile.addresses.1.city": ["Ullapool"]}),
        ("einkauf beschaffung", ANNA, "exact",
         {"profile.title": ["Einkauf"], "profile.department": ["Beschaffung"]}),
        ("annam_77", ANNA, "exact", {"username": ["annam", "77"]}),
        ("ogormley", SIOBHAN, "exact", {"name": ["O’Gormley"]}),
        ("radziwins", SIOBHAN, "prefix", {"name": ["Radziwinska"]}),
        ("zylinksy", UWE, "one_typo", {"name": ["Zylinsky"]}),
        ("shwarzenbek", MAX, "two_typos", {"name": ["Schwarzenbeck"]}),
        ("vanderploeg", FLORIS, "exact", {"name": [FLORIS]}),
        ("ronan1988", RONAN, "exact", {"email": ["ronan1988"]}),
        ("张", ZHANG, "exact", {"name": ["张"]}),
        ("重庆", ZHANG, "exact", {"profile.addresses.0.city": ["重庆"]}),
        ("zhangwei", ZHANG, "exact", {"name": ["张伟"]}),
        ("阳娜", OUYANG, "exact", {"name": ["阳娜"]}),
        ("中拓", TANAKA, "exact", {"name": ["田中 拓也"]}),
        ("田中拓也", TANAKA, "exact", {"name": ["田中", "拓也"]}),
        ("ｻﾄ", SATO, "exact", {"name": ["サト"]}),
        ("varela", WIDE, "exact", {"name": ["Ｖａｒｅｌａ"]}),
        ("5417654", ANNA, "prefix", {"phone": ["5417654"]}),
        ("0541 7654321", ANNA, "prefix", {"phone": ["5417654321"]}),
        ("+49 541 7654321", ANNA, "exact", {"phone": ["495417654321"]}),
        ("phone:7654321 anna", ANNA, "exact",
         {"name": ["Anna"], "email": ["anna"], "phone": ["7654321"]}),
        ("anna.mueller@nord", ANNA, "prefix", {"email": ["anna.mueller@nord"]}),
        ("Anna.Mueller@nordwind-reederei.EXAMPLE", ANNA, "exact",
         {"email": ["anna.mueller@nordwind-reederei.example"]}),
    ],
)  # fmt: skip
async def test_a_match_says_its_kind_and_where_it_stands(
    town: httpx.AsyncClient, q: str, name: str, kind: str, fields: dict[str, list[str]]
) -> None:
    item = next(item for item in await search(town, q, highlight="true") if item["name"] == name)
    assert set(item["match"]) == {"score", "kind", "fields"}
    assert (item["match"]["kind"], marked(item)) == (kind, fields)


async def test_highlights_are_of_the_fields_that_come(town: httpx.AsyncClient) -> None:
    (item,) = await search(town, "müller vorstand", highlight="true", fields="name,username")
    assert marked(item) == {"name": ["Müller"]}
    (item,) = await search(town, "nordwind", highlight="true", fields="name")
    assert marked(item) == {}


async def test_nothing_is_explained_unless_asked(town: httpx.AsyncClient) -> None:
    for asked in (
        {"q": "müller vorstand"},
        {"q": "müller vorstand", "highlight": "false"},
        {"highlight": "true"},
    ):
        items = (await town.get("/users", params=asked)).json()["items"]
        assert items
        assert not [item for item in items if "match" in item]


# --- suggestions


async def test_suggestions_are_ten_at_most_and_ranked(ranked: httpx.AsyncClient) -> None:
    items = await suggested(ranked, "quorra")
    assert [item["name"] for item in items] == [one["name"] for one in RANKED[:10]]
    assert [set(item) for item in items] == [{"id", "name", "username", "email"}] * 10


@pytest.mark.parametrize("name", [UWE, LUKASZ, KHAI, ELENI, MOSHE, OUYANG, WIDE])
async def test_each_keystroke_of_a_rare_name_suggests_it(town: httpx.AsyncClient, name: str) -> None:
    for typed in keystrokes(name):
        assert name in {item["name"] for item in await suggested(town, typed)}, typed


async def test_each_keystroke_of_a_rare_address_suggests_it(town: httpx.AsyncClient) -> None:
    for typed in keystrokes("ntmk@mekong.example"):
        assert KHAI in {item["name"] for item in await suggested(town, typed)}, typed


async def test_suggestions_need_the_scope_that_reads_users(town: httpx.AsyncClient) -> None:
    for path in ("/users/suggest?q=an", "/users?q=an"):
        for scope, status in (("users:read", 200), ("users:export", 403)):
            token = await token_of(town, scope)
            reply = await town.get(path, headers={"Authorization": f"Bearer {token}"})
            assert reply.status_code == status, (path, scope)
        reply = await town.get(path, headers={"Authorization": "Bearer x"})
        problem(reply, 401, "invalid_token")


@pytest.mark.parametrize("asked", ["", "q=an&limit=5", "q=an&q=bo", "q=an&highlight=true"])
async def test_suggestions_take_q_and_nothing_else(town: httpx.AsyncClient, asked: str) -> None:
    problem(await town.get(f"/users/suggest?{asked}"), 422, "validation_failed")


# --- what cannot be found


async def test_nothing_hidden_can_be_found(town: httpx.AsyncClient) -> None:
    profile = {
        "bio": "biographical",
        "age": 77,
        "addresses": [
            {"label": "labelled", "street": "Streetwise 7", "region": "Regional", "zipcode": "Z99X"}
        ],
    }
    more = {"avatar_url": "https://pictures.example/avatarword.png", "locale": "sw", "profile": profile}
    (user_id,) = await store(town, [somebody("Xanthippe Quell", email="xq@hidden.example", **more)])
    reply = await town.put(f"/users/{user_id}/password", json={"password_hash": hash_of(PASSWORD)})
    assert reply.status_code == 204
    row = await users(town).find_one({"keys.email": "xq@hidden.example"})
    password_hash = row["credentials"]["password_hash"]
    assert password_hash in hash_of(PASSWORD)
    for q in (
        *password_hash.split("$")[1:], password_hash.rpartition("$")[2][:12], "argon2id",
        PASSWORD, "biographical",
        "labelled", "streetwise", "regional", "z99x", "avatarword", "pictures", "sw",
        "scope:me", "is_active:true", "generation", "credentials", "keys", user_id,
        str(row["created_at"].year),
        '"nxanthippe"', '"exq"', '"&quell xanthippe" xyz', "credentials.password_hash:argon2id",
    ):  # fmt: skip
        assert "Xanthippe Quell" not in await found(town, q), q
        assert "Xanthippe Quell" not in {item["name"] for item in await suggested(town, q)}, q
    assert await found(town, "xanthippe hidden") == ["Xanthippe Quell"]


async def test_the_deactivated_are_found_like_others(town: httpx.AsyncClient) -> None:
    (item,) = await search(town, "schwarzenbeck")
    assert item["is_active"] is False
