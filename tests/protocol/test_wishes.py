"""Designs and nails that are asked for must exist; what was chosen before need not any more."""

from __future__ import annotations

import pytest

from protocol import wishes
from protocol.designs import Finger, Finish
from protocol.errors import UnknownDesign, UnknownNail
from protocol.messages import Config, FingerConfig

NAILS: dict[int | None, int] = {None: 5, 1: 0, 1000: 3}


def nail_count(design_id: int | None) -> int:
    try:
        return NAILS[design_id]
    except KeyError:
        raise UnknownDesign from None


def ask(settings: Config, change: Config) -> Config:
    after = wishes.changed(settings, change)
    wishes.check(change, after, nail_count)
    return after


def ring(**wish: int) -> Config:
    return Config(fingers={Finger.RING: FingerConfig.model_validate(wish)})


def test_only_what_a_change_names_is_changed() -> None:
    settings = Config(design=1, finish=Finish.MATTE, paused=True)
    after = wishes.changed(settings, Config(design=None, compare=0.5))
    assert (after.design, after.finish, after.paused, after.compare) == (None, Finish.MATTE, True, 0.5)
    assert after.model_fields_set == {"design", "finish", "paused", "compare"}


@pytest.mark.parametrize("change", [Config(design=1), ring(nail=4), ring(design=1000, nail=2), ring(design=1)])
def test_what_exists_may_be_worn(change: Config) -> None:
    ask(Config(), change)


@pytest.mark.parametrize("change", [Config(design=2), ring(design=2), ring(design=2, nail=0)])
def test_unknown_designs_are_refused(change: Config) -> None:
    with pytest.raises(UnknownDesign):
        ask(Config(), change)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (ring(nail=5), "fingers.ring.nail: 5; the design's nails are 0 to 4"),
        (ring(design=1000, nail=3), "the design's nails are 0 to 2"),
        (ring(design=1, nail=0), "was not taken from a picture"),
    ],
)
def test_unknown_nails_are_refused_with_those_there_are(change: Config, told: str) -> None:
    with pytest.raises(UnknownNail, match=told):
        ask(Config(), change)


def test_a_nail_is_one_of_the_design_that_is_worn_now() -> None:
    with pytest.raises(UnknownNail):
        ask(Config(design=1), ring(nail=0))
    with pytest.raises(UnknownNail):
        ask(Config(), ring(nail=4).model_copy(update={"design": 1000}))


def test_earlier_choices_are_not_looked_at_again() -> None:
    earlier = Config(design=2, fingers={Finger.RING: FingerConfig(nail=4)})
    assert ask(earlier, Config(design=1)).fingers == earlier.fingers
    assert ask(earlier, Config(compare=0.5)).design == 2
