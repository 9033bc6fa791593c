"""Redaction of evidence packs: what a rule file names is taken out of every text, and whatever still holds it
is withheld whole. The finished pack is searched once more, and refused where anything is left."""

from archiver.evidence.redaction.leaks import LeakFinder
from archiver.evidence.redaction.redactor import Redactor
from archiver.evidence.redaction.rules import Rule, Rules, load_rules, parse_rules

__all__ = ["LeakFinder", "Redactor", "Rule", "Rules", "load_rules", "parse_rules"]
