"""The people in the console: found, filtered, sorted, paged through and selected; all by the address."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.support.console import Door, judge, until

ROWS = "tbody tr"


async def names(page: Page) -> list[str]:
    return await page.locator(
        "tbody td.select + td .who > span:last-child, tbody .who > span:last-child"
    ).all_text_contents()


async def settled(page: Page) -> None:
    """Until the table shows what the address asks for."""
    await expect(page.locator(".sheet")).to_have_attribute("aria-busy", "false")


async def test_the_table_is_found_in_order_in_both_themes_and_languages(door: Door) -> None:
    for locale in ("en-GB", "zh-CN"):
        async with door.visit("/people", locale=locale) as page:
            await page.wait_for_selector(ROWS)
            assert await judge(page) == []


async def test_a_search_finds_as_one_types_marks_what_matched_and_suggests(console: Page, door: Door) -> None:
    someone = door.find(sort="name")
    box = console.get_by_role("combobox")
    await console.keyboard.press("/")
    await expect(box).to_be_focused()
    await box.press_sequentially(someone["name"][:4])
    await expect(console.locator("mark").first).to_be_visible()
    option = console.get_by_role("option").first
    await expect(option).to_be_visible()
    assert await judge(console) == []
    await console.keyboard.press("ArrowDown")
    await expect(option).to_have_attribute("aria-selected", "true")
    await console.keyboard.press("Escape")
    await expect(console.get_by_role("option")).to_have_count(0)
    assert f"q={someone['name'][:2]}" in console.url


async def test_what_is_misspelt_is_found_and_back_shows_all_again(console: Page) -> None:
    await expect(console.locator(ROWS)).to_have_count(50)
    await console.get_by_role("combobox").fill("xyzzy qqqq")
    await expect(console.get_by_text("No one matches")).to_be_visible()
    assert await judge(console) == []
    await console.go_back()
    await expect(console.locator(ROWS)).to_have_count(50)


async def test_a_filter_is_in_the_address_as_a_chip_and_goes_with_it(console: Page, door: Door) -> None:
    await console.get_by_role("button", name="Filter").click()
    form = console.get_by_role("dialog", name="Filters")
    assert await judge(console) == []
    await form.get_by_role("combobox", name="Country").fill("Germany")
    await form.get_by_role("combobox", name="Status").select_option("true")
    await form.get_by_role("button", name="Apply").click()
    await expect(form).to_be_hidden()
    await settled(console)
    assert "country=Germany" in console.url
    assert "is_active=true" in console.url
    with door.api() as http:
        asked = {"country": "Germany", "is_active": "true", "count": "capped"}
        total = http.get("/users", params=asked).json()["total"]["value"]
    await expect(console.locator("h1 + span")).to_have_text(re.compile(f"^{total:,} "))
    await console.reload()
    await console.get_by_role("button", name="Remove Country: Germany").click()
    await expect(console).to_have_url(re.compile(r"people\?is_active=true$"))


async def test_a_head_sorts_up_and_down(console: Page) -> None:
    await console.get_by_role("button", name="Name").click()
    await expect(console.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    await settled(console)
    first = await names(console)
    await console.get_by_role("button", name="Name").click()
    await expect(console.get_by_role("columnheader", name="Name")).to_have_attribute(
        "aria-sort", "descending"
    )
    await settled(console)
    assert "sort=-name" in console.url
    assert await names(console) != first


async def test_pages_are_turned_and_the_way_back_shows_the_same_at_the_same_place(console: Page) -> None:
    await settled(console)
    first = await names(console)
    await console.locator(".sheet").evaluate("(sheet) => sheet.scrollTo(0, 400)")
    await until(console, "history.state?.top === 400")
    await console.get_by_role("link", name="Next page").click()
    await expect(console.locator(".who").first).not_to_contain_text(first[0])
    second = await names(console)
    assert not set(first) & set(second) or first != second
    await console.go_back()
    await expect(console.locator(".who").first).to_contain_text(first[0])
    await until(console, "document.querySelector('.sheet').scrollTop === 400")
    await console.reload()
    await console.wait_for_selector(ROWS)
    await until(console, "document.querySelector('.sheet').scrollTop === 400")
    assert await names(console) == first


async def test_a_link_to_a_page_lasts_as_it_names_its_first_row(console: Page, door: Door) -> None:
    await console.goto(f"{door.url}/console/people?sort=-name&limit=25")
    await settled(console)
    await console.get_by_role("link", name="Next page").click()
    await expect(console).to_have_url(re.compile(r"start=[^&]+%2C[0-9a-f]{24}"))
    await settled(console)
    shown = await names(console)
    await console.locator(".sheet").evaluate("(sheet) => sheet.scrollTo(0, 300)")
    await expect(console).to_have_url(re.compile("row=[0-9a-f]{24}"))
    assert "cursor=" not in console.url
    async with door.visit(console.url.partition("/console")[2]) as page:
        await settled(page)
        assert await names(page) == shown
        await until(page, "Math.abs(document.querySelector('.sheet').scrollTop - 300) < 40")
        await page.get_by_role("link", name="Previous page").click()
        await expect(page.locator(".who").first).not_to_contain_text(shown[0])


async def test_how_many_there_are_is_said_as_it_is_known(console: Page, door: Door) -> None:
    total = console.locator("h1 + span")
    await expect(total).to_have_text(re.compile("^about [0-9,]+ people$"))
    await console.get_by_role("combobox").fill("anna")
    await expect(total).to_have_text(re.compile("^(at least )?[0-9]+ people$"))
    await console.goto(f"{door.url}/console/people?q=xyzzy+qqqq")
    await expect(total).to_have_text("0 people")


async def test_columns_are_chosen_and_ordered(console: Page) -> None:
    await console.get_by_role("button", name="Columns").click()
    choice = console.get_by_role("dialog", name="Columns")
    assert await judge(console) == []
    await choice.get_by_role("checkbox", name="Tags").uncheck()
    await choice.get_by_role("checkbox", name="Phone").check()
    await choice.get_by_role("button", name="Move Phone up").click()
    await choice.get_by_role("button", name="Done").click()
    heads = console.get_by_role("columnheader")
    await expect(heads).to_contain_text(
        ["", "Name", "E-mail", "Department", "Status", "Phone", "Last sign-in"]
    )
    await console.reload()
    await expect(heads).to_contain_text(
        ["", "Name", "E-mail", "Department", "Status", "Phone", "Last sign-in"]
    )


async def test_a_thousand_rows_a_page_are_drawn_in_portions(console: Page) -> None:
    await console.get_by_role("button", name="Density and rows a page").click()
    await console.get_by_role("menuitemradio", name="1,000 rows a page").click()
    await expect(console.locator(ROWS)).to_have_count(1_000)
    await console.get_by_role("button", name="Density and rows a page").click()
    await console.get_by_role("menuitemradio", name="Compact rows").click()
    await expect(console.locator(".sheet.compact")).to_be_visible()


async def test_rows_are_walked_and_selected_by_keys(console: Page) -> None:
    await console.keyboard.press("j")
    await console.keyboard.press("j")
    await expect(console.locator(ROWS).nth(1)).to_be_focused()
    await console.keyboard.press("x")
    await expect(console.locator(ROWS).nth(1)).to_have_attribute("aria-selected", "true")
    await console.keyboard.press("k")
    await expect(console.locator(ROWS).nth(0)).to_be_focused()
    await expect(console.get_by_text("1 selected")).to_be_visible()
    assert await judge(console) == []


async def test_a_page_and_then_all_that_match_can_be_selected(console: Page, door: Door) -> None:
    await console.goto(f"{door.url}/console/people?is_active=false")
    await console.get_by_label("Select all on this page").check()
    await expect(console.get_by_text("50 selected")).to_be_visible()
    await console.get_by_role("button", name=re.compile("Select all that match")).click()
    await expect(console.get_by_text("All that match are selected")).to_be_visible()
    kept = await console.evaluate("JSON.parse(sessionStorage.getItem('roster.selection'))")
    assert kept == {"ids": [], "query": "is_active=false"}
    await console.get_by_role("button", name="Select none").click()
    await expect(console.locator("[aria-selected=true]")).to_have_count(0)


async def test_rows_between_two_clicks_are_selected_with_shift(console: Page) -> None:
    boxes = console.locator("tbody input[type=checkbox]")
    await boxes.nth(2).click()
    await boxes.nth(6).click(modifiers=["Shift"])
    await expect(console.get_by_text("5 selected")).to_be_visible()


async def test_an_old_cursor_says_so_and_leads_to_the_first_page(door: Door) -> None:
    async with door.visit("/people?cursor=bm9uc2Vuc2U") as page:
        await expect(page.get_by_role("alert")).to_contain_text("The cursor does not belong to this query")
        assert await judge(page) == []
        await page.get_by_role("button", name="Try again").click()
        await expect(page.locator(ROWS)).to_have_count(50)


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "سارة <b>", "x" * 200])
async def test_what_users_wrote_is_text(door: Door, name: str) -> None:
    tag = f"strange-{len(name)}"
    person = {"name": name, "email": f"{tag}@console.example.com", "tags": [tag]}
    with door.api() as http:
        http.post("/users", json=person).raise_for_status()
    async with door.visit(f"/people?tag={tag}") as page:
        await expect(page.locator(ROWS)).to_have_count(1)
        await expect(page.locator(".who")).to_contain_text(name)
        assert await page.locator("#view img, #view b").count() == 0
        assert await judge(page) == []


async def test_a_view_is_saved_shared_with_others_and_removed(console: Page, door: Door) -> None:
    place = "is_active=false&sort=-name&cols=name%2Cphone&density=compact"
    await console.goto(f"{door.url}/console/people?{place}")
    menu = console.get_by_role("button", name="Views", exact=True)
    await menu.click()
    await console.get_by_role("menuitem", name="Save or remove views").click()
    form = console.get_by_role("dialog", name="Views")
    await form.get_by_label("Name of the view").fill("Gone <b>")
    await form.get_by_role("switch").check()
    await form.get_by_role("button", name="Save view").click()
    await expect(form).to_be_hidden()
    await console.goto(f"{door.url}/console/people")
    await menu.click()
    await console.get_by_role("menuitem", name="Gone <b>").click()
    await expect(console).to_have_url(f"{door.url}/console/people?{place}")
    with door.api() as http:
        [view] = http.get("/views").json()["items"]
    assert (view["is_shared"], view["columns"], view["density"]) == (True, ["name", "phone"], "compact")
    await menu.click()
    await console.get_by_role("menuitem", name="Save or remove views").click()
    assert await judge(console) == []
    await form.get_by_role("button", name="Remove the view Gone <b>").click()
    await expect(form.get_by_text("Gone <b>")).to_be_hidden()
