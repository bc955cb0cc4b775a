"""Is a storm mode that would hide pages, or never begin, refused with its file and field?"""

from pathlib import Path

import pytest

from tests.configuration.test_mistakes import mistaken


@pytest.mark.parametrize(
    ("line", "field"), [("pages: 0", "pages"), ("pages: 1000", "pages"), ("window_seconds: 0", "window_seconds")]
)
def test_it_is_refused(line: str, field: str, tmp_path: Path) -> None:
    [problem] = mistaken(tmp_path, "rules.yaml", "timing:", f"storm:\n  {line}\n\ntiming:")
    assert (Path(problem.file).name, problem.field) == ("rules.yaml", f"storm.{field}")


def test_what_is_sensible_is_taken(tmp_path: Path) -> None:
    assert mistaken(tmp_path, "rules.yaml", "timing:", "storm:\n  pages: 20\n  window_seconds: 60\n\ntiming:") == []
