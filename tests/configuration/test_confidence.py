"""Is a confidence that can mean nothing refused, with its file and field?"""

from pathlib import Path

import pytest

from tests.configuration.test_mistakes import mistaken

WRONG = [
    ("page_at: 1.5", "page_at", "must be between 0 and 1"),
    ("sure: 1.0", "sure", "nothing is certain"),
    ("prior_actionable: 0", "prior_actionable", "nothing is certain before anybody labelled it"),
    ("burn_at: 0.5", "burn_at", "an error budget just lasts"),
    ("spread: -0.1", "spread", "must be between 0 and 1"),
    ("page_att: 0.5", "page_att", "there is no such field"),
]


@pytest.mark.parametrize(("line", "field", "reason"), WRONG)
def test_it_is_refused(line: str, field: str, reason: str, tmp_path: Path) -> None:
    [problem] = mistaken(tmp_path, "rules.yaml", "timing:", f"confidence:\n  {line}\n\ntiming:")
    assert (Path(problem.file).name, problem.field) == ("rules.yaml", f"confidence.{field}")
    assert reason in problem.reason


def test_what_is_sensible_is_taken(tmp_path: Path) -> None:
    more = "confidence:\n  page_at: 0.8\n  prior_actionable: 9\n  burn_labels: [burn]\n\ntiming:"
    assert mistaken(tmp_path, "rules.yaml", "timing:", more) == []
