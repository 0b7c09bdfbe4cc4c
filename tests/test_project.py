"""What holds for the repository as a whole: style, sizes, notebooks, lock and packaging."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import metalearn_lib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()


def committed(pattern: str = "*") -> list[Path]:
    """The repository's own files; from a download without git, whatever is there."""
    git = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if git.returncode == 0:
        paths = [ROOT / name for name in git.stdout.split("\0") if name]
    else:
        paths = [p for p in ROOT.rglob("*") if not any(part.startswith(".") for part in p.relative_to(ROOT).parts)]
    return [path for path in sorted(paths) if path.is_file() and path.match(pattern)]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


NOTEBOOKS = committed("notebooks/*.ipynb")


@pytest.mark.parametrize("arguments", [["check", "--output-format=concise"], ["format", "--check"]], ids=" ".join)
def test_ruff(arguments: list[str]) -> None:
    files = [str(path) for suffix in ("*.py", "*.ipynb") for path in committed(suffix)]
    command = [sys.executable, "-m", "ruff", *arguments, *files]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_modules_are_short() -> None:
    lines = {name(path): path.read_text().count("\n") for path in committed("*.py")}
    assert not {module: count for module, count in lines.items() if count > 300}


def test_a_room_imports_from_rooms_before_it_only() -> None:
    """In the order of CONTRIBUTING.md; the training loop lets a stream of tasks start elsewhere."""
    library = ROOT / "metalearn_lib"
    _, table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Where things are")
    rooms = list(dict.fromkeys(re.findall(r"^\| `metalearn_lib/(\w+)", table, re.M)))
    modules = [path for path in committed("*.py") if path.is_relative_to(library) and path != library / "__init__.py"]
    of = {path: path.relative_to(library).parts[0].removesuffix(".py") for path in modules}
    assert set(rooms) == set(of.values())
    backwards = {
        (name(path.parent), other)
        for path in modules
        for other in re.findall(r"(?:from|import) metalearn_lib\.(\w+)", path.read_text(encoding="utf-8"))
        if rooms.index(other) > rooms.index(of[path])
    }
    assert backwards <= {("metalearn_lib/core/training", "tasks")}


def test_no_machine_and_no_registry_is_named() -> None:
    """A path of somebody's machine, or the host of a package registry, in any committed text."""
    folders = re.compile(r"(?<![\w.:/+=~-])/(?:home|root|Users|work|opt|tmp)/|[A-Z]:\\{1,2}Users\\")
    hosts = re.compile(r"\b(?:pypi|anaconda|npmjs|conda|debian|crates)\.(?:org|com|io)\b|\bpythonhosted\.", re.I)
    found = []
    for path in committed():
        if b"\0" not in (data := path.read_bytes()):
            for number, line in enumerate(data.decode().splitlines(), 1):
                if match := folders.search(line) or hosts.search(line):
                    found.append(f"{name(path)}:{number}: {match.group()}")
    assert not found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_notebook_is_ready_to_read(path: Path) -> None:
    """A reader without a kernel sees every output; a reader with one sees short cells and no error."""
    notebook = json.loads(path.read_text())
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "not run from top to bottom"
    for cell in code:
        source = "".join(cell["source"])
        assert source.count("\n") < 20, f"more than 20 lines: {source[:80]}"
        assert "error" not in [output["output_type"] for output in cell["outputs"]], source
        stderr = [output for output in cell["outputs"] if output.get("name") == "stderr"]
        assert not stderr, f"{source}\nprints to stderr: {stderr}"
        assert "tf.function retracing" not in json.dumps(cell["outputs"]), source
    assert any(cell["outputs"] for cell in code), "no stored outputs"


def prose(path: Path) -> str:
    """What a reader sees as Markdown."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return "\n".join("".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "markdown")


@pytest.mark.parametrize(
    "path", [p for p in [*committed("*.md"), *committed("*.ipynb")] if "source" not in p.parts], ids=name
)
def test_links_lead_to_files(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#|attachment:|data:)([^)#\s]+)", prose(path))
    assert not [link for link in links if not (path.parent / link).exists()]


def test_lock_has_no_url_and_no_path() -> None:
    """Registry and machine stay the user's choice: only `name==version`, perhaps with a marker."""
    requirements = [line for line in LOCK.splitlines() if not line.lstrip().startswith("#")]
    assert len(requirements) > 50
    pin = re.compile(r"[a-z0-9-]+==[\w.]+( ; [\w.'<>=! ()]+)?")
    assert not [line for line in requirements if not pin.fullmatch(line)]
    assert "://" not in LOCK


@pytest.mark.parametrize("python", ["3.11.0", "3.12.4", "3.13.0"])
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_lock_gives_every_python_what_pyproject_asks_for(python: str, platform: str) -> None:
    assert Version(python) in SpecifierSet(PROJECT["requires-python"])
    machine = {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "sys_platform": platform,
        "os_name": "nt" if platform == "win32" else "posix",
    }
    pins = {}
    for line in LOCK.splitlines():
        if "==" in line and not line.lstrip().startswith("#"):
            pin = Requirement(line)
            if not pin.marker or pin.marker.evaluate(machine):
                assert pin.name not in pins, f"{pin.name} is pinned twice for Python {python} on {platform}"
                pins[pin.name] = str(pin.specifier).removeprefix("==")
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    for requirement in [*asked_for("test", "types", "class", "course"), *map(Requirement, build)]:
        assert Version(pins[requirement.name]) in requirement.specifier, requirement


def asked_for(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, with the extras that an extra names."""
    texts = PROJECT["dependencies"] + [text for extra in extras for text in PROJECT["optional-dependencies"][extra]]
    own = [requirement for requirement in map(Requirement, texts) if requirement.name == PROJECT["name"]]
    others = [requirement for requirement in map(Requirement, texts) if requirement.name != PROJECT["name"]]
    return others + [found for requirement in own for found in asked_for(*requirement.extras)]


def test_conda_installs_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, packages = environment["dependencies"]
    assert environment["channels"] == ["conda-forge"] and pip == "pip"
    assert Version(python.removeprefix("python=")) in SpecifierSet(PROJECT["requires-python"])
    assert packages == {"pip": ["--requirement requirements.lock", "--editable ."]}
    assert (ROOT / environment["variables"]["JUPYTER_PATH"] / "kernels" / "python3" / "kernel.json").exists()


def test_importing_the_package_leaves_lancedb_alone() -> None:
    code = "import sys, metalearn_lib; sys.exit('lancedb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_versions_agree() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"] == metalearn_lib.__version__


@pytest.mark.slow
def test_the_examples_in_the_readme_run(capsys, monkeypatch, tmp_path) -> None:
    """As printed, apart from shorter training."""
    first, second = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert "steps_per_epoch=1_000" in first and "num_tasks=600" in first and "epochs=70" in second
    assert re.findall("^(?:import|from) .*", first, re.M) == ["import keras", "import metalearn_lib as ml"]
    assert len([line for line in first.splitlines() if line]) <= 15
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(first.replace("1_000", "100").replace("600", "100"), names)
    exec(second.replace("1_000", "100").replace("70", "2"), names)
    assert capsys.readouterr().out.count("±") == 2
    assert (tmp_path / "log.csv").read_text().count("\n") == 3


CITED = re.compile(r"(?:von )?([A-Z][\w-]+)(?:,? (?:et al\.|and [A-Z][\w-]+))?,? \(?((?:18|19|20)\d\d)(?=[,.;: )]|$)")


def test_the_bibliography_has_every_work_that_a_chapter_cites() -> None:
    """By an author whom the chapter names, with the year and the chapter; and no work that none cites."""
    text = (ROOT / "docs" / "bibliography.md").read_text(encoding="utf-8")
    works = [line for line in text.splitlines() if line.startswith("- ")]
    cited: dict[str, set[str]] = {work: set() for work in works}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        chapter = path.name.split("_")[0].lstrip("0")
        cells = nbformat.read(path, as_version=4).cells
        prose = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
        for author, year in CITED.findall(prose):
            mine = [w for w in works if re.search(rf"\b{author}\b", w.split("(")[0]) and f"({year})" in w]
            for work in mine:
                cited[work].add(chapter)
            assert mine or not re.search(rf"\b{author} et al", prose), (path.name, author, year)
    listed = {work: set(re.findall(r"\b\d+[a-f]?\b", work.rsplit("Chapter", 1)[1])) for work in works}
    assert cited == listed
