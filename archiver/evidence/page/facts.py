"""What the page says of a record in names and values, each value as markup that is safe to write."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from archiver.evidence.model import Capture, Exhibit, Original, Person, ShownLink, ShownVersion
from archiver.evidence.page.html import Html, escaped, joined
from archiver.evidence.page.listing import Fact, label, row
from archiver.evidence.page.moments import moment
from archiver.evidence.page.texts import Texts, file_address, web_address

_KINDS: Final = {
    "quote": "Quoting post",
    "message": "Direct message",
    "account": "Profile",
    "moderation": "Moderation record",
    "photo": "Picture",
    "animated_gif": "Animation",
}
_CHANGED: Final = {"like_count": "likes", "repost_count": "reposts", "platform_id": "id"}
_NOT_PUBLIC: Final = frozenset(
    {"author_id", "in_reply_to_user_id", "conversation_id", "people", "sender_id", "recipient_id", "part",
     "offset", "length", "account", "platform_id", "edit_ids"}
)  # fmt: skip
"""Fields that name people by numbers, or places in the vault."""
NOTHING: Final = Html("nothing")


def kind_in_words(kind: str) -> str:
    """As `Reply` or `Own list member`."""
    words = kind.replace("_", " ")
    return _KINDS.get(kind) or words[:1].upper() + words[1:]


class Facts:
    """Names and values of one page. `public`: without what only a court needs."""

    def __init__(self, texts: Texts, *, public: bool) -> None:
        self._texts, self._public = texts, public
        self._words = texts.words

    # People and addresses

    def person(self, person: Person) -> Html:
        """Name, handle and id, as far as they are known and shown; empty where nothing is."""
        parts = [] if person.name is None else [self._words(person.name)]
        if person.handle is not None:
            parts.append(self.handle(person.handle))
        if person.id is not None and not self._public:
            parts.append(self._id(person.id))
        return joined(parts, " ")

    def handle(self, handle: str) -> Html:
        """With its @, which stands with it whatever its direction."""
        return self._words(handle if handle.startswith(("@", "[")) else f"@{handle}")

    def address(self, address: str) -> Html:
        """A link where it leads to the web, else the text alone."""
        shown = self._words(address)
        target = web_address(address)
        if target is None:
            return shown
        return Html(f'<a href="{escaped(target)}" rel="noreferrer">{shown}</a>')

    def link(self, link: ShownLink) -> Html:
        """As it stood in the text, and where it led."""
        if link.expanded is None:
            return Html(f"{self._words(link.short)} (where it led is not known)")
        if link.expanded == link.short:
            return self.address(link.short)
        return Html(f"{self._words(link.short)} led to {self.address(link.expanded)}")

    def file(self, path: str) -> Html:
        """A link to a file of the pack."""
        return Html(f'<a href="{escaped(file_address(path))}">{self._words(path)}</a>')

    def digest(self, value: str) -> Html:
        return Html(f'<code class="hash">{self._words(value)}</code>')

    def _id(self, number: str) -> Html:
        return Html(f'<span class="quiet">(id {self._words(number)})</span>')

    # A record

    def of_record(self, exhibit: Exhibit) -> Iterator[Fact]:
        """What stays the same in all versions."""
        words = self._words
        yield "Platform", Html("X") if exhibit.platform == "x" else words(exhibit.platform)
        account = [self.handle(exhibit.account_handle)] if exhibit.account_handle is not None else []
        if not self._public or not account:
            account.append(self._id(exhibit.account))
        yield "Archived account", joined(account, " ")
        yield "Record’s id", words(exhibit.id)
        if exhibit.url is not None:
            yield "Address", self.address(exhibit.url)

    def of_version(self, version: ShownVersion) -> Iterator[Fact]:
        """What one version says beside its text."""
        words = self._words
        yield from self._about(version)
        if version.truncated:
            yield "Length", Html("the platform gave only the beginning of the text")
        if version.hashtags:
            yield "Hashtags", joined(words(f"#{tag}") for tag in version.hashtags)
        if version.mentions:
            yield "Mentions", joined(self.person(one) for one in version.mentions)
        for link in version.links:
            yield "Link", self.link(link)
        for person in version.people:
            yield kind_in_words(person.role or "person"), self.person(person)
        if not self._public or version.kind == "account":
            yield from ((name, words(value)) for name, value in version.facts)
        if version.alt_text and not _is_shown(version):
            yield "Descriptions of pictures", words(version.alt_text)
        if version.language is not None:
            yield "Language", words(version.language)
        if version.client is not None:
            yield "Sent with", words(version.client)
        counts = (("likes", version.like_count), ("reposts", version.repost_count))
        said = [f"{count:,} {name}" for name, count in counts if count is not None]
        if said:
            yield "When captured", Html(", ".join(said))

    def _about(self, version: ShownVersion) -> Iterator[Fact]:
        """What it answers, repeats or belongs to."""
        words = self._words
        for name, number, handle in (
            ("In reply to", version.in_reply_to_id, version.in_reply_to_handle),
            ("Repost of", version.repost_of_id, version.repost_of_handle),
            ("Quotes", version.quote_of_id, None),
        ):
            if number is not None or handle is not None:
                what = "a post" if number is None else f"post {words(number)}"
                yield name, Html(what if handle is None else f"{what} by {self.handle(handle)}")
        if version.conversation_id is not None and not self._public:
            yield "Conversation", words(version.conversation_id)

    def changes(self, version: ShownVersion) -> Iterator[Html]:
        """What else changed, a line of a table each: name, before, after."""
        for change in version.changes:
            if self._public and change.name in _NOT_PUBLIC:
                continue
            name = _CHANGED.get(change.name) or change.name.removesuffix("_ms").replace("_", " ")
            is_time = change.name.endswith("_ms")
            yield row(label(name), self._value(change.before, is_time), self._value(change.after, is_time))

    def _value(self, value: Any, is_time: bool) -> Html:
        if value is None or value == "":
            return NOTHING
        if is_time and isinstance(value, int):
            return moment(value).both
        if isinstance(value, list | tuple):
            return joined(self._words(str(one)) for one in value)
        return self._words(str(value))

    # Where it comes from

    def of_place(self, version: ShownVersion) -> Iterator[Fact]:
        """Where its verbatim bytes lie, in the vault and in the pack."""
        yield "Lies in archive", self._words(version.archive)
        if version.manifest_sha256 is not None:
            yield "SHA-256 of the archive’s manifest", self.digest(version.manifest_sha256)
        for original in version.originals:
            yield from self._original(original)
        if not version.originals:
            yield "Verbatim record", Html("not in this pack")

    def _original(self, one: Original) -> Iterator[Fact]:
        yield "Verbatim record", self.file(one.path) if one.path is not None else Html("not in this pack")
        yield "SHA-256 of it", self.digest(one.sha256)
        place = f"{self._words(one.segment)}, part {one.part}, offset {one.offset}, {one.size:,} bytes"
        yield "Its place in the vault", Html(place)

    def of_capture(self, one: Capture) -> Iterator[Fact]:
        """How the platform's bytes were got."""
        words = self._words
        yield "Capture", words(one.name)
        yield "Way", joined([words(one.source), Html(f"route {words(one.route)}")])
        yield "Request", words(one.request)
        yield "Made or answered", moment(one.fetched_ms).both
        yield "Taken by this program", moment(one.taken_ms).both
        account = Html(f"id {words(one.account)}")
        handle = [] if one.handle is None else [self.handle(one.handle)]
        yield "Account asked for", joined([words(one.platform), *handle, account])
        if one.status is not None:
            yield "Status", Html(str(one.status))
        if one.headers is not None:
            yield "Headers", words(one.headers)
        yield "Form", joined([words(one.body_kind), Html(f"layout {words(one.layout)}")])
        yield from self._body(one)
        yield "Program", words(one.tool)
        yield "SHA-256 of the settings", self.digest(one.configuration)
        yield "Kept in archive", words(one.archive)

    def _body(self, one: Capture) -> Iterator[Fact]:
        yield "File", Html("not in this pack") if one.path is None else self.file(one.path)
        if one.not_whole is not None:
            yield "Not whole", self._words(one.not_whole)
        if one.body_size is not None:
            yield "Size of the whole answer", Html(f"{one.body_size:,} bytes")
        if one.body_sha256 is not None:
            yield "SHA-256 of the whole answer", self.digest(one.body_sha256)
        if one.source_sha256 is not None:
            yield "SHA-256 of the source", self.digest(one.source_sha256)


def _is_shown(version: ShownVersion) -> bool:
    """Whether the descriptions of pictures stand with the pictures."""
    return set(_lines([version.alt_text])) <= set(_lines(one.alt_text for one in version.media))


def _lines(texts: Iterable[str | None]) -> Iterator[str]:
    for text in texts:
        yield from (text or "").splitlines()
