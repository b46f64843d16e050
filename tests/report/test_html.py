import base64
import hashlib
import html.parser
import json
import re
from dataclasses import replace

import pytest

from causalablate.report import Gallery
from causalablate.report.html import breakable, page
from causalablate.trace import Trace

EVIL = '"><img src=x onerror=alert(1)></script><script>alert(2)</script>'


def page_of(study, **changes):
    return page(
        **{**study.arguments(), "sesoi": {"correct": 0.005}, "level": 0.95, "files": ["effects.csv"], **changes}
    )


@pytest.fixture(scope="module")
def text(study):
    return page_of(study)


class Tags(html.parser.HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_page_needs_nothing_from_anywhere(text):
    links = [(tag, a.get(name)) for tag, a in Tags(text).found for name in ("src", "href") if a.get(name)]
    assert links
    for tag, target in links:
        assert target.startswith(("#", "data:")) or (tag == "a" and "//" not in target)
    assert "@import" not in text and "url(" not in text
    policy = next(a["content"] for tag, a in Tags(text).found if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_the_policy_admits_exactly_the_scripts_of_the_page(text):
    script = re.search(r"<script>(.*?)</script>", text, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_user_text_cannot_become_markup(study):
    example = replace(
        study.gallery.examples[0], id=EVIL, question=EVIL, answer=EVIL, groups={EVIL: EVIL},
        factual=Trace(answer=EVIL, probability=0.5, top=[(EVIL, 0.5)], allocation=None),
    )  # fmt: skip
    text = page_of(
        study, title=EVIL, question=EVIL, facts={EVIL: EVIL}, gallery=Gallery((example,)),
        effects=study.effects.replace({"lesion": {"passes.fine=mean": EVIL}}), files=[EVIL],
        accuracies=[replace(study.accuracies[0], name=EVIL)],
    )  # fmt: skip
    tags = Tags(text).found
    assert [a for tag, a in tags if tag == "script"] == [{"type": "application/json", "id": "data"}, {}]
    assert not [a for tag, a in tags if tag == "img" or "onerror" in a]


def test_headline_and_facts_are_there_without_the_script(study, text):
    assert "have a clear effect on accuracy" in text
    assert "sha256:ab12cd34" in text
    assert "commonest answer" in text
    noscript = re.search(r"<noscript>(.*?)</noscript>", text, re.S).group(1)
    assert noscript.count("<tr>") == 1 + len(study.kinds)


def test_the_data_can_be_read_back(text):
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))
    assert len(data["gallery"]["examples"]) == 4


def test_sections_without_content_are_left_out(study):
    effects = study.effects[(study.effects["group"] == "all") & ~study.effects["lesion"].str.contains("heads")]
    ids = {a.get("id") for _, a in Tags(page_of(study, effects=effects, gallery=Gallery())).found}
    assert not {"by-group", "heads", "examples"} & ids
    assert {"effects", "model", "files"} <= ids


def test_the_same_input_gives_the_same_page(study, text):
    assert page_of(study) == text


def test_addresses_may_break_and_stay_escaped():
    assert breakable("lm.layers.0=mean <b> 3.5") == "lm.<wbr>layers.0=<wbr>mean &lt;b&gt; 3.5"
