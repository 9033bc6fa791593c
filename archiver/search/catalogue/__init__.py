"""The catalogue of a vault: its words, names and segments' keys, kept encrypted for the next search."""

from archiver.search.catalogue.catalogue import Catalogue
from archiver.search.catalogue.names import Names
from archiver.search.catalogue.similarity import Form

__all__ = ["Catalogue", "Form", "Names"]
