"""What the report says of errors and spread: every case, and the case that the demo is."""

from __future__ import annotations

import itertools

import pytest

from gcas_driver.report.verdict import ADVICE, LEAST_NUMBER, verdict, verdicts


def row(error=1.0, error_found=1.0, spread=1.0, spread_found=1.0, doubt=0.01, number=100) -> dict:
    return {"number": number, "chi2": 0.5, "error_variance": error**2, "error_variance_diagnosed": error_found**2,
            "error_variance_diagnosed_error": doubt, "prior_variance": spread**2, "prior_variance_diagnosed": spread_found**2,
            "prior_variance_diagnosed_error": doubt}


@pytest.mark.parametrize("error, spread", list(itertools.product((-1, 0, 1), repeat=2)))
def test_every_case_has_its_advice(error, spread):
    found = {-1: 2.0, 0: 1.0, 1: 0.5}
    text = verdict(row(error_found=found[error], spread_found=found[spread]))
    expected = ADVICE[error, spread].format(error={-1: "2.0", 1: "0.5"}.get(error), spread={-1: "2.0", 1: "0.5"}.get(spread))
    assert text.endswith(expected) and "χ² 0.50" in text


def test_the_demo_is_told_to_change_both_together():
    text = verdict(row(error=2.76, error_found=0.99, spread=0.98, spread_found=0.37))
    assert "Error assumed 2.76 ppm, diagnosed 0.99; spread assumed 0.98 ppm, diagnosed 0.37" in text
    assert "floor by about 0.4, together with λ by about 0.4" in text and "may make the fluxes worse" in text


def test_what_is_within_the_doubt_is_right():
    assert verdict(row(error_found=0.5, doubt=0.4)).endswith(ADVICE[0, 0])
    assert not verdict(row(error_found=0.5, doubt=0.3)).endswith(ADVICE[0, 0])
    assert verdict(row() | {"prior_variance_diagnosed_error": None}).endswith(ADVICE[0, 0])


def test_impossible_variances_and_few_observations_get_no_advice():
    assert "not positive" in verdict(row() | {"prior_variance_diagnosed": -0.1})
    assert verdicts({"product": {"few": row(number=LEAST_NUMBER - 1), "many": row()}}).keys() == {"many"}
    assert verdicts({}) == {}
