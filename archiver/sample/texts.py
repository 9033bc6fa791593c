"""What the fictional force and its partners write; nobody is named.

`{gap}` is filled by `archiver.sample.gaps.fill`. A blank line parts two texts.
"""


def _texts(block: str) -> tuple[str, ...]:
    """Split a block into its texts, each on one line."""
    return tuple(" ".join(text.split()) for text in block.strip().split("\n\n"))


POSTS = _texts("""
Were you on {street}, {district}, {night}? We are appealing for witnesses to a burglary in which
{stolen} were taken. Call 101 and quote log {reference}.

#Appeal: officers would like to hear from anyone with dashcam footage of {vehicle} on the {road} near
{junction} around {hour} on {weekday}. Reference {reference}.

Witnesses sought after a collision between a cyclist and {vehicle} on {street}. The cyclist's injuries
are not thought to be serious. Quote {reference}.

Do you recognise these tools? We recovered {number} sets in {district} {night} and want to return them.
Bring proof of ownership and quote {reference}.

A window was smashed at a shop on {street} {night}. If you saw or heard anything, however small it
seems, please tell us: log {reference}.

We are investigating a robbery in {district} at about {hour}. Nobody was badly hurt. Anyone who was near
{street} is asked to get in touch, reference {reference}.

Thefts from vans are up in {district}. {number} were broken into on {weekday} and {stolen} taken.
Witnesses, please call 101.

The {road} is closed in both directions at {junction} because of {cause}. Please find another route.
#SpringfieldTraffic

UPDATE: the {road} has reopened after {cause}. Thank you for your patience. #SpringfieldTraffic

Expect delays on the {road} between {junction} and {district} until about {hour}: {cause}.

One lane of {street} is blocked by {cause}. @SpringfieldRoads are on the way. Please drive carefully.

Long tailbacks on the {road} this {weekday}. If you are stuck: nobody was seriously injured and we hope
to open a lane by {hour}.

Speeding in {district}: {number} drivers reported in an hour on {street}, the fastest at {speed} mph in
a {limit} limit. It is not worth it. #SlowDown

Our roads team stopped {vehicle} doing {speed} mph on the {road} {night}. The driver, {age}, will go to
court.

Flooding on {street} and parts of {district}. Do not drive or walk through flood water; 30 cm is enough
to float a car. Follow @SpringfieldWthr & @SpringfieldGov.

River levels are falling in {district} and the flood barriers on {street} come down at {hour}. Thank you
to everyone who helped a neighbour.

High winds are forecast for {weekday}. Secure bins, trampolines and scaffolding, and report fallen trees
that block a road on 101.

Black ice on the {road} near {junction}: {number} minor collisions since {hour}. Slow down and leave
more room.

Going away? Half of the burglary reports we took in {district} this month were through an unlocked door.
Lock up, leave a light on, tell a neighbour.

Burglary advice from our crime prevention team: dark evenings tell a thief who is out. A lamp on a timer
costs less than {number} pounds.

Scam warning: callers pretending to be Springfield Police ask for bank cards 'for an investigation'. We
never do that. Hang up, wait, call 101.

A resident of {district} lost savings to a text saying a parcel could not be delivered. Don't follow the
link; forward it and delete it. #Fraud

Bike owners: free security marking at {place} on {weekday} from {meeting}. {number} bikes were stolen in
{district} last month.

Catalytic converter thefts: park close to a wall, etch the number, report people working under cars at
odd hours. #CrimePrevention

Keyless cars are being taken from drives in {district}. Keep both keys in a metal tin, away from the
front door.

Farmers around {district}: {stolen} went missing {night}. Mark your machinery and join our rural watch.
@SPRuralTeam #RuralCrime

A {age}-year-old from {district} has been charged with {offence} and will appear before magistrates on
{weekday}.

Result: a man, {age}, who admitted {offence} in {district} has been given a community order of {number}
months.

Officers searching an address in {district} under warrant found {stolen} and cash. A {age}-year-old
woman was arrested and released under investigation.

{number} arrests this weekend in {district}, for {offence} among other things. Thank you to residents
who reported what they saw.

A missing teenager from {district} has been found safe. Thank you to all who shared our appeal; it has
been deleted to protect their privacy.

Meet your neighbourhood team at {place} in {district} this {weekday} from {meeting}. Bring questions, or
just say hello.

Coffee with a cop at {place}, {weekday}, {meeting}. You told us parking near schools worries you, so the
roads team will be there too.

Our survey is open: what should we tackle first in {district}? Speeding, litter, burglary or something
else? #YourVoice

Our schools officer spoke to {number} classes in {district} this week about staying safe online.
Brilliant questions!

You said drug dealing around {street} made you feel unsafe. We did {number} patrols, two warrants and
one closure order. #YouSaidWeDid

Meet {dog}. First week on duty, first find: {stolen} hidden in a hedge in {district}. #PoliceDogs

Recruitment opens on {weekday}: could you be our next {role}? No degree needed, full training given.
#JoinUs

We're hiring: {role}, based in {district}, {number} posts. Talk to people who do the job at {place} on
{weekday} at {meeting}.

'The best part is that no two shifts are the same.' Hear from a {role} at our recruitment evening,
{place}, {meeting}. #JoinUs

Match day: Springfield Rovers v {opponent}, kick-off {kickoff}. Expect heavy traffic on the {road} and
busy trains before and after. @SpringfieldRvrs #Football

Fans of both teams behaved well at the football today: two arrests, {number} lost scarves, one lost
child, found within minutes.

Football traffic is clearing; parking on {street} is still suspended until {hour}.

Officers will be on foot around {street} for the street fair on {weekday}. Lost children point: {place}.

Thank you to the shop staff on {street} who kept a lost man of {age} warm until we arrived. You know who
you are.

A big thank-you to the walkers who found a missing pensioner near {district} and stayed with her until
@SpringfieldFire and our officers came.

Commendations today for {number} officers and staff, among them the call handler who talked a parent
through CPR. Proud is the word.

We're sorry for the noise of the drone over {district} {night}: we were looking for a vulnerable person,
now safe. Thank you for bearing with us.
""")

# One a month, January first.
SEASONAL = _texts("""
Frozen windscreen? Clear all of it before you set off. Driving with a porthole cost {number} drivers a
fine in {district} this {weekday}.

Half-term: our cadets are at {place} on {weekday} from {meeting}. Try the kit, sit in the van, ask for a
sticker.

Clocks go forward this weekend. Lighter evenings, but sheds in {district} are still being broken into:
lock them.

Motorcyclists: our free safety ride leaves from {place} at {meeting} on {weekday}. Last year it halved
the collisions on the {road}.

Elections this week: polling stations are open 7am to 10pm. Report intimidation to staff or to us.

Exams are over and beaches are busy. Open water is colder than it looks; never swim alone.

Carnival on {weekday}: {street} is closed from {hour}. Enjoy it, drink water, mind the horses.

Festival season: write your phone number on your children's wristbands. Welfare tent by {place}.

Schools are back. Expect more traffic on {street} at {hour}, and our speed van outside the gates.

Halloween: no sweets please, we're on duty. Posters for those who don't want callers are at {place}.

Bonfire night: fireworks must stop at midnight. Call 101 for misuse, 999 for danger. @SpringfieldFire

Christmas presents on show are an invitation to burglary. Hide the boxes before you recycle them, and
have a safe holiday.
""")

REPLIES = _texts("""
Thank you for letting us know. Please report it on 101 or online so that it gets a reference number.

Sorry to hear that. We have passed this to the neighbourhood team in {district}, who will be in touch.

Officers are aware and on their way. Please stay back from the road.

If it is happening now, please call 999. We don't take reports on here.

Good question! The closure on {street} should be lifted by {hour}.

We can't discuss a case on social media, but you can speak to the officer: quote log {reference}.

That's kind of you, we'll pass it on to the crew.

Parking on {street} is for the council, @SpringfieldGov can help.

Yes, the recruitment evening is open to everyone. It starts at {meeting} at {place}.

Could you send us a direct message with the registration and the time? Thank you.

The helicopter was looking for a missing person in {district}, who has been found safe.

We have removed your reply from view because it named a person in a live case. Please don't speculate.

Speeding on {street} is on our list: the camera van was there on {weekday} and will be back.

Found property can be handed in at the front desk, Monday to Friday, 9am to 5pm.

No, that message is a scam. Don't click the link, and tell your bank if you did.
""")

REPOSTED = {
    "SpringfieldGov": _texts("""
Bin collections in {district} move to {weekday} because of the weather. Put bins out by {hour}.

Sandbags can be collected from the depot on {street} from {hour} today. Bring help to lift them, and
check on neighbours who may need some too.
"""),
    "SpringfieldFire": _texts("""
Crews are at {street}, {district}. Keep windows and doors closed because of smoke, and leave the road
free for appliances coming from other stations.

{number} call-outs to bins on fire this week. It ties up an engine that somebody else may need.
"""),
    "SpringfieldRoads": _texts("""
{road}: closed at {junction}, {cause}. Diversion signed through {district}, allow {number} more minutes.

Resurfacing on the {road} starts {weekday}. Night closures from {hour}, buses divert along {street}.
"""),
    "SpringfieldWthr": _texts("""
Flood alert for {district}: river levels high, {street} likely to flood by {hour}. Move cars now, keep
children and pets away from the water and follow the advice of the emergency services.

Yellow warning of snow and ice for {weekday}.
"""),
    "SPNorthgate": _texts("""
On foot patrol on {street} this {weekday}. {number} bikes marked, one very friendly cat.
"""),
    "SPRuralTeam": _texts("""
Hare coursing near {district} {night}: two vehicles seized, {number} people reported.
"""),
    "SpringfieldRvrs": _texts("""
Please use the trains on {weekday}: parking around {street} is closed from {hour}.
"""),
}

QUOTES = _texts("""
Still looking for witnesses to this. Somebody knows.

An update on this: enquiries continue and we have spoken to {number} people.

In case you missed it this {weekday}.

This is now resolved. Thank you to everyone who shared it.

A reminder, since {number} more reports came in {night}.
""")

THREADS = _texts("""
2/2 If you have footage from a doorbell or dashcam, please keep it and tell us on 101, log {reference}.

Update: the road is expected to stay closed until {hour}. We know it is frustrating.

More advice is on our website, and our team is at {place} on {weekday}.

Update at {hour}: all done, and thank you for your patience.
""")

NOTES = _texts("""
We want to explain why officers were in {district} {night}. At about {hour} we were told of a burglary
in progress on {street}. Officers, a dog unit and the drone were sent, and the search went on until the
early hours. A {age}-year-old was arrested nearby and {stolen} were recovered. We know that sirens,
lights and a drone over the roofs are worrying, and that some of you could not get home for a while.
Thank you for your patience, and for the tea. Patrols will stay in the area this week: stop us, ask,
tell us what you saw. The reference is {reference}.

The flooding in {district} this week, and what comes next. {street} remains closed and the {road} is
open in one direction only. Officers have checked {number} addresses and helped @SpringfieldFire with
the boats. Nobody is missing. From {weekday} we will patrol the empty houses day and night, because
burglary after a flood is as old as floods. If you left home, tell us which house is empty on 101. If
you are offered repairs at the door, ask for identification, call the firm, do not pay in advance. A
drop-in is open at {place} from {meeting}.

Speeding on the {road}: you asked, here are the figures. Over {number} days our team measured every
vehicle between {junction} and {district}. Most of you keep to the limit. The fastest did {speed} mph
past a school in a {limit} limit, at {hour} on a {weekday}. Those drivers will be hearing from us. The
council is looking at a crossing on {street}, and volunteers can join the community speed watch:
training is at {place}, takes an evening, and needs nothing but warm clothes.
""")
