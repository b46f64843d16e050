import pytest

from causalablate.errors import OutcomeError
from causalablate.generation import MATCHES, Numeric, normalised
from causalablate.generation.matching import first_number, match_for


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes.", "yes"),
        ("a Red   umbrella!", "red umbrella"),
        ("The two dogs", "2 dogs"),
        ("none", "0"),
        ("eleven", "eleven"),
        ("dont", "don't"),
        ("Couldnt've", "couldn't've"),
        ("couldn'tve", "couldn't've"),
        ("y'alld've", "y'all'd've"),
        ("somebody'd", "somebodyd"),
        ("im", "im"),
        ("lets", "lets"),
        ("black/white", "black white"),  # a mark between letters becomes a space
        ("black / white", "black white"),
        ("t-shirt", "t shirt"),
        ("1,000 t-shirts", "1000 tshirts"),  # where a number has a comma, every mark goes
        ("3.5", "3.5"),
        ("U.S.", "us"),
        ("10.", "10"),
        ("o'clock", "o'clock"),
        (" one\nof\tthem ", "1 of them"),
        ("", ""),
    ],
)
def test_answers_are_normalised_as_the_vqa_evaluation_does(text, expected):
    assert normalised(text) == expected


def test_matches_by_name():
    assert MATCHES["exact"](" Red ", "Red") and not MATCHES["exact"]("red", "Red")
    assert MATCHES["vqa"]("The red.", "Red") and not MATCHES["vqa"]("red one", "red")
    assert MATCHES["numeric"]("There are three.", "3") and not MATCHES["numeric"]("4", "3")
    with pytest.raises(OutcomeError, match="did you mean numeric"):
        match_for("numerc")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("about -2.5 m", -2.5),
        ("1,234.5 of 9", 1234.5),
        ("three dogs", 3),
        ("Ten!", 10),
        ("2e3", 2000),
        (".5", 0.5),
        ("42.", 42),
        ("no number", None),
        ("", None),
    ],
)
def test_the_first_number(text, number):
    assert first_number(text) == number


def test_numbers_agree_within_the_tolerance():
    assert Numeric(relative=0.05)("105", "100") and not Numeric(relative=0.05)("105.1", "100")
    assert Numeric(relative=0.05)("-105", "-100") and not Numeric(relative=0.05)("105", "-100")
    assert Numeric(absolute=0.5)("0.5", "0") and not Numeric(relative=0.5)("0.5", "0")
    assert not Numeric()("many", "3")
    assert Numeric()("The Red.", "red")  # no number in the true answer: as by vqa
    with pytest.raises(OutcomeError, match="at least 0"):
        Numeric(relative=-1)
