"""`python -m metalearn_course.exercises.grading`: see `classroom`."""

import sys

from metalearn_course.exercises.grading.classroom import main

if __name__ == "__main__":
    sys.exit(main())
