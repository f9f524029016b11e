"""The way from photos to two networks, in steps that each keep what they made, so that a broken run goes on.

A first pair of networks learns from what people marked. It fills in directions and the masks of boxed nails, and shows
which places look like nails and are none; the second pair, which ships, learns from all of it.
"""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.random import Generator

from media_worker.training import labelling, learning, photos, synthetic
from media_worker.training.crop_samples import CropSample, absent, negative, patches_of, positive
from media_worker.training.errors import CannotTrain
from media_worker.training.labelling import FalseProposal
from media_worker.training.map_samples import MapSample, window
from media_worker.training.networks import NailCropNetwork, NailMapNetwork
from media_worker.training.photos import Photo
from media_worker.training.sources import Boxed, Drawn, Empty, Masked, Sources, Unlabelled
from media_worker.training.torch_networks import TorchCrops, TorchMap
from media_worker.training.unlabelled import Marked, Marker, read_photos, read_videos
from media_worker.vision.still_finder import StillFinder
from media_worker.vision.still_hands import StillHandFinder

T = TypeVar("T")

CROP_SIZES = (64, 64, 80, 96)
"""Drawn from for each batch: streams use 64, photos 96 too."""

CROP_BATCH, MAP_BATCH = 32, 8

WINDOW = 224

BESIDE, FALSE = 0.1, 0.25
"""Shares of a batch: places beside nails, and places that the first map took for nails or that are finger pads."""

FURTHER_RATE = 0.4
"""Learning rate of a network that goes on, as a share of one that begins."""

DRAWN_SIZE = (352, 352)


@dataclass(frozen=True)
class Steps:
    """How long each network learns."""

    first_crops: int = 800
    first_map: int = 900
    crops: int = 2600
    map: int = 2300
    second_crops: int = 900
    last_crops: int = 1000

    def scaled(self, share: float) -> Steps:
        return Steps(*(max(2, round(share * count)) for count in astuple(self)))


@dataclass(frozen=True)
class Group:
    """Photos of one source, and its share of the samples."""

    photos: list[Photo]
    weight: float


@dataclass(frozen=True)
class MarkedGroup:
    """Pictures that nobody marked by hand, and the finger pads in them."""

    pictures: list[Marked]
    weight: float


class Training:
    """One run. `report(name, done, total)` is told how far each step is. Raises CannotTrain for unfit data."""

    def __init__(
        self,
        *,
        data: Path,
        work: Path,
        sources: Sources,
        encoder: Path,
        hand_model: Path,
        steps: Steps,
        report: Callable[[str, int, int], None],
    ) -> None:
        self._data, self._work, self._sources, self._steps = data, work, sources, steps
        self._encoder, self._hand_model, self._report = encoder, hand_model, report
        sources.check(data)
        work.mkdir(parents=True, exist_ok=True)
        self._claim_work()

    def _claim_work(self) -> None:
        """What is kept in the work folder holds only for the same sources and steps. Raises CannotTrain."""
        run = json.dumps({"sources": self._sources.model_dump(mode="json"), "steps": asdict(self._steps)}, indent=1)
        path = self._work / "run.json"
        if not path.exists():
            path.write_text(run)
        elif path.read_text() != run:
            raise CannotTrain(
                f"{self._work} is from other sources or another --share; give another --work or delete it"
            )

    # --- what is learned from -----------------------------------------------------------------------------------
    def masked(self) -> list[Group]:
        """Photos whose masks people drew, directed by landmarks where a hand is found."""
        return self._kept("masked", self._read_masked)

    def _read_masked(self) -> list[Group]:
        with closing(StillHandFinder(self._hand_model)) as finder:
            return [Group(self._directed_photos(source, finder), source.weight) for source in self._sources.of(Masked)]

    def _directed_photos(self, source: Masked, finder: StillHandFinder) -> list[Photo]:
        pictures = photos.read_masked(self._data / source.path, skip=source.leave_out)
        for done, photo in enumerate(pictures, 1):
            photo.on_blue_cloth = source.on_blue_cloth
            if source.fingers_up:
                labelling.direct_upwards(photo)
            else:
                labelling.direct_by_landmarks(photo, finder)
            self._report(f"reading {source.path}", done, len(pictures))
        return pictures

    def directed(self) -> list[Group]:
        """The same, with directions that only the first crop network knows."""
        return self._kept("directed", self._direct)

    def _direct(self) -> list[Group]:
        groups, network = self.masked(), TorchCrops(self.first_crops())
        pictures = [photo for group in groups for photo in group.photos]
        for done, photo in enumerate(pictures, 1):
            labelling.direct_by_opinion(photo, network)
            self._report("asking for directions", done, len(pictures))
        return groups

    def boxed(self) -> list[Group]:
        """Photos with boxes, and masks found in them by the first crop network."""
        return self._kept("boxed", self._mark_boxes)

    def _mark_boxes(self) -> list[Group]:
        network = TorchCrops(self.first_crops())
        return [
            Group(labelling.read_boxed(self._data / source.path, network, self._report), source.weight)
            for source in self._sources.of(Boxed)
        ]

    def unlabelled(self) -> list[MarkedGroup]:
        """Photos and videos that the first networks and landmarks marked together."""
        return self._kept("unlabelled", self._mark_unlabelled)

    def _mark_unlabelled(self) -> list[MarkedGroup]:
        finder = StillFinder(TorchMap(self.first_map()), TorchCrops(self.first_crops()))
        groups = []
        with closing(Marker(self._hand_model, finder)) as marker:
            for source in self._sources.of(Unlabelled):
                read = read_photos if source.kind == "photos" else read_videos
                groups.append(MarkedGroup(read(self._data / source.path, marker, self._report), source.weight))
        return groups

    def drawn(self) -> list[Group]:
        return self._kept("drawn", self._draw)

    def _draw(self) -> list[Group]:
        rng = np.random.default_rng(11)
        groups = []
        for source in self._sources.of(Drawn):
            pictures = []
            for index in range(source.pictures):
                kind: synthetic.Kind | None = "palm" if rng.random() < source.palms else None
                pictures.append(_photo_of(synthetic.draw(rng, DRAWN_SIZE, kind=kind), f"drawn_{index}"))
                self._report("drawing hands", index + 1, source.pictures)
            groups.append(Group(pictures, source.weight))
        return groups

    def false_proposals(self) -> list[FalseProposal]:
        """Places that the first map took for nails, and finger pads."""
        return self._kept("false", self._collect_false)

    def _collect_false(self) -> list[FalseProposal]:
        network = TorchMap(self.first_map())
        pictures = [photo for group in self._all() for photo in group.photos]
        found = [pad for group in self.unlabelled() for each in group.pictures for pad in each.pads]
        for done, photo in enumerate(pictures, 1):
            found += labelling.false_proposals(photo, network)
            self._report("collecting false proposals", done, len(pictures))
        return found

    def mistakes(self) -> list[FalseProposal]:
        """Places that are no nails, although the first map and the crop network so far agree that they are."""
        return self._kept("mistakes", lambda: self._collect_mistakes(self.first_map(), self.crops()))

    def last_mistakes(self) -> list[FalseProposal]:
        """The same, of the map that ships and the crop network of the second round."""
        return self._kept("last_mistakes", lambda: self._collect_mistakes(self.map(), self.second_crops()))

    def _collect_mistakes(self, map_network: NailMapNetwork, crop_network: NailCropNetwork) -> list[FalseProposal]:
        propose, judge = TorchMap(map_network), TorchCrops(crop_network)
        pictures = [photo for group in self._all() for photo in group.photos] + self._empty()
        found = []
        for done, photo in enumerate(pictures, 1):
            found += labelling.confirmed(labelling.false_proposals(photo, propose), judge)
            self._report("collecting mistakes", done, len(pictures))
        return found

    def _empty(self) -> list[Photo]:
        paths = [path for source in self._sources.of(Empty) for path in source.pictures(self._data)]
        pictures = [(path.stem, photos.read_rgb(path)) for path in paths]
        return [Photo(name, rgb, np.zeros(rgb.shape[:2], np.int16)) for name, rgb in pictures]

    # --- networks -----------------------------------------------------------------------------------------------
    def first_crops(self) -> NailCropNetwork:
        return self._trained("first_crops", NailCropNetwork, lambda: self._crop_loss(self.masked(), []), seed=0)

    def first_map(self) -> NailMapNetwork:
        return self._trained(
            "first_map", NailMapNetwork, lambda: self._map_loss([*self.directed(), *self.boxed()]), seed=1
        )

    def crops(self) -> NailCropNetwork:
        return self._trained(
            "crops", NailCropNetwork, lambda: self._crop_loss(self._all(), self.false_proposals()), seed=2
        )

    def second_crops(self) -> NailCropNetwork:
        """It goes on from `crops`, and learns most from what both networks took for nails."""
        return self._trained(
            "second_crops",
            NailCropNetwork,
            lambda: self._crop_loss(self._all(), self.false_proposals(), self.mistakes()),
            seed=4,
            start=self.crops(),
        )

    def last_crops(self) -> NailCropNetwork:
        """The crop network that ships: a third round, with the map that it will work with."""
        return self._trained(
            "last_crops",
            NailCropNetwork,
            lambda: self._crop_loss(self._all(), self.false_proposals(), [*self.mistakes(), *self.last_mistakes()]),
            seed=5,
            start=self.second_crops(),
        )

    def map(self) -> NailMapNetwork:
        return self._trained("map", NailMapNetwork, lambda: self._map_loss(self._all()), seed=3)

    def _all(self) -> list[Group]:
        marked = [Group([each.photo for each in group.pictures], group.weight) for group in self.unlabelled()]
        return [*self.directed(), *self.boxed(), *marked, *self.drawn()]

    def _crop_loss(
        self, groups: Sequence[Group], false: Sequence[FalseProposal], mistakes: Sequence[FalseProposal] = ()
    ) -> Any:
        patches = [([p for photo in g.photos for p in patches_of(photo)], g.weight) for g in groups]
        patches = [each for each in patches if each[0]]
        if not patches:
            raise CannotTrain("no nail is marked in any source; masks are PNG files in which nails are above 127")
        # half of what is no nail are mistakes, if there are any
        wrong = [(list(places), 0.5) for places in (false, mistakes) if places]

        def sample(size: int, rng: Generator) -> CropSample | None:
            kind = rng.random()
            if kind < FALSE and wrong:
                proposal = _by_heat(_group_of(wrong, rng), rng)
                return absent(proposal.rgb, proposal.guess, size, rng)
            nails = _group_of(patches, rng)
            patch = nails[rng.integers(len(nails))]
            return (negative if FALSE <= kind < FALSE + BESIDE else positive)(patch, size, rng)

        def loss(network: NailCropNetwork, rng: Generator) -> torch.Tensor:
            size = int(rng.choice(CROP_SIZES))
            samples: list[CropSample] = []
            while len(samples) < CROP_BATCH:
                drawn = sample(size, rng)
                if drawn is not None:
                    samples.append(drawn)
            return learning.crop_loss(network, samples)

        return loss

    def _map_loss(self, groups: Sequence[Group]) -> Any:
        weighted = [(group.photos, group.weight) for group in groups if group.photos]

        def sample(rng: Generator) -> MapSample:
            pictures = _group_of(weighted, rng)
            return window(pictures[rng.integers(len(pictures))], WINDOW, rng)

        def loss(network: NailMapNetwork, rng: Generator) -> torch.Tensor:
            return learning.map_loss(network, [sample(rng) for _ in range(MAP_BATCH)])

        return loss

    # --- keeping what was made ------------------------------------------------------------------------------------
    def _trained(
        self,
        name: str,
        kind: type[learning.N],
        loss: Callable[[], Any],
        *,
        seed: int,
        start: learning.N | None = None,
    ) -> learning.N:
        """The network of that name, trained from `start`, or from ImageNet, unless it is kept."""
        path = self._work / f"{name}.pt"
        torch.manual_seed(seed)  # the decoder's first weights are random, too
        network: Any = kind()
        if path.exists():
            network.load_state_dict(torch.load(path, weights_only=True))
            return network.eval()
        if start is None:
            network.encoder.load_imagenet(self._encoder)
        else:
            network.load_state_dict(start.state_dict())
        network = learning.fit(
            network,
            loss(),
            steps=getattr(self._steps, name),
            seed=seed,
            rate=1.0 if start is None else FURTHER_RATE,
            progress=lambda done, total: self._report(f"training {name}", done, total),
        )
        _write_whole(path, lambda partial: torch.save(network.state_dict(), partial))
        return network

    def _kept(self, name: str, make: Callable[[], T]) -> T:
        path = self._work / f"{name}.pickle"
        if path.exists():
            kept: T = pickle.loads(path.read_bytes())  # our own file, in a folder of the person who trains
            return kept
        made = make()
        _write_whole(path, lambda partial: partial.write_bytes(pickle.dumps(made, protocol=5)))
        return made


def _write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """All of it or nothing, so that a run broken off in the middle leaves no half file behind."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    write(partial)
    partial.replace(path)


def _group_of(groups: Sequence[tuple[list[T], float]], rng: Generator) -> list[T]:
    weights = np.array([weight for _, weight in groups])
    return groups[int(rng.choice(len(groups), p=weights / weights.sum()))][0]


def _by_heat(proposals: Sequence[FalseProposal], rng: Generator) -> FalseProposal:
    heats = np.array([proposal.heat for proposal in proposals])
    return proposals[int(rng.choice(len(proposals), p=heats / heats.sum()))]


def _photo_of(drawn: synthetic.Synthetic, name: str) -> Photo:
    photo = Photo(name, drawn.rgb, drawn.labels.astype(np.int16))
    for nail in drawn.nails:
        along = nail.axis[1] - nail.axis[0]
        length = float(np.hypot(*along))
        if length > 3 and np.count_nonzero(photo.labels == nail.label) >= photos.SPECK:
            photo.nails.append(photos.measured(photo.labels, nail.label, along / length))
    return photo
