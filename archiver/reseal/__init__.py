"""An archive sealed again without some of its records: everything else as it was, and nothing left of
them."""
