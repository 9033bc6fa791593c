"""What residents and public bodies say to the fictional force in direct messages, and its answers."""

PICTURE = "[picture]"  # opens a line that comes with one


def _dialogues(block: str) -> tuple[tuple[str, ...], ...]:
    """Split a block into dialogues, parted by blank lines, and those into lines, each opened by a hyphen."""
    return tuple(
        tuple(" ".join(line.split()) for line in f"\n{dialogue}".split("\n- ")[1:])
        for dialogue in block.strip().split("\n\n")
    )


# The resident speaks first, then in turn.
DIALOGUES = _dialogues("""
- Hello, someone has been trying car doors on {street} {night}. We have it on our doorbell camera.
- Thank you. Please keep the footage and report it on 101; we will link it to log {reference}.
- Done, thanks for the quick answer.

- Is the {road} still closed? I have a hospital appointment at {meeting}.
- It is, because of {cause}. Please allow {number} more minutes through {district}.

- [picture] Flooding on {street} again, the drain is blocked.
- Thank you for the picture. We have told the council and will put out cones.
- They came within the hour, great work!

- I had a call from somebody who said they were from your fraud team and wanted my card number.
- That was a scam, we never ask for it. Please tell your bank now, then call 101 and quote {reference}.
- Bank told. I gave them nothing, but my neighbour may have.
- Please ask your neighbour to call us as well. You did the right thing.

- Could the speed van come to {street}? Cars do {speed} mph past the school.
- We have put it on the list of the {district} team. They were there in spring and will be back.

- Do I need a degree to apply as a {role}?
- No. Recruitment opens on {weekday}. All you need to know is on our website, and you can ask at {place}.

- I want to complain about how I was spoken to on {weekday}.
- We are sorry to hear it. Professional standards will look at it; you'll get a letter with reference
  {reference}.

- I saw your witness appeal. I think I passed {vehicle} near {junction} that day.
- That could help a great deal. An officer will ring you; please send us a number and a good time.
- Any time after {hour} is fine.

- [picture] This notice came through our door in {district}. Is it really from you?
- No, it is not ours, and the number on it is not either. Please don't call it. Noted under {reference}.
""")

GROUP_LINES = (
    "River level in {district} will peak around {hour}.",
    "Two engines are standing by at {street}.",
    "Can police close the {road} at {junction} before {hour}?",
    "Closure in place. Officers stay until the water is down.",
    "Rest centre open at {place}. {number} people so far.",
    "Gritters go out at {hour}, {district} first.",
    "Thank you all. Debrief on {weekday} at {meeting}.",
)
