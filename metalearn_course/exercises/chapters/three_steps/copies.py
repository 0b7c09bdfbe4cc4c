"""The test that catches a memory whose entries change when somebody goes on learning."""

import numpy as np

from metalearn_course.exercises.engine import Catch


def copies():
    """Copies go in, and copies come out."""
    entries = []

    def store(theta):
        entries.append([np.array(w) for w in theta])

    def recall(i):
        return [np.array(w) for w in entries[i]]

    return store, recall


def as_bytes():
    """It keeps bytes, with the shapes and dtypes, and makes new arrays of them."""
    entries = []

    def store(theta):
        entries.append([(np.asarray(w).tobytes(), np.shape(w), np.asarray(w).dtype) for w in theta])

    def recall(i):
        return [np.frombuffer(kept, dtype).reshape(shape).copy() for kept, shape, dtype in entries[i]]

    return store, recall


def one_long_row():
    """It keeps all weights of an entry in one new array, and cuts a copy of it into pieces."""
    rows, shapes = [], []

    def store(theta):
        rows.append(np.concatenate([np.ravel(w) for w in theta]))
        shapes.append([np.shape(w) for w in theta])

    def recall(i):
        parts = np.split(rows[i].copy(), np.cumsum([int(np.prod(shape)) for shape in shapes[i]])[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes[i], strict=True)]

    return store, recall


def references():
    """It keeps the very list that it is given, and hands it out."""
    entries = []
    return entries.append, entries.__getitem__


def shallow():
    """It keeps a new list, of the same arrays: `list(theta)` copies no array."""
    entries = []

    def store(theta):
        entries.append(list(theta))

    def recall(i):
        return list(entries[i])

    return store, recall


def first_array_copied():
    """It copies the first array of θ only, and keeps the others as they are."""
    entries = []

    def store(theta):
        entries.append([np.array(theta[0]), *theta[1:]])

    def recall(i):
        return [np.array(w) for w in entries[i]]

    return store, recall


def hands_out_its_own():
    """It stores copies, and recall hands these out: a caller that goes on learning from them changes the memory."""
    entries = []

    def store(theta):
        entries.append([np.array(w) for w in theta])

    def recall(i):
        return entries[i]

    return store, recall


def slices():
    """It keeps `w[:]`: of a list that is a copy, of an array a view of the same numbers."""
    entries = []

    def store(theta):
        entries.append([w[:] for w in theta])

    def recall(i):
        return [np.array(w) for w in entries[i]]

    return store, recall


def as_floats():
    """It converts whole numbers to floats, which copies them, but keeps an array of floats as it is."""
    entries = []

    def store(theta):
        entries.append([w if np.asarray(w).dtype.kind == "f" else np.array(w, float) for w in theta])

    def recall(i):
        return [np.array(w) for w in entries[i]]

    return store, recall


shares_exercise = Catch(
    "Copies, not references",
    """
    This program means to remember each task's θ. In the end its memory holds the last one, many times over, because
    every entry is the same array, and `-=` changes it in place:

        for x, y in tasks:
            for _ in range(steps):
                theta -= rate * gradient(theta, x, y)
            memory.append(theta)

    Write the test: `shares(new_memory)` is True if what is remembered can change after it was stored, and False if it
    can't. `new_memory()` gives two functions of a new, empty memory: `store(theta)`, with θ a list of arrays as
    `model.get_weights()` gives it, and `recall(i)`, which returns the θ of the i-th entry.
    """,
    right=[copies, as_bytes, one_long_row],
    faulty=[references, shallow, first_array_copied, hands_out_its_own, slices, as_floats],
    hints=(
        "Store a θ of two arrays, change both in place (`w += 1`), and see whether recall still gives the old numbers.",
        "Then change in place what recall gave you, and recall once more.",
    ),
)


def _theta(dtype=float):
    return [np.ones((2, 3), dtype), np.ones(3, dtype)]


def _holding(new_memory, theta):
    """`recall` of a new memory that holds this θ."""
    store, recall = new_memory()
    store(theta)
    return recall


def _moved(recalled) -> bool:
    return any((np.asarray(w) != 1).any() for w in recalled)


@shares_exercise.reference(
    "An array is shared wherever it goes until somebody copies it. So there are two ways to change an entry: "
    "through the θ that was stored, and through the θ that was recalled."
)
def shares(new_memory):
    """Whether an entry changes when the θ that was stored, or one that was recalled, is changed in place."""
    store, recall = new_memory()
    theta = [np.ones((2, 3)), np.ones(3)]
    store(theta)
    for w in [*theta, *recall(0)]:
        w += 1
    return any((w != 1).any() for w in recall(0))


@shares_exercise.mistake(
    "You change only what was stored. A start that was recalled is learned on from, in place: change that as well, and "
    "recall again."
)
def only_what_was_stored(new_memory):
    theta = _theta()
    recall = _holding(new_memory, theta)
    for w in theta:
        w += 1
    return _moved(recall(0))


@shares_exercise.mistake(
    "You change only what was recalled. Learning goes on with the θ that was stored, too: change that after storing it."
)
def only_what_was_recalled(new_memory):
    recall = _holding(new_memory, _theta())
    for w in recall(0):
        w += 1
    return _moved(recall(0))


@shares_exercise.mistake(
    "You put new arrays into the list (`theta[0] = theta[0] + 1`). That leaves the old arrays as they were; the fault "
    "shows when they are changed in place: `theta[0] += 1`, or `theta[0][...] = 0`."
)
def new_arrays_in_the_list(new_memory):
    theta = _theta()
    recall = _holding(new_memory, theta)
    for given in (theta, recall(0)):
        for i in range(2):
            given[i] = given[i] + 1
    return _moved(recall(0))


@shares_exercise.mistake(
    "You ask whether it is the same object (`is`). Two arrays can be different objects on the same numbers, as a view "
    "is: change the numbers, and look."
)
def the_same_object(new_memory):
    theta = _theta()
    recall = _holding(new_memory, theta)
    return any(kept is given for kept, given in zip(recall(0), theta, strict=True))


@shares_exercise.mistake(
    "You change the first array of θ only. A model has many; one that is shared is enough to spoil an entry."
)
def first_array_only(new_memory):
    theta = _theta()
    recall = _holding(new_memory, theta)
    theta[0] += 1
    recall(0)[0][...] += 1
    return _moved(recall(0))


@shares_exercise.mistake(
    "Your θ holds whole numbers. Weights are floats, and a memory that converts to floats copies the one and shares "
    "the other."
)
def whole_numbers(new_memory):
    theta = _theta(int)
    recall = _holding(new_memory, theta)
    for w in [*theta, *recall(0)]:
        w += 1
    return _moved(recall(0))


@shares_exercise.also_right
def with_two_memories(make):
    found = []
    for side in ("stored", "recalled"):
        put, get = make()
        given = [np.arange(4.0), np.zeros((1, 2))]
        before = [w.tolist() for w in given]
        put(given)
        for w in given if side == "stored" else get(0):
            w[...] = 7
        found.append([w.tolist() for w in get(0)] != before)
    return any(found)


@shares_exercise.also_right
def as_a_model_gives_them(new_memory):
    put, get = new_memory()
    theta = [np.ones((2, 2), np.float32), np.zeros(2, np.float32)]
    before = [w.copy() for w in theta]
    put(theta)
    for w in (*theta, *get(0)):
        w -= 3
    return not all(np.array_equal(old, new) for old, new in zip(before, get(0), strict=True))
