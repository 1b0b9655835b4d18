"""What the code says in English, in Chinese: by whole texts, by their forms, and by what they contain."""

import pytest

from app.core.catalogue import problem_texts
from app.core.catalogue.problems import PLACE, translate

A_TEXT, ITS_TRANSLATION = "This is required.", "此项必填。"


@pytest.mark.parametrize(
    ("text", "translated"),
    [
        ("No such user", "没有此用户"),
        ("The body may have at most 1048576 bytes.", "请求体最多 1048576 字节。"),
        ("Redis did not answer in time: try again.", "Redis 没有及时响应，请重试。"),
        ("must not be blank.", "不能为空白。"),
        ("Must be 'csv', 'xlsx' or 'ndjson'.", "必须是 'csv'、'xlsx' 或 'ndjson'。"),
        ("Only a:b may set x, y and z.", "只有 a:b 权限可以设置 x、y 和 z。"),
        ("Only users:admin may set scopes.", "只有 users:admin 权限可以设置 scopes。"),
        ("name: Must have at most 5 items.", "name：最多 5 项。"),
        ("The file ends within an object: object 3 of the array.", "文件在对象中间结束：数组的第 3 个对象。"),
        (
            "The workbook's part xl/a.xml is not sound XML: save the workbook again.",
            "工作簿的部件 xl/a.xml 不是正确的 XML：请重新保存工作簿。",
        ),
        (
            "The file is compressed by gzip: unpack it, and send the file that it holds.",
            "文件是 gzip 压缩文件：请解压后上传其中的文件。",
        ),
        (
            "Did you mean `xlsx`? Must be one of 'csv', 'xl…",
            "您是否想写 `xlsx`？必须是以下之一：'csv' 或 'xl…。",
        ),
        ("Must have at least 9 characters.", "至少 9 个字符。"),
        ("Must have at least 8 characters.", "至少需要 8 个字符。"),
        ("does not have the length of a number of +86.", "位数与 +86 的号码不符。"),
        ("Must be something that no catalogue has.", None),
        ("Must not be one that many people use.", None),
        ("name: something else.", None),
        (f"The request is not HTTP/1.1: {'x' * 1000}.", None),
        (": ".join("x" * 300), None),
        ("", None),
    ],
)
def test_a_text_is_found_whole_or_by_its_form(text: str, translated: str | None) -> None:
    assert translate(text, "zh") == translated


def test_ways_out_of_a_query_that_takes_too_long_are_told_together() -> None:
    query = "Finding these users in the order of age takes longer than a page may. "
    ways = "Add a filter on city, department or tag, or age_min and age_max, or leave out `sort`."
    out = "请按 city、department 或 tag 筛选，或按 age_min 和 age_max 筛选，或去掉 `sort`。"
    assert translate(query + ways, "zh") == f"按 age 排序查找这些用户耗时过长：{out}"


def test_what_somebody_else_wrote_stays_as_it_is() -> None:
    text = "there is no column `Sales and Costs, or row` in the file for name"
    assert translate(text, "zh") == "文件中没有用于 name 的列 `Sales and Costs, or row`"


def test_english_has_no_other_texts_than_those_of_the_code() -> None:
    assert translate("No such user", "en") is None


def test_no_form_hides_another() -> None:
    """Of two forms that find one text, the one that it was made by comes first."""
    hidden = {}
    for text, translated in problem_texts("zh").items():
        kinds = dict(PLACE.findall(translated))
        sent, told = text, translated
        for name, kind in kinds.items():
            sent = sent.replace(f"{{{name}}}", A_TEXT if kind == "text" else "7")
            place = f"{{{name}:{kind}}}" if kind else f"{{{name}}}"
            told = told.replace(place, ITS_TRANSLATION if kind == "text" else "7")
        if (found := translate(sent, "zh")) != told:
            hidden[text] = found
    assert hidden == {}
