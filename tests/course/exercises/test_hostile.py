"""Whatever an answer is or does, the check comes back with a sentence."""

import os
import sys
import time

import numpy as np
import pytest

from metalearn_course.exercises.chapters.mathematics import chapter
from metalearn_course.exercises.engine import running


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SECONDS", 0.5)


def kind(value: object) -> str:
    """A name for a case that is the same in every process: an object's own has its address."""
    return type(value).__name__


def said(function) -> str:
    verdict = chapter.update.check(function)
    assert verdict.kind == "wrong" and "could not be checked" not in verdict.text, verdict
    assert verdict._repr_html_().startswith("<div")
    return verdict.text


def test_an_exception_is_named_with_its_line() -> None:
    def update(theta, x, y, alpha):
        return theta @ np.zeros(7)  # the line

    text = said(update)
    assert text.startswith("It raised ValueError: ") and "`return theta @ np.zeros(7)  # the line`" in text
    assert "It was called with `theta = [1, 0]`" in text


def test_system_exit() -> None:
    assert "SystemExit" in said(lambda theta, x, y, alpha: sys.exit(0))


def test_keyboard_interrupt_and_an_exception_without_a_text() -> None:
    class WorstError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def interrupts(theta, x, y, alpha):
        raise KeyboardInterrupt

    def worst(theta, x, y, alpha):
        raise WorstError

    assert "KeyboardInterrupt" in said(interrupts)
    assert "cannot even be shown" in said(worst)


def test_an_endless_loop_ends_and_its_thread_too() -> None:
    stopped = []

    def update(theta, x, y, alpha):
        try:
            while True:
                pass
        finally:
            stopped.append(True)

    assert "does its loop end?" in said(update)
    assert stopped


def test_a_loop_that_catches_everything_is_left_behind() -> None:
    go_on = [True]

    def update(theta, x, y, alpha):
        while go_on:
            try:
                time.sleep(0.001)
            except BaseException:
                continue

    assert "does its loop end?" in said(update)
    go_on.clear()


def test_endless_recursion() -> None:
    def update(theta, x, y, alpha):
        return update(theta, x, y, alpha)

    assert "RecursionError" in said(update)


def test_endless_output(capsys: pytest.CaptureFixture) -> None:
    def update(theta, x, y, alpha):
        while True:
            print("again")

    assert "prints without end" in said(update)
    assert 0 < len(capsys.readouterr().out) <= 1_000


def test_what_the_example_prints_is_shown(capsys: pytest.CaptureFixture) -> None:
    said(lambda theta, x, y, alpha: print("theta is", theta))
    assert capsys.readouterr().out == "theta is [1. 0.]\n"


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (None, "is a `return` missing"),
        (np.array([np.nan, 1.0]), "NaN"),
        (np.zeros(3), "The shape is (3,), expected (2,)"),
        (np.zeros((2, 1)), "The shape is (2, 1), expected (2,)"),
        (1.0, "The shape is (), expected (2,)"),
        ([[1.0], [1.0, 2.0]], "The shape is"),
        ("text", "Not every entry of the result is a number"),
        ([None, 1.0], "Not every entry of the result is a number"),
        ({}, "it is a dict"),
        (object(), "it is a object"),
        (1j, "it is a complex"),
        (np.zeros(200_000), "it has 200000 numbers"),
        (np.array([7.0, 8.0]), "Not yet."),
    ],
    ids=kind,
)
def test_a_result_that_is_none(result: object, sentence: str) -> None:
    assert sentence in said(lambda theta, x, y, alpha: result)


def test_what_is_right_for_the_example_only() -> None:
    assert "Right for the example, but not for other inputs" in said(lambda theta, x, y, alpha: [1.6, 1.4])


def test_a_changed_argument() -> None:
    def update(theta, x, y, alpha):
        r = theta[0] + theta[1] * x - y
        theta -= alpha * 2 * np.array([r.mean(), (r * x).mean()])
        return theta

    assert "changes its argument `theta` in place" in said(update)


def test_a_constant_is_no_blank() -> None:
    for constant in (lambda *arguments: True, lambda *arguments: 0.0, lambda *arguments: "text"):
        said(constant)


def test_the_wrong_arguments() -> None:
    assert "It has to take the arguments `(theta, x, y, alpha)`" in said(lambda theta: theta)


@pytest.mark.parametrize("answer", [3, "text", [1, 2], np.zeros(2), {"a": 1}, object()], ids=kind)
def test_no_function(answer: object) -> None:
    assert "expected the function `update`" in chapter.update.check(answer).text


@pytest.mark.parametrize("name", ["allclose", "array_equal", "abs"])
def test_a_replaced_comparison_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, name, getattr(np, name))

    def update(theta, x, y, alpha):
        setattr(np, name, lambda *arguments, **options: True)
        return theta

    assert f"numpy.{name} is not NumPy's own any more" in said(update)
    monkeypatch.undo()
    assert "NumPy's own" not in said(lambda theta, x, y, alpha: theta)


class _Evil:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name: str) -> object:
        raise SystemExit

    def __repr__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize(
    "answer", [chapter.update, np, object(), {1}, lambda: 1, np.array(["a"]), [1, [2]], 1e999, float("nan"), b"x"]
)
def test_any_answer_to_a_question_gets_a_verdict(answer: object) -> None:
    for question in (chapter.one_update, chapter.two_curvatures, chapter.two_tapes):
        verdict = question.check(answer)
        assert verdict.kind == "wrong" and "could not be checked" not in verdict.text, verdict


def test_an_answer_that_fights_back() -> None:
    for question in (chapter.one_update, chapter.update, chapter.two_curvatures, chapter.two_tapes):
        assert question.check(_Evil()).kind == "wrong"


def test_choices_and_orders_say_what_they_expect() -> None:
    assert "expected one of the letters a, b, c, d" in chapter.two_curvatures.check("e").text
    assert "expected each of the letters a, b, c, d, e once" in chapter.two_tapes.check("abc").text
    assert "Number 1 is right; look at number 2." in chapter.two_tapes.check("ceadb").text


def test_the_process_is_as_before() -> None:
    """Neither the working folder nor the streams of the notebook change."""
    before = os.getcwd(), sys.stdout, sys.stderr
    said(lambda theta, x, y, alpha: print("hello"))
    assert (os.getcwd(), sys.stdout, sys.stderr) == before
