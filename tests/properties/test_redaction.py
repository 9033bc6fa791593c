"""Whatever an exhibit holds and wherever: what rules name is in none of its fields afterwards, in no writing.

The exhibits are made from the model by looking at its types, so that a field added later is filled, too."""

import html
import json
import types
import typing
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from archiver.errors import ConfigurationError
from archiver.evidence.model import Exhibit
from archiver.evidence.redaction import Redactor, Rules, parse_rules

FILLER = st.text(alphabet=" .,;!?\n()<>", max_size=8)
LETTERS = "qzwkvjxQZWéöñçžÅİßøжщλωابתש王伟한"
MARKS = "\u0301\u0336\u200d\u00ad"
WORDS = st.text(alphabet=LETTERS, min_size=6, max_size=9)
NAMES = st.one_of(WORDS, st.tuples(WORDS, WORDS).map(" ".join))
HANDLES = st.text(alphabet="qzwkvjx_QZW", min_size=6, max_size=12).filter(lambda one: one.strip("_") == one)
IDS = st.integers(100_000_000, 999_999_999).map(str)


class Secrets(typing.NamedTuple):
    name: str
    handle: str
    text: str
    loose: str
    id: str


SECRETS = st.builds(Secrets, NAMES, HANDLES, WORDS, NAMES, IDS)


def rules_of(secrets: Secrets) -> Rules:
    rules = [
        f"name = {json.dumps(secrets.name)}", f"handle = {json.dumps(secrets.handle)}",
        f"text = {json.dumps(secrets.text)}", f"text = {json.dumps(secrets.loose)}\nloose = true",
        f"person = {json.dumps(secrets.id)}",
    ]  # fmt: skip
    document = "".join(f'[[rule]]\nreason = "section 40(2)"\n{one}\n' for one in rules)
    try:
        return parse_rules(document.encode(), Path("rules.toml"))
    except ConfigurationError:
        assume(False)
        raise


def escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def entities(text: str) -> str:
    return "".join(f"&#{ord(one)};" for one in text)


WAYS = (
    str, lambda one: unicodedata.normalize("NFD", one), lambda one: unicodedata.normalize("NFC", one),
    escaped, html.escape, entities, quote, lambda one: quote(unicodedata.normalize("NFD", one)),
    lambda one: escaped(escaped(one)), lambda one: f"https://example.org/{quote(one)}?q=1",
)  # fmt: skip
LOOSE_WAYS = (*WAYS, str.upper, str.lower, str.title, lambda one: one[:2] + MARKS + one[2:])


def texts(secrets: Secrets) -> st.SearchStrategy[str]:
    """Texts with some secrets in them, written in many ways."""
    strict = st.tuples(st.sampled_from([secrets.text, secrets.id]), st.sampled_from(WAYS))
    tolerant = st.sampled_from([secrets.name, secrets.handle, f"@{secrets.handle}", secrets.loose])
    written = st.one_of(strict, st.tuples(tolerant, st.sampled_from(LOOSE_WAYS))).map(
        lambda two: two[1](two[0])
    )
    between = st.one_of(st.just(" "), st.just("\n"), st.just(", "))
    return st.one_of(
        FILLER,
        st.sampled_from([secrets.id, secrets.handle, secrets.name]),
        st.tuples(FILLER, between, written, between, FILLER).map("".join),
    )


def values(hint: Any, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values of a type, found by looking at it."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is str:
        return text
    if hint is int:
        return st.integers(0, 1000)
    if hint is bool:
        return st.booleans()
    if hint is type(None):
        return st.none()
    if hint is Any:
        return st.one_of(st.none(), text, st.integers(0, 1000), st.lists(text, max_size=2))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(values(one, text) for one in arguments))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0], text), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(one, text) for one in arguments))
    if origin is dict:
        return st.dictionaries(*(values(one, text) for one in arguments), max_size=2)
    if isinstance(hint, type) and issubclass(hint, Struct | tuple):
        return st.builds(hint, **{name: values(one, text) for name, one in hints(hint).items()})
    raise AssertionError(f"{hint} is a type that this test cannot fill: teach it")


@cache
def hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@st.composite
def redacted(draw: st.DrawFn) -> tuple[Secrets, Rules, list[Exhibit]]:
    secrets = draw(SECRETS)
    exhibits = draw(st.lists(values(Exhibit, texts(secrets)), min_size=1, max_size=2))
    return secrets, rules_of(secrets), exhibits


def run(rules: Rules, exhibits: list[Exhibit]) -> tuple[Redactor, list[Exhibit]]:
    redactor = Redactor(rules)
    for one in exhibits:
        redactor.learn(one)
    return redactor, [redactor.redact(one) for one in exhibits]


def spellings(secret: str) -> set[bytes]:
    """A secret as it may stand in JSON, found without any of the code that is tested."""
    forms = {unicodedata.normalize(form, one) for form in ("NFC", "NFD")
             for one in (secret, secret.upper(), secret.lower())}  # fmt: skip
    written = {way(one) for one in forms for way in (str, escaped, entities, quote)}
    inside = {escaped(one) for one in written} | {
        json.dumps(one, ensure_ascii=False)[1:-1] for one in written
    }
    return {one.encode() for one in written | inside}


LIMITS = settings(
    max_examples=80,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink hundreds of fields takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(redacted())
@LIMITS
def test_nothing_that_rules_name_is_left_in_any_field(made: tuple[Secrets, Rules, list[Exhibit]]) -> None:
    secrets, rules, exhibits = made
    redactor, found = run(rules, exhibits)
    data = msgspec.json.encode(found)
    for secret in (secrets.name, secrets.handle, secrets.loose, secrets.id):
        assert [
            data[max(0, data.find(one) - 60) : data.find(one) + 60]
            for one in spellings(secret)
            if one in data
        ] == []
    for way in WAYS[:7]:
        assert way(secrets.text).encode() not in data
    assert redactor.find_leaks([("records.jsonl", [data])]) == []


@given(redacted())
@LIMITS
def test_redacted_once_more_nothing_changes(made: tuple[Secrets, Rules, list[Exhibit]]) -> None:
    _, rules, exhibits = made
    redactor, found = run(rules, exhibits)
    assert all(redactor.redact(one) is one for one in found)
    _, again = run(rules, found)
    assert all(new is old for new, old in zip(again, found, strict=True))


@given(SECRETS, st.data())
@LIMITS
def test_what_holds_nothing_of_it_stays_the_same_object(secrets: Secrets, data: st.DataObject) -> None:
    exhibits = data.draw(st.lists(values(Exhibit, FILLER), min_size=1, max_size=2))
    redactor, found = run(rules_of(secrets), exhibits)
    assert all(new is old for new, old in zip(found, exhibits, strict=True))
    assert [rule.number for rule in redactor.unmatched()] == [1, 2, 3, 4, 5]


@given(SECRETS, st.data())
@LIMITS
def test_bytes_that_hold_something_are_withheld_in_whatever_writing(
    secrets: Secrets, data: st.DataObject
) -> None:
    redactor = Redactor(rules_of(secrets))
    secret, ways = data.draw(
        st.sampled_from([(secrets.name, LOOSE_WAYS), (secrets.handle, LOOSE_WAYS), (secrets.text, WAYS)])
    )
    text = f"{data.draw(FILLER)} {data.draw(st.sampled_from(ways))(secret)} {data.draw(FILLER)}"
    encoding = data.draw(st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-16-be"]))
    if encoding in ("utf-16-le", "utf-16-be"):
        text = f"{'plain letters before it ' * 4}{text}"
    assert redactor.withholds(text.encode(encoding, "surrogatepass"))
    assert not redactor.withholds(b'{"text": "nothing of it is here"}')


@given(SECRETS, st.binary(max_size=60), st.integers(1, 40))
@LIMITS
def test_a_leak_is_found_across_the_borders_of_pieces(secrets: Secrets, before: bytes, size: int) -> None:
    redactor = Redactor(rules_of(secrets))
    data = before.hex().encode() + f" {secrets.handle} ".encode()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    found = redactor.find_leaks([("a", pieces), ("b", [b"nothing"])])
    assert ("a", 2) in found  # other rules may be as that one
    assert {path for path, _ in found} == {"a"}
