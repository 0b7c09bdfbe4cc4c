"""What a learner reaches: weights and arrays to leave as they were, and random generators to set back."""

import functools
import inspect
import random
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import CodeType, ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

LIBRARIES = ("keras", "tensorflow", "numpy", "scipy", "matplotlib", "metalearn_lib", "builtins")
MOST_OBJECTS = 10_000
LARGEST_ARRAY = 2**24  # bytes: what is larger is data, and no weights
SEED_STATE = "seed_generator_state"  # the name of the variable of keras.random.SeedGenerator
ONE_AT_A_TIME = threading.RLock()  # what is changed below is of the whole process


@contextmanager
def eagerly() -> Iterator[None]:
    """Functions of TensorFlow run as Python: what is traced inside would be kept, random draws among it."""
    with ONE_AT_A_TIME:
        eager, logger = tf.config.functions_run_eagerly(), tf.get_logger()
        level = logger.level
        logger.setLevel("ERROR")  # vectorized_map warns that it has to trace all the same
        tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            tf.config.run_functions_eagerly(eager)
            logger.setLevel(level)


@contextmanager
def replaced(owner: type, name: str, replacement: Callable) -> Iterator[None]:
    """A method of a class is another one in this thread; other threads keep the original."""
    thread = threading.get_ident()
    with ONE_AT_A_TIME:
        original = getattr(owner, name)

        @functools.wraps(original)
        def method(*arguments: Any, **options: Any) -> Any:
            chosen = replacement if threading.get_ident() == thread else original
            return chosen(*arguments, **options)

        setattr(owner, name, method)
        try:
            yield
        finally:
            setattr(owner, name, original)


class Reach:
    """The variables, arrays, optimisers and random generators that a learner reaches.

    Followed are the closure, the defaults and the global names of a function, the attributes of an object, and what
    lists and dictionaries hold.

    Args:
        things: models, functions, optimisers or objects to start from.
    """

    def __init__(self, *things: Any) -> None:
        self.variables: list[Any] = []
        self.optimizers: list[keras.optimizers.Optimizer] = []
        self._arrays: list[np.ndarray] = []
        self._generators: list[tuple[Any, Any]] = []  # with the state that each was found in
        self._seen: dict[int, Any] = {}
        self._before: dict[int, tuple[Any, np.ndarray]] = {}
        self.add(*things)

    def add(self, *things: Any) -> None:
        """Follow more of them, and keep the values of what is new."""
        waiting = list(things)
        while waiting and len(self._seen) < MOST_OBJECTS:
            thing = waiting.pop()
            if id(thing) not in self._seen:
                self._seen[id(thing)] = thing
                self._keep(thing)
                waiting += _inside(thing)
        for variable in self.variables:
            self._before.setdefault(id(variable), (variable, variable.numpy()))
        for array in self._arrays:
            self._before.setdefault(id(array), (array, array.copy()))

    @property
    def weights(self) -> list[Any]:
        """The trainable variables, none of which is of an optimiser."""
        others = {id(variable) for optimizer in self.optimizers for variable in optimizer.variables}
        return [v for v in self.variables if v.trainable and id(v) not in others and _is_floating(v)]

    def restore(self) -> None:
        """Set variables and arrays back to the values that they had when they were found."""
        for thing, value in self._before.values():
            if isinstance(thing, np.ndarray):
                thing[...] = value
            elif not np.array_equal(thing.numpy(), value):
                thing.assign(value)

    @contextmanager
    def seeded(self) -> Iterator[None]:
        """Every random generator starts from the same state; functions of TensorFlow run eagerly, to draw anew.

        Afterwards all go on from where they were, but those of TensorFlow, whose global state cannot be asked for.
        """
        states = [_state(generator) for generator, _ in self._generators]
        global_states = random.getstate(), np.random.get_state()  # noqa: NPY002 - a visitor may draw from it
        keras.utils.set_random_seed(0)
        if "torch" in sys.modules:
            sys.modules["torch"].manual_seed(0)
        for generator, found in self._generators:
            _set_state(generator, found)
        try:
            with eagerly():
                yield
        finally:
            random.setstate(global_states[0])
            np.random.set_state(global_states[1])  # noqa: NPY002
            for (generator, _), state in zip(self._generators, states, strict=True):
                _set_state(generator, state)

    def _keep(self, thing: Any) -> None:
        if isinstance(thing, keras.Variable | tf.Variable) and SEED_STATE not in thing.name:
            self.variables.append(thing)
        elif isinstance(thing, keras.Variable | np.random.Generator | np.random.RandomState | random.Random):
            self._generators.append((thing, _state(thing)))
        elif isinstance(thing, tf.random.Generator):
            self._generators.append((thing.state, _state(thing.state)))
        elif isinstance(thing, keras.optimizers.Optimizer):
            self.optimizers.append(thing)
        elif isinstance(thing, np.ndarray) and thing.flags.writeable and thing.nbytes <= LARGEST_ARRAY:
            self._arrays.append(thing)


def _is_floating(variable: Any) -> bool:
    return tf.as_dtype(variable.dtype).is_floating


def _inside(thing: Any) -> list[Any]:
    """What is one step further from a thing."""
    if isinstance(thing, ModuleType | type | str | bytes | np.ndarray | keras.Variable | tf.Variable | tf.Tensor):
        return []
    if isinstance(thing, Mapping):
        return list(thing.values())
    if isinstance(thing, list | tuple | set):
        return list(thing)
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if inspect.ismethod(thing):
        return [thing.__self__, thing.__func__]
    if isinstance(thing, keras.random.SeedGenerator):
        return [thing.state]
    if isinstance(thing, keras.optimizers.Optimizer):
        return list(thing.variables)
    if isinstance(thing, keras.layers.Layer):
        return [*thing.variables, getattr(thing, "optimizer", None), *_attributes(thing)]
    if hasattr(thing, "python_function"):  # tf.function
        return [thing.python_function]
    if inspect.isfunction(thing):
        return [] if _of_library(thing) else _of_function(thing)
    return _attributes(thing)


def _of_library(thing: Any) -> bool:
    return (getattr(thing, "__module__", None) or "builtins").split(".")[0] in LIBRARIES


def _attributes(thing: Any) -> list[Any]:
    """Public attributes of an object, and the methods that its class defines, unless that is of a library."""
    if _of_library(type(thing)):
        return []
    methods = [value for value in vars(type(thing)).values() if inspect.isfunction(value)]
    return methods + [value for name, value in getattr(thing, "__dict__", {}).items() if name[0] != "_"]


def _of_function(function: Any) -> list[Any]:
    found = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # it has no value yet
            found.append(cell.cell_contents)
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    return found + [function.__globals__[name] for name in names & function.__globals__.keys()]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of those that are defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    if isinstance(generator, np.random.RandomState):
        return generator.get_state()
    return generator.getstate() if isinstance(generator, random.Random) else generator.numpy()


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    elif isinstance(generator, random.Random):
        generator.setstate(state)
    else:
        generator.assign(state)
