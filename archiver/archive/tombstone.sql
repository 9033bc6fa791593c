-- In segments of an archive that replaces another, out of which records were erased: what remains of each. It holds
-- nothing of the record: whoever knows its id can find out that this is it, and nobody else.
CREATE TABLE tombstone (
    key       INTEGER PRIMARY KEY,
    platform  TEXT NOT NULL,
    kind      TEXT NOT NULL,
    salt      BLOB NOT NULL,                 -- 16 random bytes of its own
    hash      BLOB NOT NULL,                 -- SHA-256 of the salt and `platform:kind:id` in UTF-8
    versions  INTEGER NOT NULL,              -- how many rows it had in this segment
    erased_ms INTEGER NOT NULL,
    decision  TEXT NOT NULL,                 -- the id of the entry in the custody register
    replaces  TEXT NOT NULL                  -- the archive that had it
);
