"""`report.pdf`, judged by pypdf and poppler."""

import io
import json
import random
import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import msgspec
import pytest
from pypdf import PdfReader

from archiver.errors import ConfigurationError
from archiver.evidence.model import Exhibit, Medium, Production, ThreadLine
from archiver.evidence.paper import Fonts, PaperFile, render_paper, typesetting
from archiver.evidence.paper import render as paper_render
from archiver.evidence.paper.fonts import BUILT_IN
from archiver.sample.pictures import png_picture
from tests.exhibits import exhibits, make_exhibit, make_version, production, read_medium, strange
from tests.programs import require_program, require_shared_data

MARKUP = (
    '#panic("run") #read("/etc/passwd") $x$ *b* _e_ `c` <label> @ref // c /* */ \\ #"a" [x] ```z``` ~ -- ...'
)


@cache
def fonts() -> Fonts:
    return Fonts()


def render(*shown: Exhibit, **changes: object) -> PaperFile:
    [one] = render_paper(production(records=len(shown), **changes), shown, read_medium, fonts())
    return one


@cache
def whole() -> PaperFile:
    return render(*exhibits())


def post(number: int, text: str, **changes: object) -> Exhibit:
    return make_exhibit(
        number, kind="post", id=str(number), versions=(make_version(number, text, **changes),)
    )


def texts(paper: PaperFile, tmp_path: Path, *options: str) -> str:
    """What poppler reads in it, lines joined and without spaces, as lines end anywhere."""
    path = tmp_path / paper.name
    path.write_bytes(paper.data)
    ran = subprocess.run(
        [require_program("pdftotext"), *options, str(path), "-"], check=True, capture_output=True
    )
    return ran.stdout.decode()


def without_spaces(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_it_is_a_tagged_document_of_both_standards() -> None:
    reader = PdfReader(io.BytesIO(whole().data))
    root = reader.trailer["/Root"]
    metadata = root["/Metadata"].get_object().get_data().decode()
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Exhibit ABC/1, case SP/2026/0417: evidence pack"
    assert re.search(r'pdfaid:part[=>]"?2', metadata)
    assert re.search(r'pdfaid:conformance[=>]"?A', metadata)
    assert re.search(r'pdfuaid:part[=>]"?1', metadata)


def test_bookmarks_lead_to_every_record() -> None:
    reader = PdfReader(io.BytesIO(whole().data))
    titles = [one.title for lot in reader.outline for one in (lot if isinstance(lot, list) else [lot])]
    for exhibit in exhibits():
        assert sum(title.startswith(f"{exhibit.reference} ") for title in titles) == 1, exhibit.reference


def test_pictures_have_a_text_for_those_who_do_not_see_them_and_tables_have_heads() -> None:
    reader = PdfReader(io.BytesIO(whole().data))
    found: dict[str, list[object]] = {}
    waiting = [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        one = waiting.pop().get_object()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            found.setdefault(str(one.get("/S")), []).append(one.get("/Alt"))
            waiting += [one["/K"]] if "/K" in one else []
    assert "A blue and yellow band across a grey sky" in found["/Figure"]
    assert all(found["/Figure"])
    assert {"/H1", "/H2", "/H3", "/TH", "/TD", "/L", "/LI"} <= set(found)


def test_every_record_s_text_and_reference_and_hashes_can_be_read_in_it(tmp_path: Path) -> None:
    shown = without_spaces(texts(whole(), tmp_path))
    for exhibit in exhibits():
        assert exhibit.reference in shown
        for version in exhibit.versions:
            text = version.text
            if text.isascii() and text not in ("", "[redacted]"):
                assert without_spaces(text) in shown, text
            for original in version.originals:
                assert original.sha256 in shown
            for link in version.links:
                assert link.expanded is None or without_spaces(link.expanded) in shown


def test_a_time_in_no_calendar_and_many_captures_are_told(tmp_path: Path) -> None:
    late = msgspec.structs.replace(post(1, "Late."), last_seen_ms=10**16, captured=tuple(range(9)))
    shown = " ".join(texts(render(late), tmp_path).split())
    assert "which is in no calendar" in shown
    assert "9 times, from 1970-01-01 00:00:00 UTC" in shown


def test_times_are_in_utc_and_uk_time(tmp_path: Path) -> None:
    assert "2026-07-02 12:00:00 UTC (2026-07-02 13:00:00 BST)" in texts(whole(), tmp_path, "-layout")


def test_every_page_is_marked_at_its_top_and_bottom(tmp_path: Path) -> None:
    pages = texts(whole(), tmp_path, "-layout").rstrip("\f\n").split("\f")
    assert len(pages) == len(PdfReader(io.BytesIO(whole().data)).pages) > 5
    for number, page in enumerate(pages, start=1):
        lines = [line for line in page.splitlines() if line.strip()]
        for line in (lines[0], lines[-1]):
            assert "Exhibit ABC/1" in line
            assert "SP/2026/0417" in line
            assert "REDACTED" in line
        assert lines[-1].endswith(f"Page {number} of {len(pages)}")


def test_a_pack_of_which_nothing_was_taken_out_is_not_marked_redacted(tmp_path: Path) -> None:
    assert "REDACTED" not in texts(render(post(1, "So."), is_redacted=False), tmp_path)


def test_every_font_is_within_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(whole().data)
    ran = subprocess.run(
        [require_program("pdffonts"), str(tmp_path / "a.pdf")], check=True, capture_output=True, text=True
    )
    rows = ran.stdout.splitlines()[2:]
    assert len(rows) > 2
    assert all(re.search(r" yes (yes|no) +yes +\d+ +\d+$", row) for row in rows), ran.stdout


def test_the_same_pack_gives_the_same_bytes() -> None:
    assert render(post(1, "Once and again.")).data == render(post(1, "Once and again.")).data


def test_for_publication_nobody_s_number_and_no_place_of_the_vault_is_in_it(tmp_path: Path) -> None:
    shown = texts(render(*exhibits(), public=True), tmp_path)
    given = production()
    secrets = {
        given.vault,
        given.head_sha256,
        given.keyholder + "\n",
        given.host,
        given.system_account + " on",
    }
    for exhibit in exhibits():
        for version in exhibit.versions:
            people = (version.author, *version.people, *version.mentions)
            secrets |= {person.id for person in people if person.id}
            secrets |= {version.capture.name, *(one.segment for one in version.originals)}
    court = texts(whole(), tmp_path)
    assert {one.strip() for one in secrets if one in court} >= {given.vault, given.host}
    assert not {one for one in secrets if one in shown}


# What others wrote


def test_markup_is_printed_and_not_run(tmp_path: Path) -> None:
    paper = render(post(1, MARKUP, client=MARKUP), case=MARKUP, purpose=MARKUP, is_redacted=False)
    assert without_spaces(texts(paper, tmp_path)).count(without_spaces(MARKUP)) >= 4


def test_what_no_platform_sends_is_named_by_its_code_point(tmp_path: Path) -> None:
    paper = render(strange("a\0b\ud83dc\u202ed\ufeffe\ue000f\u0378g\U000e0041h\ufffei\u200bj"))
    shown = texts(paper, tmp_path)
    for code in ("U+0000", "U+D83D", "U+202E", "U+FEFF", "U+E000", "U+0378", "U+E0041", "U+FFFE", "U+200B"):
        assert code in shown, code
    assert not re.search("[\0\u202e\ufeff\u200b\ue000]", shown)


def test_a_strange_text_in_every_field_prints() -> None:
    assert render(strange()).unprintable == ()
    assert render(strange(MARKUP)).data.startswith(b"%PDF")


def test_a_character_that_no_font_has_is_printed_as_its_code_point_and_named(tmp_path: Path) -> None:
    bare = Fonts([])
    [paper] = render_paper(production(records=1), [post(1, "Plain \u65e5 text")], read_medium, bare)
    assert paper.unprintable == ("U+65E5",)
    shown = texts(paper, tmp_path)
    assert "U+65E5" in shown
    assert "Plain" in shown


def test_scripts_and_emoji_print_where_fonts_for_them_are_installed(tmp_path: Path) -> None:
    if "Noto Color Emoji" not in fonts().families("\U0001f693"):
        pytest.skip("no font for emoji is installed")
    text = "жук ελ עברית العربية हिन्दी বাংলা ไทย ქართ 한국 日本 中文 🚓 👩🏽‍🚒 🏳️‍🌈 🇬🇧 1️⃣ 🏴󠁧󠁢󠁷󠁬󠁳󠁿"
    paper = render(post(1, text))
    assert paper.unprintable == ()
    shown = texts(paper, tmp_path)
    for word in ("жук", "ελ", "한국", "日本", "🚓", "👩🏽‍🚒", "🇬🇧"):
        assert word in shown, word


def test_the_font_of_a_script_is_its_own() -> None:
    installed = {one.family for one in fonts().loaded.fonts()}
    for family, text in (
        ("Noto Sans CJK JP", "駅の。"),
        ("Noto Sans CJK KR", "한국。"),
        ("Noto Sans Arabic", "عر"),
    ):
        if family in installed:
            assert fonts().families(text)[:2] == ["Noto Sans", family]


def test_without_a_font_for_latin_letters_typst_s_own_comes_first(tmp_path: Path) -> None:
    emoji = next((one.path for one in fonts().loaded.fonts() if one.family == "Noto Color Emoji"), None)
    if emoji is None:
        pytest.skip("no font for emoji is installed")
    (tmp_path / "emoji.ttf").symlink_to(emoji)
    (tmp_path / "broken.ttf").write_bytes(b"\0\1\0\0 no font")
    assert Fonts([tmp_path]).families("1 🚓") == ["Libertinus Serif", "Noto Color Emoji", *BUILT_IN[1:]]


def test_a_word_without_an_end_and_the_longest_text_stay_on_their_pages(tmp_path: Path) -> None:
    word, link = "x" * 4000, "https://example.org/" + "a1b2" * 1000
    long_text = ("Every letter of it. " * 1250)[:25_000]
    paper = render(post(1, f"{word}\n{link}"), post(2, long_text))
    shown = without_spaces(
        re.sub(r"Exhibit ABC/1.*|.*Page \d+ of \d+|\f", "", texts(paper, tmp_path, "-layout"))
    )
    assert shown.count("x") > 3990
    assert len(re.findall("a1b2", shown)) >= 900
    assert shown.count("Everyletterofit.") >= 1240
    (tmp_path / "a.pdf").write_bytes(paper.data)
    ran = subprocess.run(
        [require_program("pdftotext"), "-bbox", str(tmp_path / "a.pdf"), "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert max(float(one) for one in re.findall(r'xMax="([\d.]+)"', ran.stdout)) < 595 - 50


def test_any_characters_at_all_print() -> None:
    chance = random.Random(20261125)  # noqa: S311  # to repeat what failed
    for _ in range(3):
        most = (chance.choice((0x250, 0x3100, 0x110000)) for _ in range(400))
        text = "".join(chr(chance.randrange(one)) for one in most)
        line = ThreadLine(id=text, author=exhibits()[0].versions[0].author, posted_ms=0, kind=text, text=text)
        exhibit = msgspec.structs.replace(strange(text), thread=(line,))
        assert render(exhibit, case=text, purpose=text).data.startswith(b"%PDF")


def test_every_text_of_real_exports_prints() -> None:
    if "Noto Color Emoji" not in fonts().families("\U0001f693"):
        pytest.skip("no font for emoji is installed")
    said: list[str] = []
    for path in sorted(require_shared_data("x-exports").glob("*.zip")):
        with zipfile.ZipFile(path) as export:
            for name in export.namelist():
                if re.search(r"/tweets?(-part\d+)?\.js$", f"/{name}"):
                    body = export.read(name).decode()
                    items = json.loads(body[body.index("[") :])
                    said += [one.get("tweet", one)["full_text"] for one in items]
    assert len(said) > 100
    shown = [post(number, text) for number, text in enumerate(said[:: max(1, len(said) // 1500)], start=1)]
    papers = list(render_paper(production(records=len(shown)), shown, read_medium, fonts()))
    assert sum(len(one.unprintable) for one in papers) == 0
    assert sum(len(one.plain) for one in papers) == 0


def test_a_record_at_which_typst_breaks_off_does_not_keep_the_others_from_being_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = typesetting._template() + '#if sys.inputs.data.contains("\\\\u00fe") { panic() }'
    monkeypatch.setattr(typesetting, "_template", lambda: template)
    paper = render(post(1, "One caf\xe9."), post(2, "Two \xfe here."), post(3, "Three."))
    assert paper.plain == ("ABC/1/2",)
    shown = texts(paper, tmp_path)
    assert "One caf\xe9." in shown
    assert "TwoU+00FEhere." in without_spaces(shown)


# Pictures, more of which are in `test_paper_pictures`


def shown_with(body: bytes, **changes: object) -> PaperFile:
    medium = Medium(**{"media_type": "photo", "mime_type": "image/png", "path": "data/media/a", **changes})
    shown = post(1, "A picture.", media=(medium,))
    [one] = render_paper(production(records=1), [shown], lambda _: body, fonts())
    return one


def pictures_in(paper: PaperFile) -> int:
    return sum(len(page.images) for page in PdfReader(io.BytesIO(paper.data)).pages)


def test_a_picture_is_in_the_file() -> None:
    paper = shown_with(png_picture("a"))
    assert pictures_in(paper) == 1
    assert paper.broken == ()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"MZ" + bytes(50), b"\xff\xd8\xff", b"\xff\xd8\xff\xe0" + bytes(900), b"GIF89a",
        b"RIFF1234WEBPVP8 ",
        png_picture("a")[:-200], b"\x89PNG\r\n\x1a\n" + bytes(8) + b"\x7f\xff\xff\xff" * 2,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)  # fmt: skip
def test_a_broken_picture_is_named_and_breaks_nothing(body: bytes, tmp_path: Path) -> None:
    paper = shown_with(body)
    assert pictures_in(paper) == 0
    assert [path for path, _ in paper.broken] == ["data/media/a"]
    assert paper.broken[0][1] in " ".join(texts(paper, tmp_path).split())


def test_a_video_is_not_read() -> None:
    def refuse(_: Medium) -> bytes:
        raise AssertionError("it was read")

    video = Medium(media_type="video", mime_type="video/mp4", file_name="clip.mp4", path="data/media/c")
    [paper] = render_paper(production(records=1), [post(1, "V", media=(video,))], refuse, fonts())
    assert paper.broken == ()


def test_a_picture_s_text_is_shortened_beside_it_and_is_in_full_below(tmp_path: Path) -> None:
    alt_text = "A\0 " + "word " * 8000 + "end of it"
    paper = shown_with(png_picture("a"), alt_text=alt_text)
    assert pictures_in(paper) == 1
    shown = texts(paper, tmp_path)
    assert "end of it" in " ".join(shown.split())
    assert "U+0000" in shown


def test_a_file_that_says_it_is_too_large_is_not_read(tmp_path: Path) -> None:
    paper = shown_with(b"", size=1 << 40)
    assert paper.broken == (("data/media/a", "the file is larger than 64 MB"),)


def test_the_same_picture_in_two_records_is_read_once() -> None:
    read: list[Medium] = []

    def count(medium: Medium) -> bytes:
        read.append(medium)
        return png_picture("a")

    medium = Medium(media_type="photo", mime_type="image/png", path="data/media/a")
    shown = [post(number, "A picture.", media=(medium,)) for number in (1, 2)]
    list(render_paper(production(records=2), shown, count, fonts()))
    assert len(read) == 1


# Without what it needs


def test_neither_typst_nor_fonttools_is_loaded_before_a_report_is_made() -> None:
    code = "import sys, archiver.evidence.paper; assert not {'typst', 'fontTools'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_where_typst_is_not_installed_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(ConfigurationError, match="typst is not installed") as raised:
        Fonts([])
    assert raised.value.hint is not None
    assert "archiver[pdf]" in raised.value.hint


def test_what_typst_says_of_a_failure_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "_template", lambda: "#panic(sys.inputs.data)")
    with pytest.raises(typesetting.TypesettingError) as raised:
        render(post(1, "Secret words."))
    assert "Secret" not in f"{raised.value!r} {raised.value.hint} {raised.value.__cause__!r}"


# Volumes


def test_more_records_than_one_file_takes_go_into_volumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper_render, "MOST_RECORDS", 2)
    shown = [post(number, f"Number {number}.") for number in range(1, 6)]
    papers = list(render_paper(production(records=5), shown, read_medium, fonts()))
    assert [one.name for one in papers] == ["report-001.pdf", "report-002.pdf", "report-003.pdf"]
    assert "volume 3 of 3: ABC/1/5 to ABC/1/5" in texts(papers[2], tmp_path)
    assert "Number 4." in texts(papers[1], tmp_path)


def test_a_pack_without_records_has_a_report() -> None:
    [paper] = render_paper(production(records=0), [], read_medium, fonts())
    assert isinstance(production(), Production)
    assert paper.name == "report.pdf"
