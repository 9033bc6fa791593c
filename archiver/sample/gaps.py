"""The words that fill the gaps of the sample's texts. Roads, places and numbers are invented."""

import random
import re


def _words(listed: str) -> tuple[str, ...]:
    return tuple(" ".join(word.split()) for word in listed.split("|"))


GAPS = {
    "road": _words("A7032 | A7045 | A7118 | B8810 | B8824 | M97 | Springfield ring road | Harbour Way"),
    "street": _words(
        """
        Mill Lane | Station Road | Old Quay | Beech Avenue | Market Square | Chapel Street | Park Road |
        Canal Walk | Orchard Close | Victoria Terrace | Bridge Street | Foundry Lane
        """
    ),
    "district": _words("Northgate | Westfield | Harbourside | Kingsmead | Old Town | Millbrook | Eastfields"),
    "place": _words(
        """
        the library | the community centre | the leisure centre | the town hall | the farmers' market
        """
    ),
    "weekday": _words("Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday"),
    "hour": _words("6am | 7.30am | 9am | 11.15am | noon | 2pm | 3.45pm | 5pm | 6.30pm | 8pm | 10.20pm"),
    "night": _words("last night | overnight | in the early hours | yesterday evening | this morning"),
    "vehicle": _words(
        """
        a silver van | a white van | a dark hatchback | a red estate car | a grey pickup | a moped
        """
    ),
    "stolen": _words(
        """
        power tools | two bicycles | jewellery | a quad bike | fishing equipment | garden machinery | a
        laptop | catalytic converters | lead from the roof | a trailer | cash and electronics
        """
    ),
    "junction": _words(
        "junction 2 | junction 3 | junction 4 | the Westfield roundabout | the Harbour bridge"
    ),
    "cause": _words(
        """
        a collision | an overturned lorry | a broken-down bus | flooding | a fallen tree | a fuel spill
        | loose cattle | emergency repairs | ice | a burst water main
        """
    ),
    "age": _words("19 | 24 | 27 | 31 | 34 | 38 | 42 | 47 | 53"),
    "number": _words("4 | 6 | 7 | 9 | 11 | 12 | 14 | 17 | 23 | 28 | 36"),
    "speed": _words("47 | 52 | 58 | 64 | 71 | 78 | 93 | 104"),
    "limit": _words("20 | 30 | 40"),
    "reference": _words("112 | 187 | 204 | 256 | 318 | 341 | 409 | 477 | 523 | 598 | 640 | 702"),
    "offence": _words(
        """
        burglary | theft | criminal damage | drink driving | fraud | handling stolen goods | arson
        """
    ),
    "role": _words(
        """
        police constable | special constable | call handler | PCSO | forensic photographer | dog trainer
        """
    ),
    "dog": _words("our newest police dog | one of our retired dogs | a very good trainee dog"),
    "opponent": _words("the visitors | United | Athletic | the league leaders | Town"),
    "kickoff": _words("noon | 12.30pm | 3pm | 5.30pm | 7.45pm"),
    "meeting": _words("9am | 10am | 11.15am | 2pm | 4pm | 6.30pm"),
}

_GAP = re.compile(r"\{(\w+)\}")


def fill(template: str, rng: random.Random) -> str:
    """Fill each gap of a template with one of its words."""
    return _GAP.sub(lambda gap: rng.choice(GAPS[gap.group(1)]), template)
