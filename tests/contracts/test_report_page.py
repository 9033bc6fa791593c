"""The page of an evidence pack in a browser: axe-core judges it, and nothing is wider than the screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from archiver.evidence.page import render_page
from tests.browser import Browser, open_browser
from tests.exhibits import exhibits, production, read_medium, strange
from tests.programs import require_axe

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_AXE = """
const [rules] = arguments;
return axe.run(document, {runOnly: {type: "tag", values: rules}, resultTypes: ["violations"]}).then(
    (found) => [found.passes.length, found.violations.map(
        (one) => [one.id, one.help, one.nodes.slice(0, 3).map((node) => node.html.slice(0, 300))])]);
"""
_TOO_WIDE = """
const edge = document.documentElement.clientWidth;
const wide = [...document.querySelectorAll("body *:not(.skip)")].filter(
    (one) => one.getBoundingClientRect().right > edge + 1);
return [document.documentElement.scrollWidth, wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 200))];
"""


def open_whole(browser: Browser, page: Path) -> None:
    """Open a page with every record laid out, as if a reader had gone through all of it: a browser leaves
    those out of sight for later, and then they have no places to be judged."""
    browser.open(page)
    browser.run("""
        for (const one of document.querySelectorAll("article")) one.style.contentVisibility = "visible";
    """)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require_axe()
    with open_browser() as one:
        yield one


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages with every kind of content: for a court and for the public, and an empty one."""
    folder = tmp_path_factory.mktemp("pages")
    hostile = msgspec.structs.replace(strange(), number=15, reference="ABC/1/15", stem="ABC_1_15")
    made = {
        "court": (production(records=15), [*exhibits(), hostile]),
        "public": (production(public=True, is_redacted=False), exhibits()),
        "empty": (production(records=0, unsearched=(), notes=()), []),
    }
    paths = {}
    for name, (pack, shown) in made.items():
        paths[name] = folder / f"{name}.html"
        paths[name].write_bytes(b"".join(render_page(pack, shown, read_medium)))
    return paths


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("colours", ["light", "dark", "forced"])
@pytest.mark.parametrize("name", ["court", "public", "empty"])
def test_axe_finds_nothing_wrong(
    browser: Browser, pages: dict[str, Path], name: str, colours: str, width: int
) -> None:
    browser.show(width=width, dark=colours == "dark", forced=colours == "forced")
    open_whole(browser, pages[name])
    browser.run(require_axe().read_text("utf-8") + ";window.axe = axe;")
    passed, violations = browser.run(_AXE, _RULES)
    assert violations == []
    assert passed > 20  # rules that had something to judge


@pytest.mark.parametrize("width", [1280, 640, 400, 320])
def test_nothing_is_wider_than_the_screen(browser: Browser, pages: dict[str, Path], width: int) -> None:
    """640 pixels are what is left of 1280 where a reader magnifies twice, 320 where four times."""
    browser.show(width=width)
    open_whole(browser, pages["court"])
    widest, wide = browser.run(_TOO_WIDE)
    assert wide == []
    assert widest <= width


def test_the_policy_lets_the_style_and_the_pictures_in_and_nothing_else(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.show(width=1280)
    open_whole(browser, pages["court"])
    found: dict[str, Any] = browser.run("""
        const style = getComputedStyle(document.querySelector(".redacted"));
        const pictures = [...document.images];
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        return {mark: style.fontWeight, ran: window.ran === true, pictures: pictures.length,
                broken: pictures.filter((one) => !one.naturalWidth).length};
    """)
    assert found == {"mark": "600", "ran": False, "pictures": 4, "broken": 0}


def test_where_the_keyboard_is_can_be_seen(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(width=1280)
    open_whole(browser, pages["court"])
    outlines: list[list[str]] = browser.run("""
        return [...document.querySelectorAll("a")].slice(0, 12).map((one) => {
            one.focus({focusVisible: true});
            const style = getComputedStyle(one);
            return [style.outlineStyle, style.outlineWidth];
        });
    """)
    assert outlines == [["solid", "3px"]] * 12


def test_stacked_marks_stay_in_their_own_line(browser: Browser, pages: dict[str, Path]) -> None:
    """No line of the text is nearer to the next than the marks are allowed to reach."""
    browser.show(width=1280)
    open_whole(browser, pages["court"])
    clipped: list[str] = browser.run("""
        return [...document.querySelectorAll(".stack, .text")].map((one) => getComputedStyle(one).overflow);
    """)
    assert len(clipped) > 20
    assert set(clipped) == {"clip"}


def test_links_within_the_page_lead_somewhere(browser: Browser, pages: dict[str, Path]) -> None:
    open_whole(browser, pages["court"])
    lost = browser.run("""
        return [...document.querySelectorAll('a[href^="#"]')].map((one) => one.getAttribute("href").slice(1))
            .filter((id) => !document.getElementById(id));
    """)
    assert lost == []
