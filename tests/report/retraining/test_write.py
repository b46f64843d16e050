import re

from causalablate.report.retraining import write_retraining_report


def test_everything_is_written_and_the_same_again(found, tmp_path):
    paths = write_retraining_report(found, tmp_path / "a")
    every = [paths.page, *paths.tables, paths.markdown, paths.latex, *paths.figures]
    assert [p.name for p in paths.tables] == ["retraining.csv", "capacity.csv", "ranking.csv"]
    assert [p.name for p in paths.figures] == [
        f"retraining_{name}.{end}" for name in ("correct", "answer_logprob") for end in ("png", "svg")
    ]
    write_retraining_report(found, tmp_path / "b")
    for path in every:
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_the_page_needs_no_other_file(found, few, tmp_path):
    page = write_retraining_report(found, tmp_path / "full").page.read_text()
    assert "<h1>Lesion against retraining: small</h1>" in page and page.count("data:image/png") == 2
    assert page.count("<table") == 4 and "Not compared: no_lab, seed 2" in page.replace("<wbr>", "")
    assert "<script" not in page and not re.search(r'(src|href)="(?!data:|#)[^"]*//', page)
    links = re.findall(r'href="([^"#:]+)"', page)
    assert links and all((tmp_path / "full" / link).exists() for link in links)
    bare = write_retraining_report(few, tmp_path / "few")
    assert [p.name for p in bare.tables] == ["retraining.csv", "ranking.csv"]
    assert "one seed: the intervals are over examples only" in bare.page.read_text().replace("<wbr>", "")
