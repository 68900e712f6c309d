"""Kinds found by name or file, and their parameters checked."""

import pytest

from whiteline import registry
from whiteline.errors import InputError

KNOWN = {"width": 1.0, "count": 3, "name": "x", "anything": None}


@pytest.fixture
def own(tmp_path):
    """Writes a user's file."""

    def write(text):
        path = tmp_path / "mine.py"
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize("family", ["measures", "embeddings", "estimators"])
def test_every_kind_can_be_loaded_and_is_its_file(family):
    for kind in registry.kinds(family):
        assert registry.load(family, kind).__file__ == str(registry.module_path(family, kind))
    assert not {"__init__", "base"} & set(registry.kinds(family))


def test_an_unknown_kind_is_told_the_nearest_or_all():
    with pytest.raises(InputError, match="'cosin' is no kind of measures; did you mean 'cosine'"):
        registry.load("measures", "cosin")
    with pytest.raises(InputError, match="there are classical_mds, isomap, tsne, umap"):
        registry.load("embeddings", "qqq")
    with pytest.raises(InputError, match="no kind of measures"):
        registry.load("measures", "base")


def test_a_file_of_ones_own(own):
    module = registry.load("measures", own("VALUE = 5\nA = B = 1"), "A", "B")
    assert module.VALUE == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A = 1", "lacks 'B', which every one of the measures must offer"),
        ("import nothing_of_this_name", "failed on import: ModuleNotFoundError"),
        ("A = (", "failed on import: SyntaxError"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(text, message, own):
    with pytest.raises(InputError, match=message):
        registry.load("measures", own(text), "A", "B")


def test_a_file_that_is_absent():
    with pytest.raises(InputError, match=r"none.py: no such file"):
        registry.load("measures", "none.py")


def test_defaults_are_those_of_arguments_that_have_one():
    def function(a, b, *, width=1.0, count=3):
        return a, b, width, count

    assert registry.defaults(function) == {"width": 1.0, "count": 3}


def test_parameters_are_filled_in_and_sorted():
    found = registry.checked("mine", KNOWN, {"width": 2, "anything": [1]})
    assert found == {"anything": [1], "count": 3, "name": "x", "width": 2.0}
    assert list(found) == sorted(found)
    assert type(found["width"]) is float


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"with": 1.0}, "no parameter 'with'; it has anything, count, name, width"),
        ({"width": "1"}, "width is '1'; it must be of type float, such as 1.0"),
        ({"width": True}, "must be of type float"),
        ({"count": 3.0}, "must be of type int"),
        ({"count": True}, "must be of type int"),
    ],
)
def test_wrong_parameters_are_refused(given, message):
    with pytest.raises(InputError, match=f"mine: .*{message}"):
        registry.checked("mine", KNOWN, given)
    with pytest.raises(InputError, match="no parameter 'k'; it has none"):
        registry.checked("mine", {}, {"k": 1})
