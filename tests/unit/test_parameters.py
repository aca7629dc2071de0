"""Parameters of a training: one file, read strictly."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from model.errors import ParametersInvalid
from model.parameters import TrainOptions, as_toml, nested, parameters
from scripts.train import command


def _file(folder: Path, text: str) -> Path:
    path = folder / "training.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    """Defaults and others, with signs that TOML writes otherwise."""
    name = 'a"b\\c\x7f\n\té💥'
    others = parameters(
        nested({"name": name, "seed": 7, "title_column": "t", "photos": False, "photo_weights": Path("w")})
    )

    for options in (TrainOptions(), others):
        assert options == parameters({}, _file(tmp_path, as_toml(options, "a\nb")))
    assert (name, 7, "t", Path("w")) == (others.name, others.seed, others.columns.title, others.stages.photo_weights)


def test_flat_names_and_places_are_the_same_thing() -> None:
    """What the command line calls an option has one place in the file."""
    options = parameters(nested({"theme_column": "rayon", "encoder": True, "test_share": 0.3}))

    assert options == parameters(nested(options.flat()))


def test_what_is_given_goes_before_the_file(tmp_path: Path) -> None:
    """And the file goes before the defaults."""
    path = _file(tmp_path, "seed = 3\ntest_share = 0.25\n[stages]\nphotos = false\n")

    options = parameters(nested({"seed": 4, "encoder": True}), path)

    assert (4, 0.25, 0.95, False, True) == (
        *(options.seed, options.test_share, options.auto_accept_precision),
        *(options.stages.photos, options.stages.encoder),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nsead = 1\n", "training.toml, line 2: there is no sead; is it seed?"),
        ('seed = "1"\n', "line 1: seed: Input should be a valid integer"),
        ("seed = 1.5\n", "line 1: seed: "),
        ("seed = true\n", "line 1: seed: "),
        ("test_share = 0.7\n", "line 1: test_share: Input should be less than or equal to 0.5"),
        ("test_share = nan\n", "line 1: test_share: "),
        ("[stages]\n# a comment\nphoto = 1\n", "line 3: there is no stages.photo; is it photos?"),
        ("seed = 1\nstages.photos = 1\n", "line 2: stages.photos: "),
        ("[[stages]]\n", "stages: "),
        ("[stage]\nphotos = true\n", "line 1: there is no stage; is it stages?"),
        ("[columns]\ntitle = ''\n", "line 2: columns.title: "),
        ("seed = \n", "is no TOML: Invalid value (at line 1"),
        ("seed = 1\nseed = 2\n", "is no TOML: Cannot overwrite a value (at line 2"),
    ],
)
def test_a_wrong_file_is_refused_by_line_and_key(text: str, message: str, tmp_path: Path) -> None:
    """What nobody reads would be taken for set."""
    with pytest.raises(ParametersInvalid) as refused:
        parameters({}, _file(tmp_path, text))
    assert message in refused.value.message


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """One line each."""
    with pytest.raises(ParametersInvalid) as refused:
        parameters({}, _file(tmp_path, "sead = 1\n[stages]\nencoder = 1\n"))
    assert 2 == len(refused.value.message.splitlines())


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """It is missing, or no text."""
    with pytest.raises(ParametersInvalid, match="No such file"):
        parameters({}, tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    with pytest.raises(ParametersInvalid, match="not UTF-8"):
        parameters({}, tmp_path / "latin.toml")


def test_a_given_one_that_may_not_be_is_refused() -> None:
    """Without a file there is no line to name."""
    with pytest.raises(ParametersInvalid, match=r"^name: "):
        parameters({"name": ""})


def test_the_command_has_the_same_defaults() -> None:
    """The command line and the file say the same of every parameter."""
    flat, options = TrainOptions().flat(), command.make_context("train", ["data.csv"]).params

    assert {"image_column"} == flat.keys() - options.keys()
    assert {name: flat[name] for name in flat if name in options} == {
        name: options[name] for name in flat if name in options
    }


def test_the_command_prints_a_file_of_defaults(tmp_path: Path) -> None:
    """It can be given back as it is."""
    printed = CliRunner().invoke(command, ["--write-config"], catch_exceptions=False).stdout

    assert TrainOptions() == parameters({}, _file(tmp_path, printed))
    assert "\n# Part of the rows that only measures.\ntest_share = 0.2\n" in printed
