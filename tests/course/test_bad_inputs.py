"""Patients, assets, ratings and names: bad arguments end in one sentence, see `sentences`."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from metalearn_course.applications.finance import factors
from metalearn_course.applications.language import names, ngrams
from metalearn_course.applications.medicine import patients, pharmacokinetics
from metalearn_course.applications.recommendation import ratings
from metalearn_course.applications.tables import read_table
from tests.course.sentences import INF, NAN, Bad, cases, check_sentence, with_nan

MONTHS, RETURNS = np.random.default_rng(0).normal(size=(3, 9, 2)), np.zeros((3, 9, 1))
X, Y = np.ones((3, 4, 2)), np.zeros((3, 4, 1))
PARAMETERS, PRIOR = np.zeros((3, 6)), (np.zeros(6), np.eye(6))
NAMES = {"a": {"x", "y"}, "b": {"z"}}
PICTURES = np.zeros((2, 1, names.LENGTH, 1), np.float32)


@cache
def people() -> patients.Patients:
    return patients.simulated_patients(3)


@cache
def rated() -> ratings.Ratings:
    return ratings.simulated_ratings(5, 30)


@cache
def taste() -> ratings.Taste:
    return ratings.learn_taste(rated(), rounds=1)


BAD: Bad = {
    # All families.
    "seed": [
        lambda: people().tasks(2, seed=-1),
        lambda: factors.factor_returns(1.0, seed=-2),
        lambda: rated().places(seed="s"),
        lambda: names.invented_names(1, 2, seed=None),
    ],
    "queries": [lambda: people().tasks(2, queries=1.5)],
    "shots": [lambda: people().tasks(0)],
    # Patients.
    "num_patients": [lambda: patients.simulated_patients(0)],
    "chosen": [
        lambda: people().select(np.ones(4, bool)),
        lambda: people().select(np.array([3])),
        lambda: people().select("all"),
        lambda: people().select(np.array([0.0])),
    ],
    "when": [lambda: people().tasks(2, "late"), lambda: people().tasks(2, 1)],
    "shots + queries": [lambda: people().tasks(20, queries=20)],
    "rate": [lambda: replace(people(), rate=np.zeros(3)), lambda: replace(people(), rate=np.ones(2))],
    "concentration": [lambda: replace(people(), concentration=people().concentration[:, :3])],
    "age": [lambda: replace(people(), age=np.full(3, NAN))],
    "parameters": [
        lambda: pharmacokinetics.log_concentration(np.zeros((3, 5)), X),
        lambda: pharmacokinetics.log_concentration(with_nan(PARAMETERS), X),
    ],
    "x": [
        lambda: pharmacokinetics.log_concentration(PARAMETERS[:2], X),
        lambda: pharmacokinetics.log_concentration(PARAMETERS, X[..., :1]),
        lambda: pharmacokinetics.log_concentration(PARAMETERS, -X),
        lambda: pharmacokinetics.fit_concentrations(None, Y, *PRIOR),
        lambda: factors.exposures(with_nan(MONTHS), RETURNS, np.zeros(2), 1.0),
        lambda: factors.expected_error(np.zeros(3), 1.0, 1.0),
        lambda: factors.measure_spread(MONTHS[:1], RETURNS[:1]),
        lambda: factors.measure_spread(MONTHS[:, :2], RETURNS[:, :2]),
        lambda: names.read_names(np.zeros((2, 5))),
        lambda: names.read_names(2 * np.ones((1, 1, names.LENGTH, 1))),
        lambda: ngrams.bytes_of(PICTURES[0]),
    ],
    "y": [
        lambda: pharmacokinetics.fit_concentrations(X, Y[:2], *PRIOR),
        lambda: pharmacokinetics.learn_prior(X, Y[..., 0]),
        lambda: factors.exposures(MONTHS, RETURNS[:, :3], np.zeros(2), 1.0),
        lambda: factors.measure_spread(MONTHS, np.full_like(RETURNS, INF)),
    ],
    "mean": [
        lambda: pharmacokinetics.fit_concentrations(X, Y, np.zeros((2, 6)), np.eye(6)),
        lambda: pharmacokinetics.fit_concentrations(X, Y, np.full(6, NAN), np.eye(6)),
        lambda: factors.exposures(MONTHS, RETURNS, np.zeros(3), 1.0),
    ],
    "covariance": [
        lambda: pharmacokinetics.fit_concentrations(X, Y, np.zeros(6), np.eye(4)),
        lambda: pharmacokinetics.fit_concentrations(X, Y, np.zeros(6), np.zeros((6, 6))),
    ],
    "noise": [
        lambda: pharmacokinetics.fit_concentrations(X, Y, *PRIOR, noise=0.0),
        lambda: factors.exposures(MONTHS, RETURNS, np.zeros(2), 1.0, noise=-1.0),
        lambda: factors.expected_error(MONTHS, 1.0, 1.0, noise="loud"),
    ],
    "steps": [lambda: pharmacokinetics.fit_concentrations(X, Y, *PRIOR, steps=0)],
    "covariates": [
        lambda: pharmacokinetics.learn_prior(X, Y, np.ones((2, 1))),
        lambda: pharmacokinetics.learn_prior(X, Y, np.full((3, 1), NAN)),
    ],
    "rounds": [lambda: pharmacokinetics.learn_prior(X, Y, rounds=0), lambda: ratings.learn_taste(rated(), rounds=1.0)],
    # Assets.
    "spread": [
        lambda: factors.factor_returns(-1.0),
        lambda: factors.factor_returns("wide"),
        lambda: factors.factor_returns(NAN),
        lambda: factors.exposures(MONTHS, RETURNS, np.zeros(2), -1.0),
        lambda: factors.expected_error(MONTHS, NAN, 1.0),
    ],
    "months": [lambda: factors.factor_returns(1.0, months=0), lambda: factors.industries(1)],
    "assumed": [lambda: factors.expected_error(MONTHS, 1.0, -0.5)],
    "confidence": [
        lambda: factors.measure_spread(MONTHS, RETURNS, confidence=95),
        lambda: factors.measure_spread(MONTHS, RETURNS, confidence=1.0),
    ],
    # Ratings.
    "users": [lambda: ratings.simulated_ratings(users=0), lambda: taste().predict(None, rated())],
    "items": [lambda: ratings.simulated_ratings(items=19)],
    "user": [lambda: replace(rated(), user=rated().user + 1), lambda: replace(rated(), user=rated().user * 1.0)],
    "stars": [lambda: replace(rated(), stars=np.full(len(rated()), NAN))],
    "mask": [lambda: rated().select(np.ones(3, bool)), lambda: rated().select(None)],
    "predictions": [
        lambda: rated().rms_by_user(np.zeros(3)),
        lambda: rated().rms_by_user(np.full(len(rated()), NAN)),
        lambda: rated().rms_by_user(list(rated().stars)),
    ],
    "ratings": [
        lambda: ratings.learn_taste(None),
        lambda: ratings.learn_taste(rated().select(np.zeros(len(rated()), bool))),
        lambda: taste().adapt(ratings.simulated_ratings(5, 40)),
    ],
    "users.mean": [lambda: taste().predict(ratings.Beliefs(np.zeros((4, 1)), np.zeros((4, 1, 1))), rated())],
    "factors": [lambda: ratings.learn_taste(rated(), factors=-1)],
    # Names.
    "kinds": [
        lambda: names.cldr_names("scripts"),
        lambda: names.cldr_names(("colours",)),
        lambda: names.cldr_names(None),
        lambda: names.cldr_names((3,)),
    ],
    "branches": [lambda: names.invented_names(branches=0)],
    "names": [
        lambda: names.invented_names(names=1.5),
        lambda: names.spell_names("åland"),
        lambda: names.spell_names([b"x"]),
        lambda: names.labelled_names(["x"]),
        lambda: names.spell_names(3),
    ],
    "names['a']": [lambda: names.labelled_names({"a": "x"}), lambda: names.labelled_names({"a": None})],
    "fewest": [lambda: names.labelled_names(NAMES, fewest=9), lambda: names.labelled_names(NAMES, fewest=0)],
    "name": [lambda: names.script_of_name(None)],
    "by": [
        lambda: names.grouped_by(names.labelled_names(NAMES, 1), "size"),
        lambda: names.grouped_by(names.labelled_names(NAMES, 1), None),
    ],
    "languages": [lambda: names.grouped_by(NAMES, "script")],
    "buckets": [lambda: ngrams.NGramProfile(0), lambda: ngrams.weighted_profile(-1)],
    "sizes": [lambda: ngrams.NGramProfile(sizes=2)],
    "sizes[1]": [lambda: ngrams.NGramProfile(sizes=(1, 0))],
    "width": [lambda: ngrams.convolution(width=0)],
    "num_outputs": [lambda: ngrams.convolution(num_outputs="many")],
    "package": [lambda: read_table("nope", "Capm"), lambda: read_table(None, "Capm")],
    "item": [
        lambda: replace(rated(), item=-rated().item),
        lambda: replace(rated(), item=rated().item[1:]),
        lambda: read_table("Ecdat", "nope"),
    ],
}


@pytest.mark.parametrize(("name", "call"), cases(BAD))
def test_it_ends_in_one_sentence(name: str, call: Callable[[], object]) -> None:
    check_sentence(name, call)
