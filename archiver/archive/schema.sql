-- One segment of an archive. The one definition of its tables; docs/format.md explains it.
-- Times are milliseconds since 1970-01-01 UTC. Ids are the platform's own, as text.
-- `part`, `offset`, `length` say where a record's verbatim bytes lie: in capture_part.body, 0-based.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- How bytes were got: one row for each member of an export, or each page an API answered.
CREATE TABLE capture (
    id            INTEGER PRIMARY KEY,
    source        TEXT NOT NULL,             -- x_export, x_api, comparison, moderation
    route         TEXT NOT NULL,             -- export, api, manual
    platform      TEXT NOT NULL,
    account       TEXT NOT NULL,             -- the archived account's id
    handle        TEXT,                      -- its handle and name as known at capture
    name          TEXT,
    request       TEXT NOT NULL,             -- export file and member; or method, path and query; or the register
    body_kind     TEXT NOT NULL,             -- how to parse it
    layout        TEXT NOT NULL,             -- the format's generation
    fetched_ms    INTEGER NOT NULL,          -- when the platform made it; or answered; or it was entered
    taken_ms      INTEGER NOT NULL,          -- when this program took it
    status        INTEGER,
    headers       TEXT,                      -- JSON, without credentials
    context       TEXT NOT NULL,             -- JSON, what else parsing needs
    body_size     INTEGER,
    body_sha256   TEXT,                      -- of the whole body, as delivered; NULL: not read to its end
    source_sha256 TEXT NOT NULL,             -- of the export file (or files); of an API's walk or of entries made
                                             -- together, a number of their own
    tool          TEXT NOT NULL,
    configuration TEXT NOT NULL              -- SHA-256 of the settings
);

-- The verbatim bytes of the records taken, one after the other.
CREATE TABLE capture_part (
    id      INTEGER PRIMARY KEY,
    capture INTEGER NOT NULL REFERENCES capture (id),
    body    BLOB NOT NULL
);

CREATE TABLE account (
    key         INTEGER PRIMARY KEY,
    platform    TEXT NOT NULL,
    platform_id TEXT NOT NULL,
    aspect      TEXT NOT NULL,
    captured_ms INTEGER NOT NULL,
    handle      TEXT,
    name        TEXT,
    created_ms  INTEGER,
    bio         TEXT,
    website     TEXT,
    location    TEXT,
    facts       TEXT NOT NULL,               -- JSON pairs
    version     INTEGER NOT NULL,
    part        INTEGER NOT NULL,
    offset      INTEGER NOT NULL,
    length      INTEGER NOT NULL
);

-- In order of time posted: a higher key was posted later, or in the same millisecond.
CREATE TABLE post (
    key                 INTEGER PRIMARY KEY,
    platform            TEXT NOT NULL,
    platform_id         TEXT NOT NULL,
    record_id           TEXT,                -- the first version's id, where it is another
    version             INTEGER NOT NULL,    -- how many versions of the record were taken up to this one;
                                             -- negative: one that is not newer than those before it
    account             TEXT NOT NULL,
    author_id           TEXT,
    author_handle       TEXT,
    author_name         TEXT,
    posted_ms           INTEGER NOT NULL,
    kind                TEXT NOT NULL,       -- post, reply, repost, quote
    text                TEXT NOT NULL,
    alt_text            TEXT,                -- of all its media
    truncated           INTEGER NOT NULL,    -- 1: the source itself had only this much
    language            TEXT,
    client              TEXT,
    in_reply_to_id      TEXT,
    in_reply_to_user_id TEXT,
    in_reply_to_handle  TEXT,
    conversation_id     TEXT,
    repost_of_id        TEXT,
    repost_of_handle    TEXT,
    quote_of_id         TEXT,
    edit_ids            TEXT,                -- JSON, where edited
    like_count          INTEGER,
    repost_count        INTEGER,
    audience            TEXT,                -- NULL: everyone
    part                INTEGER NOT NULL,
    offset              INTEGER NOT NULL,
    length              INTEGER NOT NULL
);

CREATE TABLE hashtag (
    post     INTEGER NOT NULL REFERENCES post (key),
    position INTEGER NOT NULL,
    tag      TEXT NOT NULL,
    PRIMARY KEY (post, position)
) WITHOUT ROWID;

CREATE TABLE mention (
    post     INTEGER NOT NULL REFERENCES post (key),
    position INTEGER NOT NULL,
    user_id  TEXT,
    handle   TEXT NOT NULL,
    name     TEXT,
    PRIMARY KEY (post, position)
) WITHOUT ROWID;

-- record_table: post or message.
CREATE TABLE link (
    record_table TEXT NOT NULL,
    record_key   INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    short        TEXT NOT NULL,
    expanded     TEXT,
    display      TEXT,
    PRIMARY KEY (record_table, record_key, position)
) WITHOUT ROWID;

CREATE TABLE message (
    key             INTEGER PRIMARY KEY,
    platform        TEXT NOT NULL,
    platform_id     TEXT NOT NULL,
    version         INTEGER NOT NULL,
    account         TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    posted_ms       INTEGER NOT NULL,
    kind            TEXT NOT NULL,           -- message, join, participants_join, participants_leave, name_update
    sender_id       TEXT,
    recipient_id    TEXT,
    text            TEXT NOT NULL,
    part            INTEGER NOT NULL,
    offset          INTEGER NOT NULL,
    length          INTEGER NOT NULL
);

CREATE TABLE relation (
    key         INTEGER PRIMARY KEY,
    platform    TEXT NOT NULL,
    platform_id TEXT NOT NULL,               -- the other account's, the liked post's, the list's
    version     INTEGER NOT NULL,
    account     TEXT NOT NULL,
    kind        TEXT NOT NULL,               -- follower, following, block, mute, like …
    captured_ms INTEGER NOT NULL,
    created_ms  INTEGER,
    expires_ms  INTEGER,
    url         TEXT,
    text        TEXT,                        -- of a liked post; a person's name, handle and bio; a list's name
    part        INTEGER NOT NULL,
    offset      INTEGER NOT NULL,
    length      INTEGER NOT NULL
);

-- Who a message or a relation names by an id: handle and name as known at capture. record_table: message,
-- relation. role: sender, recipient, participant, other, owner, author.
CREATE TABLE person (
    record_table TEXT NOT NULL,
    record_key   INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    role         TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    handle       TEXT,
    name         TEXT,
    PRIMARY KEY (record_table, record_key, position)
) WITHOUT ROWID;

-- Rows that are no version of their own: the same record, captured another way before; or a post or profile
-- captured for the moderation register alone, around an item that was dealt with (its version is 1).
CREATE TABLE again (
    record_table TEXT NOT NULL,
    record_key   INTEGER NOT NULL,
    PRIMARY KEY (record_table, record_key)
) WITHOUT ROWID;

-- A record found missing: what, when that was noticed, and how it was known.
CREATE TABLE gone (
    key         INTEGER PRIMARY KEY,
    platform    TEXT NOT NULL,
    platform_id TEXT NOT NULL,
    account     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    noticed_ms  INTEGER NOT NULL,
    how         TEXT NOT NULL,
    deleted_ms  INTEGER,
    part        INTEGER NOT NULL,
    offset      INTEGER NOT NULL,
    length      INTEGER NOT NULL
);

-- One entry of the moderation register a row, in the order entered. A record is all entries with its record_id:
-- a decision, and what was added to it. Columns that an entry says nothing of are NULL. Times that it names are
-- in *_ms. Its JSON, of which the row is derived, is at part, offset, length.
CREATE TABLE moderation (
    key                 INTEGER PRIMARY KEY,
    id                  TEXT NOT NULL,
    record_id           TEXT NOT NULL,       -- the id of the record's first entry
    number              INTEGER NOT NULL,    -- its place in the record, from 1
    entry               TEXT NOT NULL,       -- decision, outcome, correction, reversal, appeal
    schema_version      INTEGER NOT NULL,    -- of the entry's JSON
    corrects            TEXT,                -- the id of the entry that it follows
    entry_note          TEXT,                -- why a later entry was made
    cleared             TEXT,                -- JSON, fields that hold no longer
    entered_ms          INTEGER NOT NULL,
    entered_by          TEXT NOT NULL,
    platform            TEXT NOT NULL,
    account             TEXT NOT NULL,       -- the archived account's id: where it was dealt with
    account_handle      TEXT,
    item_type           TEXT,                -- own_post, reply, comment, message, user
    item_id             TEXT,
    item_url            TEXT,
    content             TEXT,                -- captured, given, unseen
    unseen              TEXT,                -- why nobody here has it
    author_id           TEXT,
    author_handle       TEXT,
    author_name         TEXT,
    posted_ms           INTEGER,
    text                TEXT,
    language            TEXT,
    media_sha256        TEXT,                -- JSON list: of what the item shows, and is held
    screenshot_sha256   TEXT,                -- JSON list: of screenshots
    context_sha256      TEXT,                -- JSON list: of the bodies of captures around it
    context_missing     TEXT,                -- JSON list: what of them could not be had
    detected_ms         INTEGER,
    detected_by         TEXT,
    detection           TEXT,                -- staff, rule, public, partner, platform
    house_rule          TEXT,
    house_rule_version  TEXT,
    reason_codes        TEXT,                -- JSON list
    reason_text         TEXT,
    legal_ground        TEXT,
    action              TEXT,                -- none, warned, replied, hidden, removed …
    state               TEXT,                -- planned, done, failed
    way                 TEXT,                -- api: by this program; hand: by a person on the platform
    action_ms           INTEGER,
    action_by           TEXT,
    authorised_by       TEXT,
    until_ms            INTEGER,
    outcome             TEXT,                -- what the platform said, or why it failed
    notified_ms         INTEGER,
    notified_how        TEXT,
    not_notified        TEXT,
    escalated           TEXT,                -- crime, safeguarding, professional_standards, data_breach
    escalated_reference TEXT,
    appeal_received_ms  INTEGER,
    appeal_decided_by   TEXT,
    appeal_decided_ms   INTEGER,
    appeal_outcome      TEXT,                -- upheld, overturned, partly
    exhibit             TEXT,
    "case"              TEXT,
    retention_rule      TEXT,
    hold                TEXT,
    imported            TEXT,                -- JSON: the row of an older log that it was taken from
    part                INTEGER NOT NULL,
    offset              INTEGER NOT NULL,
    length              INTEGER NOT NULL
);

-- Pictures and videos: where each lies, or why it is missing. record_table: post, message, account, moderation.
CREATE TABLE media (
    record_table TEXT NOT NULL,
    record_key   INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    media_id     TEXT,
    media_type   TEXT NOT NULL,
    url          TEXT NOT NULL,
    file_name    TEXT NOT NULL,
    alt_text     TEXT,
    sha256       TEXT,
    size         INTEGER,
    archive      TEXT,                       -- the archive whose pack holds it
    pack         TEXT,                       -- media-NNN.tar.age
    offset       INTEGER,                    -- of its first byte in the pack's tar
    missing      TEXT,                       -- the reason
    PRIMARY KEY (record_table, record_key, position)
) WITHOUT ROWID;

-- What a source should have brought and did not, or brought and was not understood; media apart.
CREATE TABLE problem (
    key           INTEGER PRIMARY KEY,
    source_sha256 TEXT NOT NULL,             -- of the export file (or files)
    source_name   TEXT NOT NULL,
    noticed_ms    INTEGER NOT NULL,
    what          TEXT NOT NULL,             -- the member or the record
    reason        TEXT NOT NULL,             -- broken, missing, count differs, conflict …
    detail        TEXT NOT NULL
);

-- Further captures of the same record, beside the one its own row names (a long post's note).
CREATE TABLE record_capture (
    record_table TEXT NOT NULL,
    record_key   INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    part         INTEGER NOT NULL,
    offset       INTEGER NOT NULL,
    length       INTEGER NOT NULL,
    PRIMARY KEY (record_table, record_key, position)
) WITHOUT ROWID;

-- {tokenizer}: as archiver/archive/tokenizer.py has it.
CREATE VIRTUAL TABLE post_fts USING fts4 (
    content="post", text, alt_text, tokenize={tokenizer}, order=desc);
CREATE VIRTUAL TABLE message_fts USING fts4 (
    content="message", text, tokenize={tokenizer}, order=desc);
CREATE VIRTUAL TABLE relation_fts USING fts4 (
    content="relation", text, tokenize={tokenizer}, order=desc);

-- The vocabulary of the three indexes together, for word forms and suggestions.
CREATE TABLE term (
    term        TEXT PRIMARY KEY,
    stem        TEXT NOT NULL,
    records     INTEGER NOT NULL,
    occurrences INTEGER NOT NULL
) WITHOUT ROWID;

-- Each record's verbatim bytes, as text.
CREATE VIEW post_raw AS
SELECT post.key, post.platform_id,
       CAST(substr(capture_part.body, post.offset + 1, post.length) AS TEXT) AS raw
FROM post JOIN capture_part ON capture_part.id = post.part;

CREATE VIEW message_raw AS
SELECT message.key, message.platform_id,
       CAST(substr(capture_part.body, message.offset + 1, message.length) AS TEXT) AS raw
FROM message JOIN capture_part ON capture_part.id = message.part;

-- Each entry's JSON, as it was entered.
CREATE VIEW moderation_raw AS
SELECT moderation.key, moderation.id, moderation.record_id,
       CAST(substr(capture_part.body, moderation.offset + 1, moderation.length) AS TEXT) AS raw
FROM moderation JOIN capture_part ON capture_part.id = moderation.part;
