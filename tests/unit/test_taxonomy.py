"""The taxonomy: 27 codes built in, a user's own file, or codes made from labels."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.taxonomy import Shelf, Taxonomy, TaxonomyInvalid, slug


def taxonomy(tmp_path: Path, text: str, encoding: str = "utf-8") -> Taxonomy:
    """A taxonomy from the text of a file."""
    path = tmp_path / "taxonomy.csv"
    path.write_bytes(text.encode(encoding))
    return Taxonomy.from_csv(path)


def test_the_builtin_has_the_27_codes_of_the_marketplace() -> None:
    """Each with labels and themes in English and French."""
    builtin = Taxonomy.builtin()

    assert len(builtin) == len(set(builtin.codes)) == 27
    assert {"10", "1280", "2583", "2905"} <= set(builtin.codes)
    for shelf in builtin:
        assert set(shelf.labels) == set(shelf.themes) == {"en", "fr"}


def test_a_language_is_picked_where_there_is_one() -> None:
    """French where it is asked for, English by default and for what the taxonomy does not speak."""
    builtin = Taxonomy.builtin()

    assert builtin.category("40").label == "video games"
    assert builtin.category("40", "fr").label == "jeux vidéo"
    assert builtin.category("40", "eo").label in ("video games", "jeux vidéo")


def test_a_code_is_found_by_itself_and_by_any_label() -> None:
    """Data may carry either; what is neither is not guessed at."""
    builtin = Taxonomy.builtin()

    assert [builtin.code_of(text) for text in ("40", "video games", "jeux vidéo", "Video games")] == ["40"] * 3 + [None]
    assert "40" in builtin
    assert "41" not in builtin
    with pytest.raises(KeyError):
        builtin.category("41")


def test_a_users_file_may_be_as_plain_as_code_and_label(tmp_path: Path) -> None:
    """One label column without a language serves every language; order and codes are the file's."""
    own = taxonomy(tmp_path, "label,code\nThé,t\nCafé,c\n")

    assert own.codes == ("t", "c")
    assert own.category("t", "de").label == "Thé"
    assert own.category("t").theme is None


def test_a_file_from_a_spreadsheet_is_read(tmp_path: Path) -> None:
    """A byte-order mark, Windows line ends, quotes, blanks around values and further columns do no harm."""
    own = taxonomy(tmp_path, 'code,label_en,note\r\n t ,"Tea, loose",x\r\nc, Coffee ,\r\n', "utf-8-sig")

    assert [(shelf.code, shelf.labels["en"]) for shelf in own] == [("t", "Tea, loose"), ("c", "Coffee")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no rows"),
        ("code,label\n", "no rows"),
        ("label\nTea\n", "'code'"),
        ("code,name\nt,Tea\n", "'code', 'name'"),
        ("code,label\nt,Tea\n,Coffee\n", "Row 3"),
        ("code,label\nt,Tea\nc,\n", "Row 3"),
        ("code,label\nt,Tea\nc\n", "Row 3"),
        ("code,label\nt,Tea\nt,Other\n", "'t'"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(tmp_path: Path, text: str, told: str) -> None:
    """The row, the column or the code that is wrong is named, and it is wrong usage."""
    with pytest.raises(TaxonomyInvalid, match=re.escape(told)) as caught:
        taxonomy(tmp_path, text)

    assert caught.value.exit_status == 2


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """Missing, a folder, not UTF-8: one clear error each."""
    with pytest.raises(TaxonomyInvalid, match="no taxonomy file"):
        Taxonomy.from_csv(tmp_path / "nowhere.csv")
    with pytest.raises(TaxonomyInvalid, match="Cannot read"):
        Taxonomy.from_csv(tmp_path)
    with pytest.raises(TaxonomyInvalid, match="Cannot read"):
        taxonomy(tmp_path, "code,label\nt,Thé\n", "utf-16")


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("Thé vert", "the-vert"),
        ("  Café / Chocolat ", "cafe-chocolat"),
        ("snake_case _ and-more", "snake-case-and-more"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Tea™ №5", "teatm-no5"),
        ("緑茶", "緑茶"),
        ("!?", ""),
    ],
)
def test_a_slug_is_plain(label: str, code: str) -> None:
    """Lower case, no accents, single hyphens; letters without an ASCII form stay."""
    assert slug(label) == code


@given(st.text())
def test_any_slug_is_in_form_and_stable(label: str) -> None:
    """Lower case, words between single hyphens, and the slug of a slug is itself."""
    made = slug(label)

    assert made == made.lower()
    assert re.fullmatch(r"([^\W_]+(-[^\W_]+)*)?", made)
    assert slug(made) == made


@given(st.lists(st.text(min_size=1, max_size=6)))
def test_labels_make_a_taxonomy_whatever_they_are(labels: list[str]) -> None:
    """Each label has a code of its own, which leads back to it; order and repeats in the data change nothing."""
    made = Taxonomy.from_labels(labels)

    assert len(set(made.codes)) == len(made) == len(set(labels))
    assert all(made.category(made.code_of(label) or "").label for label in labels)
    assert made.sha256 == Taxonomy.from_labels([*reversed(labels), *labels]).sha256


def test_a_code_does_not_depend_on_the_other_labels() -> None:
    """More data with new labels keeps the codes of the old ones, where no two labels look alike."""
    few, more = Taxonomy.from_labels(["Thé", "Café"]), Taxonomy.from_labels(["Biscuit", "Café", "Thé"])

    assert set(few.codes) == {"the", "cafe"} < set(more.codes)


def test_labels_that_look_alike_are_told_apart() -> None:
    """Two labels with one slug get codes that still name each for good."""
    made = Taxonomy.from_labels(["Thé", "The"])

    assert all(re.fullmatch(r"the-[0-9a-f]{8}", code) for code in made.codes)
    assert made.code_of("Thé") != made.code_of("The")


def test_labels_may_have_themes() -> None:
    """A theme goes with its label; a label without one has none."""
    made = Taxonomy.from_labels(["Tea", "Soap"], {"Tea": "Drinks"})

    assert [(made.category(code).label, made.category(code).theme) for code in made.codes] == [
        ("Soap", None),
        ("Tea", "Drinks"),
    ]


@pytest.mark.parametrize(
    "other",
    [
        (Shelf("b", {"": "B"}), Shelf("a", {"": "A"})),
        (Shelf("a", {"": "A"}), Shelf("b", {"": "C"})),
        (Shelf("a", {"": "A"}), Shelf("b", {"en": "B"})),
        (Shelf("a", {"": "A"}), Shelf("b", {"": "B"}, {"": "T"})),
    ],
)
def test_the_hash_names_the_content(other: tuple[Shelf, ...]) -> None:
    """Order, labels, languages and themes all count: a model is bound to one taxonomy."""
    one = Taxonomy((Shelf("a", {"": "A"}), Shelf("b", {"": "B"})))

    assert one.sha256 != Taxonomy(other).sha256
    assert one.sha256 == Taxonomy((Shelf("a", {"": "A"}), Shelf("b", {"": "B"}))).sha256
