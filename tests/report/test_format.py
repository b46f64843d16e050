import math

import pytest

from causalablate.report.format import count, decimals, interval, p_value, percent, plain, signed


@pytest.mark.parametrize(
    ("half_widths", "places"),
    [([3.2], 1), ([0.53], 2), ([0.072], 3), ([42.0], 0), ([450.0], 0), ([1e-9], 5), ([math.nan, 0.0], 2), ([], 2)],
)
def test_decimals_show_two_significant_digits_of_the_uncertainty(half_widths, places):
    assert decimals(half_widths) == places


def test_decimals_follow_the_wider_intervals_so_that_one_precise_row_does_not_lengthen_all():
    assert decimals([0.05] * 5 + [0.0002]) == 3


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(-51.24, 1, "−51.2"), (51.25, 0, "+51"), (0.0, 1, "0.0"), (-0.04, 1, "0.0"), (0.04, 1, "0.0"), (math.nan, 1, "–")],
)
def test_signed(value, places, text):
    assert signed(value, places) == text


def test_plain_has_no_plus_and_no_negative_zero():
    assert [plain(v, 1) for v in (2.0, -2.0, -0.01, math.inf)] == ["2.0", "−2.0", "0.0", "–"]


def test_interval_needs_both_ends():
    assert interval(-54.6, 3.0, 1) == "[−54.6, +3.0]"
    assert interval(math.nan, 3.0, 1) == "–"


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0004, "< 0.001"), (0.0123, "0.012"), (0.0994, "0.099"), (0.25, "0.25"), (1.0, "1.00"), (math.nan, "–")],
)
def test_p_value(p, text):
    assert p_value(p) == text


def test_count_and_percent():
    assert (count(12.0), count(math.nan)) == ("12", "–")
    assert (percent(0.8625), percent(math.nan)) == ("86.2 %", "–")
