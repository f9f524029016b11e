"""Designs as files: what a shop writes, and what it is told when something is wrong."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path

import pytest

from protocol import designs
from protocol.designs import BadCatalogue, Catalogue, Design, Finger, Finish, Length, Pattern, Shape, load_file
from protocol.errors import UnknownDesign

RUBY = Design(id=1000, name="Ruby", family="House", colours=("#9B111E",))
JADE = Design(id=1001, name="Jade", family="Spring", colours=("#00A86B",))
TOML = """
family = "House"
[[design]]
id = 1000
name = "Ruby"
colours = ["#9B111E"]
[design.fingers.ring]
finish = "glitter"
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    toml = load_file(written(tmp_path / "house.toml", TOML))
    entry = {"id": 1000, "name": "Ruby", "colours": ["#9B111E"], "fingers": {"ring": {"finish": "glitter"}}}
    same = load_file(written(tmp_path / "house.json", json.dumps({"family": "House", "design": [entry]})))
    assert toml == same
    assert toml[0].family == "House" and toml[0].fingers[Finger.RING].finish == "glitter"


def test_a_design_may_name_its_own_family(tmp_path: Path) -> None:
    jade = '[[design]]\nid = 1001\nname = "Jade"\nfamily = "Spring"\ncolours = ["#00A86B"]\n'
    house = load_file(written(tmp_path / "house.toml", TOML + jade))
    assert [design.family for design in house] == ["House", "Spring"] and house[1] == JADE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("#9B111E", "red"), "design 1 (“Ruby”), colours.0: should be a colour like \"#B3001B\", not 'red'"),
        (('name = "Ruby"', ""), "design 1, name: is missing"),
        (('"Ruby"', f'"{"x" * 999}"'), f"design 1 (“{'x' * 60}”), name: String should have at most 60 characters"),
        (("id = 1000", "id = 0"), "id: should be greater than or equal to 1, not 0"),
        (("id = 1000", "nail = 3\nid = 1000"), "nail: is no field of a design"),
        (('finish = "glitter"', 'finish = "glittery"'), "fingers.ring.finish: should be 'cream', 'gloss'"),
        (("design.fingers.ring", "design.fingers.toe"), "fingers.toe: should be 'thumb'"),
        (("[[design]]", "[[designs]]"), "holds no designs"),
        (('"House"', '"House'), "is no valid TOML"),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(BadCatalogue) as error:
        load_file(written(tmp_path / "house.toml", TOML.replace(*change)))
    assert str(error.value).startswith("house.toml") and message in str(error.value)


def test_every_mistake_of_an_entry_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue, match=r"(?s)name: .*colours\.0: "):
        load_file(written(tmp_path / "x.toml", '[[design]]\nid = 1\nfamily = "x"\ncolours = ["red"]'))


@pytest.mark.parametrize("text", ["[]", "3", '{"design": 3}', '{"design": [3]}', "{"])
def test_json_that_holds_no_designs(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadCatalogue, match=r"house\.json"):
        load_file(written(tmp_path / "house.json", text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue, match=r"none\.toml cannot be read: No such file"):
        load_file(tmp_path / "none.toml")
    (tmp_path / "photo.toml").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(BadCatalogue, match=r"photo\.toml is no valid TOML"):
        load_file(tmp_path / "photo.toml")


def test_families_stay_together_when_designs_are_added() -> None:
    more = Catalogue([RUBY, JADE]).plus([RUBY.model_copy(update={"id": 1002, "name": "Garnet"})])
    assert list(more) == [1000, 1002, 1001]
    assert list(more.families()) == ["House", "Spring"]
    assert more.find(1002).name == "Garnet"


def test_an_id_belongs_to_one_design() -> None:
    with pytest.raises(BadCatalogue, match="“Ruby” and “Jade” have the same id, 1000"):
        Catalogue([RUBY]).plus([JADE.model_copy(update={"id": 1000})])


def test_the_example_of_the_readme_loads(tmp_path: Path) -> None:
    readme = (Path(designs.__file__).parent / "README.md").read_text("utf-8")
    example = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)[0]
    cherry, midnight = load_file(written(tmp_path / "house.toml", example))
    assert cherry.family == midnight.family == "House Specials"
    assert cherry.finish == "gloss" and midnight.finish == "cat_eye", "what stands above holds unless it is said again"
    assert set(designs.catalogue().plus([cherry, midnight])) > {1000, 1001}


@pytest.mark.parametrize("choices", [Pattern, Finish, Shape, Length, Finger])
def test_the_readme_names_every_choice(choices: type[StrEnum]) -> None:
    readme = (Path(designs.__file__).parent / "README.md").read_text("utf-8")
    assert [choice for choice in choices if f"`{choice}`" not in readme] == []


def test_adding_changes_no_other_catalogue() -> None:
    before = designs.catalogue()
    after = before.plus([RUBY])
    assert 1000 in after and 1000 not in before
    with pytest.raises(UnknownDesign, match="1000"):
        before.find(1000)
