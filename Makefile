# make PYTHON=python3.12 lab        with another Python than python3
# make lab ARGS=--ip=0.0.0.0       what follows ARGS= goes on to JupyterLab or pytest
PYTHON ?= python3

.PHONY: help lab test studies exercises wheel newest lock release slides
help:
	@echo "make lab    set up the course in .venv and open it in JupyterLab"
	@echo "make test   the same set-up, then every test and every chapter"
	@echo "make studies  runs the studies whose results are missing or out of date; CHAPTER=07 those of one chapter"
	@echo "make exercises  trains every learner of the exercises, right ones and wrong ones"
	@echo "make wheel  builds the wheel and tries it where no extra is installed"
	@echo "make newest  tests every learner with the newest TensorFlow and Keras, pre-releases too"
	@echo "make release  writes the notebooks in exercises/ anew"
	@echo "make slides  writes a deck of slides of every chapter into slides/"
	@echo "make lock   choose the versions in requirements.lock anew (needs uv)"

lab test:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null || { echo >&2 \
	  "There is no working $(PYTHON) here: install Python 3.11, 3.12 or 3.13, or name one (PYTHON=python3.12 make $@)."; exit 1; }
	@$(PYTHON) scripts/setup.py $@ $(ARGS)

# Each worker takes one core; more of them, here or on other machines that see .studies, share the work.
studies:
	.venv/bin/python -m metalearn_course.studies $(CHAPTER) & .venv/bin/python -m metalearn_course.studies $(CHAPTER); wait
	.venv/bin/python scripts/evidence.py

exercises:
	@$(MAKE) --no-print-directory test ARGS="-m trains --dist load tests/course/exercises/test_trainings.py tests/course/capstone"

wheel:
	@$(MAKE) --no-print-directory test ARGS="-m wheel -n 0 tests/test_wheel.py"

newest:
	$(PYTHON) -m venv --clear .venv-newest
	.venv-newest/bin/python -m pip install --quiet numpy scipy matplotlib pillow tqdm lancedb pyarrow pytest pytest-xdist nbval hypothesis
	.venv-newest/bin/python -m pip install --quiet --pre tensorflow  # brings its Keras: a pre-release that of the night
	.venv-newest/bin/python -m pip install --quiet --no-deps --editable .
	.venv-newest/bin/python -c "import keras, tensorflow; print('TensorFlow', tensorflow.__version__, 'Keras', keras.__version__)"
	.venv-newest/bin/python -m pytest -n 0 tests/core/test_keras_private.py tests/test_contract.py tests/test_contract_of_layers.py $(ARGS)

lock:
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra test --extra types --extra class --extra course --extra studies \
	  --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

release:
	.venv/bin/python scripts/release.py

slides:
	.venv/bin/python scripts/slides.py
