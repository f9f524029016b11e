"""Nails over time. Motion comes from optical flow and is not lagged; where a nail is and what form it has comes from
looking closely now and then, and each look corrects the flow's prediction a little: so a still nail is steady, and a
moving one is where it is seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from media_worker.vision.finder import Guess, gap, on_pad, same_place
from media_worker.vision.flow import Flow
from media_worker.vision.hands import Side
from media_worker.vision.nails import Nail, numbered
from media_worker.vision.pictures import Picture
from media_worker.vision.shapes import NailShape
from protocol.designs import Finger

Name = tuple[Finger, Side]

FADE_IN_MS, FADE_OUT_MS = 120, 90
"""Long enough not to flicker at 30 fps, short enough that no polish hangs in the air."""

SHOW, HIDE = 0.5, 0.35
"""A nail shows from the one confidence on, and no longer below the other."""

SHOW_NAMELESS, HIDE_NAMELESS = 0.9, 0.6
"""The same without a hand behind it: a stream looks at thousands of places, and paint on a cupboard looks silly."""

FLOW_ONLY_MS, FLOW_ONLY_TRUSTING_MS = 260, 500
"""A nail that nobody has looked at closely for so long is not believed any more; the other where cores are short."""

CORRECTION = 0.1
"""Share of a small difference between look and prediction that is taken over. A look's noise σ becomes
σ·√(0.1 / 1.9) = 0.23 σ."""

JUMP = {"centre": 0.08, "along": 0.3, "form": 0.15}
"""In nail lengths: a difference this large is taken over whole, and smaller ones by their square."""

OFF_MEMORY = 0.35
"""Of the centre it is not one look's difference that counts, but its running mean, which takes this share of each look:
noise cancels out there, and what is truly off does not."""

STRAYED = 0.75
"""A look that finds a nail further than this many lengths from the prediction has found another one."""

CONFIRMATIONS = 3
"""Looks that must agree before a nail without a hand is painted: what seems a nail once is often a light."""

REST = 0.03
"""In nail lengths: a nail at rest moves less than this from one frame to the next, and looks find it no further off."""

SETTLED = 6
"""Looks after which a nail's form has come close to what looks see."""

VOTE_DECAY, VOTE_LEAD = 0.85, 1.0
"""A name's votes fade by the one with every hand seen; another name must lead by the other to replace it."""

NAME_REACH = 0.75
"""A landmark guess names the nail it is nearest to, up to this many lengths away."""


@dataclass(eq=False)  # two tracks are the same only if they are one object
class Track:
    """One nail of the stream."""

    shape: NailShape
    confidence: float
    seen_visibility: float
    """As the last look said."""
    looked: float
    """When a look last found it, ms."""
    votes: dict[Name, float] = field(default_factory=dict)
    name: Name | None = None
    looks: int = 1
    """That found it."""
    misses: int = 0
    """Looks in a row that did not."""
    off: complex = 0
    """Running mean of where looks found it, from where it was predicted, in nail lengths."""
    aim: complex | None = None
    """Where a hand says that a lost one is by now."""
    moved: complex = 0
    """By how many pixels since the last frame."""
    lost: bool = False
    """Flow disagrees since the last look: it stays where it was last trusted, and fades."""
    denied: bool = False
    """A hand says that this is the pad of a finger."""
    shown: bool = False
    """Its confidence passed SHOW and has not fallen below HIDE since."""
    visibility: float = 0.0
    number: int = 0
    """Names it; never used twice in a stream."""

    @property
    def guess(self) -> Guess:
        finger, hand = self.name or (None, None)
        middle, along = self.aim or self.shape.centre, self.shape.along
        return Guess(np.array([middle.real, middle.imag]), np.array([along.real, along.imag]), finger, hand)

    @property
    def confirmed(self) -> bool:
        return self.name is not None or self.looks >= CONFIRMATIONS

    @property
    def convincing(self) -> bool:
        """Whether its confidence is enough to show it."""
        show, hide = (SHOW, HIDE) if self.name else (SHOW_NAMELESS, HIDE_NAMELESS)
        return self.confidence >= (hide if self.shown else show)

    @property
    def gone(self) -> bool:
        """Flow lost it, and a look at where it was found nothing: fading there would leave paint in the air."""
        return self.lost and self.misses > 0

    @property
    def at_rest(self) -> bool:
        """Whether it may be looked at less often."""
        return self.looks >= SETTLED and max(abs(self.moved) / self.shape.length, abs(self.off)) < REST

    @property
    def restless(self) -> bool:
        """Whether to look again in the next frame."""
        return not self.denied and (self.lost or self.misses > 0 or not self.confirmed)


class NailFollower:
    """The nails of one stream. For each frame: `move`; `deny`, `rename`, `correct`, `add` as there is work; `fade`."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self.trusting = False
        """Whether flow alone is believed for longer."""
        self._flow = Flow()
        self._pads: list[Guess] = []
        self._numbers = 0

    def restart(self) -> None:
        """Forgets everything."""
        self.tracks, self._pads = [], []
        self._flow.forget()

    def move(self, picture: Picture) -> None:
        """Carries every nail along with the picture."""
        self._flow.show(picture.luma)
        motions = self._flow.motions([track.shape for track in self.tracks], [track.moved for track in self.tracks])
        for track, motion in zip(self.tracks, motions, strict=True):
            if motion is None:
                track.lost, track.moved = True, 0
            elif not track.lost:
                before = track.shape.centre
                track.shape = track.shape.moved(motion)
                track.moved = track.shape.centre - before

    def correct(self, tracks: Sequence[Track], nails: Sequence[Nail | None], now: float) -> None:
        """Takes over what a look at the guesses of `tracks` found."""
        for track, nail in zip(tracks, nails, strict=True):
            if nail is None or gap(Guess.at(nail), track.guess) > STRAYED:
                track.misses += 1
            else:
                _correct(track, nail, now)
        self._merge()

    def add(self, nails: Iterable[Nail | None], now: float, *, shown: bool) -> None:
        """Begins to follow what was found where nothing was followed; `shown` at once, without confirmation."""
        for nail in nails:
            if nail is None or self.denies(Guess.at(nail)):
                continue
            name = (nail.finger, nail.hand) if nail.finger and nail.hand else None
            track = Track(NailShape.of(nail), nail.confidence, nail.visibility, now)
            track.name, track.votes = name, {name: 1.0} if name else {}
            track.shown = track.convincing
            if not track.shown:
                continue
            track.looks = CONFIRMATIONS if shown else 1
            self._numbers += 1
            track.number = self._numbers
            self.tracks.append(track)
        self._merge()

    def rename(self, guesses: Sequence[Guess]) -> list[Guess]:
        """Votes on names by what landmarks expect; returns the guesses that belong to no nail followed."""
        for track in self.tracks:
            track.votes = {name: VOTE_DECAY * votes for name, votes in track.votes.items() if votes > 0.05}
        free, open_guesses = list(self.tracks), list(guesses)
        places = [(track, track.guess) for track in self.tracks]
        pairs = [(gap(guess, place), guess, track) for guess in guesses for track, place in places]
        for distance, guess, track in sorted(pairs, key=lambda pair: pair[0]):
            if distance < NAME_REACH and track in free and any(guess is each for each in open_guesses):
                free.remove(track)
                open_guesses = [each for each in open_guesses if each is not guess]
                if guess.finger and guess.hand:
                    _vote(track, (guess.finger, guess.hand))
        for track in free:
            mine = [each for each in open_guesses if track.lost and (each.finger, each.hand) == track.name]
            if mine:
                open_guesses = [each for each in open_guesses if each is not mine[0]]
                track.aim = complex(*mine[0].centre)
        return open_guesses

    def deny(self, pads: Sequence[Guess]) -> None:
        """Until the next call, nothing on `pads` is believed: what is followed there fades, nothing new is taken up."""
        self._pads = list(pads)
        for track in self.tracks:
            track.denied = self.denies(track.guess)

    def denies(self, place: Guess) -> bool:
        return on_pad(place, self._pads)

    def fade(self, now: float, elapsed: float) -> list[Nail]:
        """Moves visibilities on by `elapsed` ms and forgets what is gone. The nails to paint."""
        since = now - (FLOW_ONLY_TRUSTING_MS if self.trusting else FLOW_ONLY_MS)
        for track in self.tracks:
            low, high = track.visibility - elapsed / FADE_OUT_MS, track.visibility + elapsed / FADE_IN_MS
            track.visibility = float(np.clip(np.clip(_goal(track, since), low, high), 0, 1))
            if track.gone:
                track.visibility = 0.0
        self.tracks = [track for track in self.tracks if track.visibility > 0 or _hopeful(track, since)]
        owners = _owners(self.tracks)
        return numbered(_nail(track, owners) for track in self.tracks if track.visibility > 0)

    def _merge(self) -> None:
        """Two tracks of one nail become one: that which was followed longer."""
        kept: dict[Track, Guess] = {}
        for track in sorted(self.tracks, key=lambda each: (each.misses, -each.looks)):
            place = track.guess
            if not any(same_place(place, other) for other in kept.values()):
                kept[track] = place
        self.tracks = [track for track in self.tracks if track in kept]


def _correct(track: Track, nail: Nail, now: float) -> None:
    seen = NailShape.of(nail)
    length = max(track.shape.length, 1.0)
    difference = (seen.centre - track.shape.centre) / length
    track.off += OFF_MEMORY * (difference - track.off)
    least = 1.0 if track.lost else max(CORRECTION, 1 / (track.looks + 1))
    share = _share(least, abs(track.off) / JUMP["centre"])
    track.moved = seen.centre - track.shape.centre if track.lost else track.moved
    track.shape = track.shape.towards(
        seen,
        centre=share,
        along=_share(least, abs(seen.along - track.shape.along) / length / JUMP["along"]),
        form=_share(least, float(np.abs(seen.radii - track.shape.radii).mean()) / JUMP["form"]),
    )
    track.off *= 1 - share
    track.confidence += 0.5 * (nail.confidence - track.confidence)
    track.seen_visibility = nail.visibility
    track.shown = track.convincing
    track.looked, track.looks, track.misses, track.lost, track.aim = now, track.looks + 1, 0, False, None


def _share(least: float, jumps: float) -> float:
    return min(1.0, max(least, jumps**2))


def _vote(track: Track, name: Name) -> None:
    track.votes[name] = track.votes.get(name, 0.0) + 1
    if track.name is None or track.votes[name] > track.votes.get(track.name, 0.0) + VOTE_LEAD:
        track.name = name


def _owners(tracks: Iterable[Track]) -> dict[Name, Track]:
    """Of several nails with one name, the one with most votes bears it."""
    owners: dict[Name, Track] = {}
    for track in tracks:
        if track.name and track.votes.get(track.name, 0) >= _votes(owners.get(track.name)):
            owners[track.name] = track
    return owners


def _votes(track: Track | None) -> float:
    return track.votes.get(track.name, 0.0) if track and track.name else -math.inf


def _goal(track: Track, since: float) -> float:
    """The visibility that it should have, where a look must have found it `since` then."""
    certain = track.shown and track.confirmed and not track.denied
    believed = certain and not track.lost and track.looked >= since
    return track.seen_visibility * 0.5**track.misses * (track.misses < 2) if believed else 0.0


def _hopeful(track: Track, since: float) -> bool:
    """Whether an invisible nail may show again."""
    return not track.denied and track.misses < 2 and track.looked >= since


def _nail(track: Track, owners: dict[Name, Track]) -> Nail:
    finger, hand = track.name if track.name and owners[track.name] is track else (None, None)
    shape = track.shape
    return Nail(finger, hand, shape.outline(), shape.axis(), track.confidence, track.visibility, track=track.number)
