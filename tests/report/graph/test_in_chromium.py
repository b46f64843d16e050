"""The page in a real browser."""

import json

import pytest

from causalablate.report.graph import write_graph_report
from tests.report.test_chromium import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def path(graph, found, interactions, tmp_path_factory):
    return write_graph_report(tmp_path_factory.mktemp("page"), graph, found, interactions=interactions).page


@pytest.fixture
def page(browser, path):
    browser.send("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)
    browser.open(path)
    yield path
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith(("data:", path.as_uri()))] == []


def point(browser, selector):
    """Move the mouse onto the middle of an element, or of a path."""
    at = browser.js(
        f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
        "const box = e.getBoundingClientRect();"
        "if (e.tagName !== 'path') return [box.x + box.width / 2, box.y + box.height / 2];"
        "const middle = e.getPointAtLength(e.getTotalLength() / 2).matrixTransform(e.getScreenCTM());"
        "return [middle.x, middle.y]; })()"
    )
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=at[0], y=at[1])


def tip(browser):
    return browser.js("document.getElementById('tip').hidden ? '' : document.getElementById('tip').innerText")


def test_pointing_at_a_line_shows_its_interval(page, browser):
    assert tip(browser) == ""
    point(browser, '[data-edge="5"] .hit')
    assert "lm.b#2 → answer_logprob" in tip(browser) and "[−2.50, −1.50]" in tip(browser)
    assert browser.js("document.querySelectorAll('.edge.near').length") == 1
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
    assert tip(browser) == "" and not browser.js("document.querySelector('.pointing') !== null")


def test_pointing_at_a_box_shows_its_effect_and_neighbours(page, browser):
    point(browser, '[data-node="2"] rect')
    assert "lm.b#1" in tip(browser) and "total effect on log-probability" in tip(browser)
    assert browser.js("document.querySelectorAll('.edge.near').length") == 4
    assert browser.js("document.querySelectorAll('.node.near').length") == 5
    point(browser, '[data-node="1"] rect')
    assert "never fires: nothing moves" in tip(browser)


def test_the_keyboard_reaches_boxes_and_escape_leaves(page, browser):
    browser.js("document.querySelector('#possible').focus()")
    browser.press("Tab", 9)
    assert browser.js("document.activeElement.dataset.node") == "0" and "vision.a#1" in tip(browser)
    browser.press("Escape", 27)
    assert tip(browser) == ""


def test_thin_lines_can_be_hidden(page, browser):
    assert browser.texts("#count") == ["6 of 6 lines"]
    browser.js("document.getElementById('possible').click()")
    assert browser.texts("#count") == ["4 of 6 lines"]
    browser.js("(() => { const s = document.getElementById('least'); s.value = 40;"
               "s.dispatchEvent(new Event('input')); })()")  # fmt: skip
    assert browser.texts("#count") == ["3 of 6 lines"]  # The dormant one has an eighth of the largest


def test_a_row_of_the_table_points_at_its_line(page, browser):
    point(browser, "#edge-table tbody tr:nth-child(2)")
    assert "woken by" in tip(browser) and "lm.b#1 → answer_logprob" in tip(browser)


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_cut_off_at_any_width(page, browser, width):
    browser.send("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
    browser.open(page)
    assert browser.js("document.documentElement.scrollWidth") <= width
