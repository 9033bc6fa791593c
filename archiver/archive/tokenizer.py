"""How the full-text indexes cut texts into words: SQLite's unicode61, without accents, and with what it takes
for letters only because Unicode 6.1 did not know it yet.

That is every younger emoji: "flood" with one right behind it would be another word than "flood". Segments of
schema 1 to 3 have such words; the catalogue knows them (`archiver.search.catalogue`).
"""

_YOUNGER_SIGNS = (
    range(0x2066, 0x206A),  # turn the direction of writing
    range(0x20BA, 0x20C1),  # currencies
    range(0x23F4, 0x2400), range(0x2700, 0x2701), range(0x2B4D, 0x2B50), range(0x2E3C, 0x2E5E),
    range(0x1F16C, 0x1F170), range(0x1F19B, 0x1F1AE), range(0x1F321, 0x1F330), range(0x1F336, 0x1F337),
    range(0x1F37D, 0x1F380), range(0x1F394, 0x1F3A0), range(0x1F3C5, 0x1F3C6), range(0x1F3CB, 0x1F3E0),
    range(0x1F3F1, 0x1F400), range(0x1F43F, 0x1F440), range(0x1F441, 0x1F442), range(0x1F4F8, 0x1F4F9),
    range(0x1F4FD, 0x1F500), range(0x1F53E, 0x1F540), range(0x1F544, 0x1F550), range(0x1F568, 0x1F5FB),
    range(0x1F641, 0x1F645), range(0x1F650, 0x1F680), range(0x1F6C6, 0x1F700), range(0x1F7D5, 0x1F800),
    range(0x1F900, 0x1FB00),
)  # fmt: skip
"""Signs and pictures of Unicode 7 and later, and places in their blocks that are still free. No letter is
among them, now or ever: these blocks have none."""
SEPARATORS = "".join(chr(code) for block in _YOUNGER_SIGNS for code in block)
"""Given to the tokenizer beyond those that it has. A thousand of them cost an index half a millisecond when
it is first used; all signs since Unicode 6.1 would cost three."""
TOKENIZER = f'unicode61 "remove_diacritics=2" "separators={SEPARATORS}"'
