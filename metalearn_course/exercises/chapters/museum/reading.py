"""What follows from an audit, and what does not."""

from metalearn_course.exercises.engine import Choice

reading_a_report = Choice(
    "Reading a report",
    """
    A learner for 5-way 1-shot images scores 61 ± 1 % on 600 tasks, ahead of every baseline. With random support labels
    it scores 45 ± 1 %. All else passes. What is the likely mistake?
    """,
    options={
        "a": (
            "None: the accuracy fell, as it should.",
            "It should fall to chance, which is 20 % here. 45 % are far above.",
        ),
        "b": (
            "Support images are among the queries.",
            "Those would be found with the wrong label now, and cost accuracy; and *leakage* has passed.",
        ),
        "c": (
            "The learner does not look at its support set.",
            "Then other support labels would change nothing, and it would have 61 % still.",
        ),
        "d": (
            "The same images always have the same label, so the answers were memorised in training.",
            "Without any information in the support labels a fifth would be right by chance. The rest comes from "
            "somewhere else: classes keep their labels from task to task, and the network knows them by heart.",
        ),
    },
    right="d",
    hints=(
        "How many queries can be right if the support labels tell nothing?",
        "Who can name an image without being told its label in this task?",
    ),
)
