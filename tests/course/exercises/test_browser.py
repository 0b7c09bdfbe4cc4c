"""An exercise notebook in JupyterLab, in a real browser, as a learner uses it.

Not part of `make test`. With the group `browser` and a Chromium (the system's, or from `playwright install chromium`):

    pytest -n 0 -m browser
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NOTEBOOK = Path(__file__).resolve().parents[3] / "exercises" / "04_mathematics.ipynb"
START, ANSWER_1, CHECK_1, ANSWER_2, CHECK_2 = 1, 3, 4, 6, 7  # where the cells are
UPDATE = """def update(theta, x, y, alpha):
    r = theta[0] + theta[1] * x - y
    return theta {sign} alpha * 2 * np.array([r.mean(), (r * x).mean()])"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of the notebook in a JupyterLab that knows no settings of the user's."""
    pytest.importorskip("playwright", reason="needs the group `browser`")
    shutil.copy(NOTEBOOK, tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    environment = {**os.environ, **{name: str(tmp_path / ".jupyter" / name) for name in places}}
    news = Path(environment["JUPYTERLAB_SETTINGS_DIR"], "@jupyterlab", "apputils-extension")
    news.mkdir(parents=True)
    (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    options += ["--IdentityProvider.token=t", f"--ServerApp.root_dir={tmp_path}", "--LabApp.expose_app_in_browser=True"]
    with (tmp_path / "lab.log").open("w") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token=t", timeout=1)
                break
            except OSError:
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}/lab/tree/{NOTEBOOK.name}?token=t&reset"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def page(lab: str) -> Iterator:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as p:
        own = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not own and not Path(p.chromium.executable_path).exists():
            pytest.skip("needs Chromium: `playwright install chromium`")
        browser = p.chromium.launch(executable_path=own, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 1500})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        page.goto(lab)
        page.wait_for_selector(".jp-NotebookPanel .jp-Notebook .jp-Cell")
        page.evaluate(
            "async () => {const app = window.jupyterapp; await app.restored; const panel = app.shell.currentWidget;"
            " await panel.context.ready; await panel.sessionContext.ready;"
            " await panel.sessionContext.session.kernel.info;}"
        )
        yield page
        browser.close()


def test_a_blank_filled_wrong_then_right(page, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    def cell(number: int):
        return page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{number}"]')

    def fill(number: int, source: str) -> None:
        cell(number).locator(".cm-content").click()
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.insert_text(source)
        page.keyboard.press("Shift+Enter")

    def run(number: int, shows: str) -> None:
        cell(number).locator(".jp-InputPrompt").click()
        page.keyboard.press("Shift+Enter")
        expect(cell(number).locator(".jp-OutputArea-output")).to_contain_text(shows)

    def errors() -> int:
        return page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]').count()

    cell(START).locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+Enter")
    cell(ANSWER_1).locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+Enter")
    run(CHECK_1, "Not filled in yet.")
    fill(ANSWER_1, "one_update = [0.4, -1.4]")
    run(CHECK_1, "You went up the gradient")
    fill(ANSWER_2, UPDATE.format(sign="+"))
    run(CHECK_2, "You went up the gradient: the step has to subtract it.")
    expect(cell(CHECK_2)).to_contain_text("expected: [1.6, 1.4]")
    page.screenshot(path=tmp_path / "wrong.png")

    fill(ANSWER_1, "one_update = [1.6, 1.4]")
    run(CHECK_1, "Right.")
    fill(ANSWER_2, UPDATE.format(sign="-"))
    run(CHECK_2, "Right.")
    page.screenshot(path=tmp_path / "right.png")
    assert errors() == 0

    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    expect(page.locator(".jp-OutputArea-output", has_text="exercises passed")).to_contain_text("2 of 6")
    page.screenshot(path=tmp_path / "progress.png")
    assert errors() == 0
