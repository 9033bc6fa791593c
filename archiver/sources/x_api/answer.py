"""An answer's bytes cut into the objects it holds, each with its place, so that all of it can be kept as it
came and every record says where in it it lies."""

import codecs
import re
from typing import NamedTuple, TypeVar

import msgspec

from archiver.errors import SourceError
from archiver.sources.x.lenient import decode_leniently
from archiver.sources.x_api.shapes import ApiProblem, Meta

S = TypeVar("S", bound=msgspec.Struct)
NOT_THE_SHAPE = (
    "X may have changed its interface: look for a newer version of archiver; nothing is lost, the next run"
    " asks again"
)
_decode_top = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_lists = msgspec.json.Decoder(dict[str, list[msgspec.Raw]]).decode
_decode_error = msgspec.json.Decoder(ApiProblem).decode
_decode_meta = msgspec.json.Decoder(Meta).decode


class Piece(NamedTuple):
    """One object's bytes, and where they begin in the answer."""

    offset: int
    data: bytes


class Answer(NamedTuple):
    """What an answer of 200 holds. `includes` has each kind under its own name."""

    data: list[Piece]
    includes: dict[str, list[Piece]]
    errors: list[tuple[Piece, ApiProblem]]
    meta: Meta
    remarks: list[str]

    @property
    def resources(self) -> int:
        """How many things it returns: what X bills."""
        return len(self.data)

    @property
    def included(self) -> int:
        """How many things it sends along."""
        return sum(map(len, self.includes.values()))


class _Finder:
    """Finds pieces in the order in which they stand."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._position = 0

    def place(self, raw: msgspec.Raw) -> Piece:
        data = bytes(raw)
        start = self._position + 1
        if not self._body.startswith(data, start):  # a comma and no more between two: the usual case
            start = self._body.find(data, self._position)
            if start < 0:  # two sections of one name: the second was decoded and the first found
                start = self._body.find(data)
        self._position = start + len(data)
        return Piece(start, data)


_ESCAPES = re.compile(
    rb"""\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}   # a pair: one character
    | (\\u[dD][89a-fA-F][0-9a-fA-F]{2})                               # half of one
    | \\.                                                             # any other escape""",
    re.VERBOSE | re.DOTALL,
)


def _question_marks(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "?" * (error.end - error.start), error.end


codecs.register_error("archiver.question_marks", _question_marks)


def _mended(body: bytes) -> bytes:
    """The same with each half of a character, and each byte that is no UTF-8, put right, not a byte longer
    or shorter: by this an answer can be cut in which one post has what no text may have."""
    text = body.decode("utf-8", "archiver.question_marks").encode()
    return _ESCAPES.sub(lambda match: rb"\ufffd" if match[1] else match[0], text)


def cut_answer(body: bytes) -> Answer:
    """Cut the body of an answer of 200. Raise SourceError unless it is a JSON object of the known shape."""
    try:
        return _cut(body)
    except SourceError:
        mended = _mended(body)
        if mended == body:
            raise
        answer = _as_it_came(_cut(mended), body)
        if {"?", "\ufffd"} & set(answer.meta.next_token or ""):
            raise SourceError(
                "the answer's meta is not as expected: it names no page", NOT_THE_SHAPE
            ) from None
        return answer


def _as_it_came(answer: Answer, body: bytes) -> Answer:
    """The answer cut by a mended copy, its pieces taken from the body itself."""

    def piece(one: Piece) -> Piece:
        return Piece(one.offset, body[one.offset : one.offset + len(one.data)])

    return answer._replace(
        data=[piece(one) for one in answer.data],
        includes={kind: [piece(one) for one in pieces] for kind, pieces in answer.includes.items()},
        errors=[(piece(one), error) for one, error in answer.errors],
    )


def _cut(body: bytes) -> Answer:
    try:
        top = _decode_top(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"the answer is not the JSON expected: {error}", NOT_THE_SHAPE) from error
    finder = _Finder(body)
    answer = Answer([], {}, [], _meta(top.get("meta")), [])
    for name, raw in top.items():
        try:
            if name == "data":
                answer.data.extend(map(finder.place, _data_objects(raw)))
            elif name == "includes":
                for kind, objects in _decode_lists(raw).items():
                    answer.includes[kind] = [finder.place(one) for one in objects]
            elif name == "errors":
                answer.errors.extend(
                    (piece, _error_of(piece)) for piece in map(finder.place, _decode_list(raw))
                )
            elif name != "meta":
                answer.remarks.append(f"a part {name[:40]!r} that is not known")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise SourceError(f"the answer's {name} is not as expected: {error}", NOT_THE_SHAPE) from error
    return answer


def _data_objects(raw: msgspec.Raw) -> list[msgspec.Raw]:
    """`data` is a list, or one object where one was asked for; X sends null for nothing."""
    first = bytes(raw[:1] if isinstance(raw, bytes) else memoryview(raw)[:1])
    if first == b"{":
        return [raw]
    return [] if bytes(raw) == b"null" else _decode_list(raw)


def _meta(raw: msgspec.Raw | None) -> Meta:
    if raw is None:
        return Meta()
    try:
        return _decode_meta(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        wrong = f"the answer's meta is not as expected: {error}"
    try:  # a count of another type is no reason to leave the records; the next page's name is
        meta, remarks = decode_leniently(bytes(raw), Meta)
    except SourceError as error:
        raise SourceError(wrong, NOT_THE_SHAPE) from error
    if "\ufffd" in (meta.next_token or "") or any("next_token" in remark for remark in remarks):
        raise SourceError(wrong, NOT_THE_SHAPE)
    return meta


def _error_of(piece: Piece) -> ApiProblem:
    try:
        return _decode_error(piece.data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return decode_leniently(piece.data, ApiProblem)[0]


def decode_shape(data: bytes, decode: "msgspec.json.Decoder[S]", kind: type[S]) -> tuple[S, list[str]]:
    """One object as its shape, and what in it was not understood. Raise SourceError where it is none."""
    try:
        return decode.decode(data), []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found, remarks = decode_leniently(data, kind)
        return found, remarks or ["a field of another type than X's documents say"]
