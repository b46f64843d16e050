"""The page in a real browser: Chromium, driven through its debugging pipe with the standard library alone."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    (p for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (p := shutil.which(name))), None
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]

# Chromium reads commands from descriptor 3 and answers on 4; move ours out of the way before putting them there.
PIPES = """
import fcntl, os, sys
pair = [fcntl.fcntl(int(fd), fcntl.F_DUPFD_CLOEXEC, 100) for fd in sys.argv[1:3]]
os.dup2(pair[0], 3)
os.dup2(pair[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One Chromium with one page; collects script errors and network requests."""

    def __init__(self, profile: Path):
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", PIPES, str(to_browser), str(from_browser), *command],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer, self._id, self._session = b"", 0, None
        self.errors: list[str] = []
        self.requests: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        self._id += 1
        message = {"id": self._id, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            reply = self._receive(deadline - time.monotonic())
            if reply.get("id") == self._id:
                assert "error" not in reply, reply
                return reply["result"]
        raise TimeoutError(method)

    def _receive(self, wait: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], wait)[0]:
                raise TimeoutError("Chromium did not answer")
            chunk = os.read(self._read, 1 << 20)
            if not chunk:
                raise ConnectionError("Chromium went away")
            self._buffer += chunk
        text, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(text)
        params = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"]))
        elif message.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])
        elif message.get("method") == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        return message

    def open(self, page: Path, state: str = "") -> None:
        self.send("Page.navigate", url="about:blank")
        self.errors.clear()
        self.requests.clear()
        self.send("Page.navigate", url=page.as_uri() + state)
        deadline = time.monotonic() + 30
        while not self.js("document.readyState === 'complete' && document.documentElement.dataset.ready === 'true'"):
            assert time.monotonic() < deadline, self.errors
            time.sleep(0.05)

    def js(self, expression: str) -> Any:
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        return self.js(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent.trim())")

    def press(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            event = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
            if key == "Enter" and kind == "keyDown":
                event["text"] = "\r"
            self.send("Input.dispatchKeyEvent", **event)

    def close(self) -> None:
        self._session = None
        try:
            self.send("Browser.close")
            self._process.wait(20)
        except (TimeoutError, ConnectionError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
        finally:
            os.close(self._write)
            os.close(self._read)


pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def path(study, tmp_path_factory):
    from causalablate.report.html import page

    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(page(**study.arguments(), files=["effects.csv"], sesoi={"correct": 0.005}, level=0.95))
    return path


@pytest.fixture(autouse=True)
def quiet(browser, path):
    """After every test: no script error, and no request but for the page itself."""
    browser.send("Emulation.setDeviceMetricsOverride", width=1280, height=800, deviceScaleFactor=1, mobile=False)
    browser.open(path)
    yield
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith(("data:", path.as_uri()))] == []


LESIONS = "#effects-table tr.row .disclose"


def shown_effects(browser):
    texts = browser.texts("#effects-table tr.row td.ate")
    return [float(text.split()[0].replace("−", "-")) for text in texts]


def click(browser, selector):
    browser.js(f"document.querySelector({json.dumps(selector)}).click()")


def choose(browser, select, value):
    browser.js(
        f"(() => {{ const s = document.getElementById('{select}'); s.value = {json.dumps(value)};"
        "s.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )


def test_every_lesion_is_in_the_table_with_its_marker(browser, study):
    assert sorted(browser.texts(LESIONS)) == sorted(study.kinds)
    assert browser.js("document.querySelectorAll('#effects-table tr.row .forest .glyph').length") == len(study.kinds)
    assert "Attention heads" in browser.texts("#effects-table tr.kind th")


def test_a_click_on_a_head_sorts_and_says_so(browser):
    click(browser, "#kinds")
    click(browser, "[data-sort=ate]")
    up = shown_effects(browser)
    assert up == sorted(up)
    assert browser.js("document.querySelector('th.ate').getAttribute('aria-sort')") == "ascending"
    click(browser, "[data-sort=ate]")
    assert shown_effects(browser) == sorted(up, reverse=True)
    assert browser.js("document.querySelectorAll('[aria-sort]').length") == 1
    click(browser, "[data-sort=lesion]")
    assert browser.texts(LESIONS) == sorted(browser.texts(LESIONS))


def test_the_keyboard_sorts_and_keeps_the_focus(browser):
    browser.js("document.querySelector('[data-sort=label]').focus()")
    browser.press("Enter", 13)
    assert browser.js("document.activeElement.dataset.sort") == "label"
    assert browser.js("document.querySelector('th.label').getAttribute('aria-sort')") == "ascending"


def test_words_filter_by_name_kind_and_verdict(browser):
    browser.js("document.getElementById('filter').value = 'heads layers.1'")
    browser.js("document.getElementById('filter').dispatchEvent(new Event('input'))")
    assert browser.texts(LESIONS) == [name for name in browser.texts(LESIONS) if name.startswith("lm.layers.1.heads")]
    assert browser.texts("#shown") == ["2 of 7 lesions"]


def test_another_outcome_has_its_own_unit_and_address(browser):
    choose(browser, "outcome", "answer_logprob")
    assert "nats" in browser.texts("th.ate")[0]
    assert "Log-probability" in browser.texts("#by-group-title")[0]
    assert browser.js("location.hash") == "#outcome=answer_logprob"


def test_a_row_opens_to_its_details(browser, study):
    click(browser, '[data-lesion="query.static=mean"] .disclose')
    assert browser.js("document.querySelector('[data-lesion=\"query.static=mean\"] .disclose').ariaExpanded") == "true"
    detail = browser.texts("tr.detail")[0]
    assert "examples go from right to wrong" in detail
    assert "p, exact McNemar" in detail and "necessity, PN" in detail
    assert len(browser.texts("tr.detail .mini tr")) == 8
    click(browser, "tr.detail .more")
    assert browser.js("document.getElementById('lesion').value") == "query.static=mean"


def test_the_state_in_the_address_is_restored(browser, path, study):
    browser.open(path, "#example=test-2&lesion=query.static%3Dmean&outcome=answer_logprob&sort=ate&dir=desc&kinds=0")
    assert browser.texts("#example blockquote") == ["what digit is in row 2"]
    assert browser.js("document.getElementById('lesion').value") == "query.static=mean"
    assert browser.js("document.getElementById('outcome').value") == "answer_logprob"
    assert shown_effects(browser) == sorted(shown_effects(browser), reverse=True)
    assert browser.js("scrollY") > 0
    truth = study.gallery.examples[2].lesioned["query.static=mean"].answer
    assert browser.texts("#example .world .answer")[1].startswith(truth)


def test_a_link_to_a_section_keeps_the_state(browser, path):
    browser.open(path, "#outcome=answer_logprob")
    browser.js("location.hash = '#model'")
    assert browser.js("document.getElementById('outcome').value") == "answer_logprob"


def test_unknown_names_in_the_address_fall_back(browser, path):
    browser.open(path, "#outcome=nothing&example=nobody&lesion=x&group=y&sort=z&show=w&factor=v")
    assert browser.texts("#position") == ["1 of 4"]
    assert len(browser.texts(LESIONS)) == 7


def test_stepping_through_examples(browser):
    assert browser.js("document.getElementById('previous').disabled")
    click(browser, "#next")
    assert browser.texts("#position") == ["2 of 4"]
    browser.js("document.getElementById('next').focus()")
    browser.press("ArrowRight", 39)
    assert browser.texts("#position") == ["3 of 4"]
    assert "example=test-2" in browser.js("location.hash")


def test_an_example_shows_both_worlds(browser, study):
    choose(browser, "lesion", "passes.fine=mean")
    example = study.gallery.examples[0]
    assert browser.js("document.querySelectorAll('#example .frames img').length") == 2
    factual, counterfactual = browser.texts("#example .world")
    assert factual.startswith("Factual: the intact model") and "✓" in factual
    assert counterfactual.startswith("Counterfactual: do(passes.fine=mean)") and "six ✗" in counterfactual
    assert browser.js("document.querySelectorAll('#example .world .bars dt').length") == 10
    titles = browser.texts("#example .stage title")
    assert len(titles) == 32
    assert titles[0] == f"row 1, column 1: {example.factual.allocation[0][0]:.0f} tokens, 92 in the other world"


def test_the_list_of_lesions_marks_what_changed(browser, study):
    example = study.gallery.examples[0]
    changed = sum(t.answer != example.factual.answer for t in example.lesioned.values())
    assert browser.js("document.querySelectorAll('.under .flip').length") == changed
    assert f"{changed} of 7 change it" in browser.texts(".under h3")[0]
    click(browser, ".under button:not(.flip)")
    assert browser.js("document.querySelectorAll('.under [aria-pressed=true]').length") == 1


def test_examples_are_filtered_by_change_and_by_group(browser, study):
    choose(browser, "lesion", "passes.fine=mean")
    choose(browser, "show", "changed")
    shown = browser.js("[...document.querySelectorAll('#thumbs button')].map(b => b.dataset.example)")
    lesioned = {e.id: e.lesioned["passes.fine=mean"].answer != e.factual.answer for e in study.gallery.examples}
    assert shown == [i for i, changed in lesioned.items() if changed]
    choose(browser, "type", "question_type=colour")
    assert browser.texts("#position") == ["no example like that"]


def test_a_cell_of_the_grid_leads_to_its_examples(browser):
    rows = browser.texts("#by-group-table tbody th")
    assert rows[0] == "intact model" and len(rows) == 8
    column = browser.texts("#by-group-table thead th").index("location")
    click(browser, f"#by-group-table tbody + tbody td:nth-child({column + 2})")
    assert browser.js("document.getElementById('type').value") == "question_type=location"
    choose(browser, "cells", "change")
    assert "intact model" not in browser.texts("#by-group-table tbody th")


def test_heads_are_mapped(browser):
    assert browser.texts("#heads-panels caption") == ["lm, zero"]
    assert len(browser.texts("#heads-panels tbody td")) == 4


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_cut_off_at_any_width(browser, path, width):
    browser.send("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
    browser.open(path, "#open=passes.fine%3Dmean&outcome=answer_logprob")
    assert browser.js("document.documentElement.scrollWidth") <= width


def test_hostile_text_stays_text(browser, study, tmp_path):
    from dataclasses import replace

    from causalablate.report import Gallery
    from causalablate.report.html import page

    evil = (
        "</script><img src=http://localhost:1/x onerror=\"document.title='hit'\"><script>document.title='hit'</script>"
    )
    example = replace(study.gallery.examples[0], question=evil, answer=evil, groups={"question_type": evil})
    hostile = replace(study, title="fine", question=evil, gallery=Gallery((example,)))
    target = tmp_path / "index.html"
    target.write_text(page(**hostile.arguments(), sesoi={}, level=0.95))
    browser.open(target)
    assert browser.js("document.title") == "fine"
    assert browser.texts("#example blockquote") == [evil]
    assert [url for url in browser.requests if not url.startswith(("data:", target.as_uri()))] == []
    browser.requests.clear()
