"""The fictional accounts of the sample: a force, public bodies, and residents without names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """An account on X: its id, its handle without the @, its display name."""

    user_id: str
    handle: str
    name: str


FORCE = Person("451207733", "SpringfieldPolice", "Springfield Police")
FORMER_HANDLE = "SpringfieldPol"
EMAIL = "communications@springfield-police.invalid"

COUNCIL = Person("203118846", "SpringfieldGov", "Springfield Council")
FIRE = Person("318440275", "SpringfieldFire", "Springfield Fire & Rescue")
ROADS = Person("296617402", "SpringfieldRoads", "Springfield Roads")
WEATHER = Person("377205918", "SpringfieldWthr", "Springfield Weather Desk")
ROVERS = Person("184902337", "SpringfieldRvrs", "Springfield Rovers FC")
HOSPITAL = Person("402556194", "SpringfieldHosp", "Springfield General Hospital")
RAIL = Person("265330871", "SpringfieldRail", "Springfield Rail")
NORTHGATE = Person("1187240916342390784", "SPNorthgate", "Springfield Police Northgate")
RURAL = Person("1203355708117635072", "SPRuralTeam", "Springfield Police Rural Team")
BODIES = (COUNCIL, FIRE, ROADS, WEATHER, ROVERS, HOSPITAL, RAIL, NORTHGATE, RURAL)

RESIDENTS = tuple(
    Person(
        str(700_114_203 + 1_930_277 * number), f"SpringfieldRes{number:02d}", f"Springfield resident {number}"
    )
    for number in range(1, 41)
)

BY_HANDLE = {person.handle: person for person in (FORCE, *BODIES, *RESIDENTS)}
