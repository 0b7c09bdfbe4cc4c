"""One layer of linear attention as one step of gradient descent, and what softmax cannot count."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Function

layer_exercise = Function(
    "A layer that takes a gradient step",
    r"""
    Tokens are rows $(x, r)$: an input, and one last number. In the context $r_i$ is what is left to explain: at first
    the target $y_i$, later the residual. One gradient step from $w = 0$ on
    $\frac{1}{2n}\sum_i (w \cdot x_i - r_i)^2$ over the context, with rate α, gives $w'$. Write the layer of linear
    attention (no softmax) that does the same to every token: $x$ stays, and $r$ becomes $r - w' \cdot x$.
    """,
    example=(np.array([[3.0, 0.0], [1.0, 1.0]]), np.array([[1.0, 2.0], [2.0, 1.0]]), 0.5),
    draw=lambda rng: (rng.normal(size=(3, 4)), rng.normal(size=(5, 4)), rng.uniform(0.2, 0.8)),
    hints=(
        "The step gives w′ = α/n Σ rᵢ xᵢ. So w′·x is a sum over the context, of x·xᵢ times something.",
        "Queries and keys are the x parts: `tokens[:, :-1] @ context[:, :-1].T`. Values are rᵢ times α/n; subtract.",
    ),
)


@layer_exercise.reference(
    "w′·x = Σ (x·xᵢ) (α/n) rᵢ: queries and keys are inputs, values are residuals. Layers in a row are steps."
)
def layer(tokens, context, alpha):
    """The tokens [m, d + 1] after the layer, which reads the context [n, d + 1]; the last column holds r."""
    similarity = tokens[:, :-1] @ context[:, :-1].T
    read = similarity @ context[:, -1] * alpha / len(context)
    return np.column_stack([tokens[:, :-1], tokens[:, -1] - read])


def _with(tokens, read):
    return np.column_stack([tokens[:, :-1], tokens[:, -1] - read])


@layer_exercise.mistake(
    "You add what is read: then a residual grows with every layer. What is explained has to be subtracted."
)
def added(tokens, context, alpha):
    return _with(tokens, -(tokens[:, :-1] @ context[:, :-1].T) @ context[:, -1] * alpha / len(context))


@layer_exercise.mistake("1/n is missing: the loss is a mean, so the step must not grow with the number of examples.")
def summed(tokens, context, alpha):
    return _with(tokens, tokens[:, :-1] @ context[:, :-1].T @ context[:, -1] * alpha)


@layer_exercise.mistake("You divide by the number of tokens. n counts the examples that are read, the context.")
def counts_the_tokens(tokens, context, alpha):
    return _with(tokens, tokens[:, :-1] @ context[:, :-1].T @ context[:, -1] * alpha / len(tokens))


@layer_exercise.mistake(
    "There is a softmax. It makes all weights positive with the sum one; a gradient step needs x·xᵢ itself, which may "
    "be negative: an example on the other side speaks for the opposite."
)
def with_softmax(tokens, context, alpha):
    weights = np.exp(tokens[:, :-1] @ context[:, :-1].T)
    return _with(tokens, alpha * weights @ context[:, -1] / weights.sum(axis=1))


@layer_exercise.mistake(
    "Your queries and keys are whole tokens, so r enters the similarity. In a gradient step only inputs meet."
)
def whole_tokens(tokens, context, alpha):
    return _with(tokens, tokens @ context.T @ context[:, -1] * alpha / len(context))


@layer_exercise.mistake(
    "The inputs change too: your values are whole tokens. Only r may be touched, or the next layer sees other x."
)
def moves_the_inputs(tokens, context, alpha):
    return tokens - tokens[:, :-1] @ context[:, :-1].T @ context * alpha / len(context)


@layer_exercise.mistake(
    "You replace r by what was read. It has to stay and be reduced: that is the residual connection."
)
def without_residual_connection(tokens, context, alpha):
    return _with(tokens, tokens[:, -1] + tokens[:, :-1] @ context[:, :-1].T @ context[:, -1] * alpha / len(context))


@layer_exercise.mistake(
    "The step is computed from the tokens; the layer reads the *context*, also when the tokens are others."
)
def from_the_tokens(tokens, context, alpha):
    similarity = tokens[:, :-1] @ tokens[:, :-1].T
    read = similarity @ tokens[:, -1] * alpha / len(tokens)
    return np.column_stack([tokens[:, :-1], tokens[:, -1] - read])


@layer_exercise.mistake(
    "That is what was read, w′·x. The layer subtracts it from r: what is *left* to explain goes on."
)
def only_what_is_read(tokens, context, alpha):
    found = layer(tokens, context, alpha)
    return np.column_stack([tokens[:, :-1], tokens[:, -1] - found[:, -1]])


@layer_exercise.also_right
def by_the_step_itself(tokens, context, alpha):
    w = alpha * np.mean([row[-1] * row[:-1] for row in context], axis=0)
    return [[*row[:-1], row[-1] - row[:-1] @ w] for row in tokens]


@layer_exercise.also_right
def with_matrices(tokens, context, rate):
    keep_x, keep_r = np.eye(tokens.shape[1]), np.zeros((tokens.shape[1],) * 2)
    keep_x[-1, -1], keep_r[-1, -1] = 0, -rate / len(context)
    return tokens + (tokens @ keep_x) @ (context @ keep_x).T @ (context @ keep_r)


every_example_twice = Choice(
    "Predict: every example twice",
    r"""
    Every example of a support set is listed twice. What do these three do, at the same query: ridge with a penalty
    λ > 0; an in-context learner with softmax attention (chapter 9); the sum $\sum_i (x \cdot x_i)\, y_i$ of linear
    attention without 1/n?
    """,
    options={
        "a": (
            "Ridge shrinks less; the softmax reads the same as before; the sum doubles.",
            "In ridge XᵀX and Xᵀy double, λ does not. Softmax weights add up to one, so each copy gets half: a mean "
            "does not count. A sum does, and that is what a gradient of a summed loss would do.",
        ),
        "b": (
            "Nothing changes in any of them: there is no new information.",
            "For a noisy measurement, a second one with the same result *is* information: ridge shrinks less. And a "
            "sum over twice as many terms is twice as large.",
        ),
        "c": (
            "All three move in the same way, as if there were more evidence.",
            "The softmax cannot: its weights add up to one, so two equal tokens share what one had.",
        ),
        "d": (
            "Ridge shrinks less; the softmax gives the examples twice the weight; the sum doubles.",
            "Twice the weight for all would be a sum of weights of two. Softmax divides by the sum, which halves "
            "them again.",
        ),
    },
    right="a",
    hints=("What do XᵀX and Xᵀy become, and what becomes of λ?", "What do the weights of a softmax add up to?"),
)
