"""What exports and the interface of X have in common: how it writes times, escapes texts, names media."""
