"""Searching the vault in place: a query to SQL, every archive to hits."""
