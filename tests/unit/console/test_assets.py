"""What the console weighs, and what it has of others."""

import gzip
import hashlib
from pathlib import Path
from typing import Any

from app.console import Assets, Console
from app.console.console import POLICY
from app.console.squeeze import squeeze_module, squeeze_style
from app.core.settings import Settings
from app.pages.brand import Brand
from models.listing import ListQuery

STATIC = Path(__file__).parents[3] / "app" / "console" / "static"
BRAND = Brand("Roster", None, "#1f5fbf", "#8ab4ff")
MOST_BYTES = 60 * 1024
NO_FILTERS = {"sort", "q", "highlight", "limit", "cursor", "skip", "count", "fields", "start", "filter"}


def test_all_of_the_console_in_one_language_has_at_most_sixty_kilobytes_in_gzip() -> None:
    files = Assets(BRAND).files
    loaded = b"".join(asset.content for name, asset in files.items() if name != "texts/zh.json")
    assert len(gzip.compress(loaded)) <= MOST_BYTES


def test_modules_are_served_without_what_no_browser_reads() -> None:
    source = """/** A module. */

/**
 * @param {string} name
 */
export function greet(name) {
  // Aloud.
  const ends = /["'`/]+$/g, half = name.length / 2 / 1;
  return /** @type {any} */ (`Hello, ${name.replace(ends, `'${{ a: 1 }.a}  `)}: */*
      and  \\`all`
  ); // to all
}
const turns = 1 + +'  2'
greet( "//" )
  .trim( )
"""
    assert squeeze_module(source) == (
        """export function greet(name){let ends=/["'`/]+$/g,half=name.length/2/1;"""
        """return(`Hello, ${name.replace(ends,`'${{a:1}.a}  `)}: */*\nand  \\`all`);}\n"""
        """let turns=1+ +'  2'\ngreet("//").trim()\n"""
    )


def test_markup_is_served_without_what_htm_leaves_out() -> None:
    source = """const draw = (rows) => async (row) => html`
  <table class="small" title="two words"
    ...${ rows } id=${(each) => each.id}
    lang="en">
    ${ rows.map((each) => html`
      <b>${ each }</b> ${ plain(each) }`) }
    <i />
  </table>`;
const other = `<b>
  <i>`;
"""
    assert squeeze_module(source) == (
        """let draw=rows=>async(row)=>html`<table class=small title="two words" ...${rows} """
        """id=${each=>each.id} lang=en>${rows.map(each=>html`<b>${each}</b> ${plain(each)}`)}"""
        """<i/></table>`;let other=`<b>\n<i>`;"""
    )


def test_styles_are_served_without_what_no_browser_reads() -> None:
    source = (
        "/* All. */\n.a > b, .a :is(c) {\n  margin: 0 calc(1px + 2px);\n  color: red;\n}\n.d { top: 0; }\n"
    )
    assert squeeze_style(source) == ".a>b,.a :is(c){margin:0 calc(1px + 2px);color:red}.d{top:0}"


def test_behind_a_proxy_the_page_names_its_files_below_the_proxy_s_path() -> None:
    page = Console(Settings(_env_file=None), BRAND).render("en", root="/directory", place="people")
    assert 'href="/directory/console/files/' in page
    assert 'href="/console' not in page
    assert "views/people.js" in page


def test_another_colour_is_another_version() -> None:
    assert Assets(BRAND).version == Assets(BRAND).version
    assert Assets(BRAND).version != Assets(Brand("Roster", None, "#20603f", "#8ab4ff")).version


def test_what_others_made_is_what_its_hashes_say() -> None:
    vendor = STATIC / "vendor"
    lines = (line.split() for line in (vendor / "SHA256SUMS").read_text().splitlines())
    known = {name: digest for digest, name in lines}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in vendor.iterdir()}
    assert {name: found[name] for name in known} == known
    assert {name for name in found if not name.endswith(".d.ts")} == {*known, "SHA256SUMS"}


def test_no_module_makes_markup_of_text() -> None:
    ours = {path.name: path.read_text() for path in STATIC.rglob("*.js") if path.parent.name != "vendor"}
    for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert [file for file, source in ours.items() if name in source] == []


def test_the_people_have_every_filter_of_the_listing() -> None:
    source: Any = (STATIC / "views" / "people" / "filters.js").read_text()
    wanted = ListQuery.model_fields.keys() - NO_FILTERS
    assert [name for name in sorted(wanted) if f"'{name}'" not in source] == []


def test_the_policy_names_the_bucket_to_which_clients_are_sent() -> None:
    bucket: Any = {"files_url": "s3://people/roster", "files_endpoint": "https://store.example.com"}
    indirect = Settings(_env_file=None, **bucket)
    assert Console(indirect, BRAND).policy == POLICY
    direct = Settings(_env_file=None, **bucket, files_direct=True)
    assert "connect-src 'self' https://store.example.com; " in Console(direct, BRAND).policy
    named = Settings(_env_file=None, **bucket, files_direct=True, files_path_style=False)
    assert "connect-src 'self' https://people.store.example.com; " in Console(named, BRAND).policy
