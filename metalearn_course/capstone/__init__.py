"""The capstone: projects that learn from a few examples, judged on families of tasks that they have not seen.

    python -m metalearn_course.capstone FOLDER

`families` draws them, `rivals` are the simple learners that a project has to beat, `judge` measures one project in a
process of its own, and `leaderboard` puts them in order. What a project is: `exercises/capstone/README.md`.
"""
