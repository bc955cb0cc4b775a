"""Does `python -m benchmarks` find what there is, run what is named, and write results as the contract says?"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import calls, deliveries, rival
from benchmarks.__main__ import discover, run
from benchmarks.counting import Account
from benchmarks.figure import Figure, machine
from benchmarks.generator import a_storm, a_team
from incident_bot.virtual.replay import replay


def measure() -> Iterator[Figure]:
    yield Figure("speed", 30.0, "us", 10.0, goal=20.0)
    yield Figure("calls", 3, "calls")
    yield Figure("other", None, "us", note="it is not installed")


def results(folder: Path, only: str = "") -> dict[str, dict[str, object]]:
    written = folder / "results.json"
    assert run({"mine": measure, "yours": measure}, [only] if only else [], written) == 0
    found: dict[str, dict[str, object]] = json.loads(written.read_text())
    return found


def test_every_benchmark_is_found_by_place() -> None:
    assert list(discover()) == ["calls", "core", "growth", "imports", "replay", "storm"]


def test_results_are_as_the_contract_says(tmp_path: Path) -> None:
    found = results(tmp_path)
    assert all({"value", "unit", "baseline", "ratio", "machine"} <= set(entry) for entry in found.values())
    speed = {"value": 30.0, "unit": "us", "baseline": 10.0, "ratio": 3.0, "machine": machine(), "goal": 20.0}
    assert found["mine.speed"] == speed
    assert found["mine.calls"]["ratio"] is None


def test_what_cannot_be_measured_is_skipped_with_its_reason(tmp_path: Path) -> None:
    skipped = results(tmp_path)["mine.other"]
    assert (skipped["value"], skipped["note"]) == (None, "it is not installed")


def test_only_what_is_named_is_run_and_the_rest_keeps_its_figures(tmp_path: Path) -> None:
    old = {"mine.gone": {"value": 1}, "yours.speed": {"value": 7}}
    (tmp_path / "results.json").write_text(json.dumps(old))
    found = results(tmp_path, only="mine")
    assert found["yours.speed"] == {"value": 7}
    assert {name for name in found if name.startswith("mine.")} == {"mine.speed", "mine.calls", "mine.other"}


def test_a_name_that_is_none_is_told_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run({"mine": measure}, ["core"], tmp_path / "results.json") == 2
    assert "no benchmark core; there are mine" in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize(("value", "more", "met"), [(19, False, True), (21, False, False), (21, True, True)])
def test_a_goal_is_met_from_below_or_where_more_is_better_from_above(value: float, more: bool, met: bool) -> None:
    assert Figure("n", value, "us", goal=20, more=more).met is met


def test_a_storm_is_the_same_for_a_seed_and_has_as_many_alerts_as_asked() -> None:
    storm = a_storm(3, 600, each=10)
    assert storm == a_storm(3, 600, each=10)
    assert sum(len(json.loads(delivery.body)["alerts"]) for delivery in storm) == 600


def test_a_storm_replays_and_every_delivery_of_it_belongs_somewhere() -> None:
    outcome = replay(a_storm(3, 300), a_team(3))
    assert len(outcome.assign) == 300
    assert not outcome.quarantined


def test_duplicates_are_counted_as_costing_reads_alone() -> None:
    account = Account(deliveries.a_world())
    alerts = deliveries.alerts(5)
    for expected in (True, False):
        before = account.tally.writes
        account.receive(deliveries.request(alerts))
        account.settle()
        assert (account.tally.writes > before) is expected


STAND_IN = """#!{python}
import http.server, sys
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        open({log!r}, "ab").write(body + b"\\n")
        self.do_GET()
    def log_message(self, *_): pass
port = next(a for a in sys.argv if a.startswith("--web.listen-address=")).rpartition(":")[2]
http.server.HTTPServer(("127.0.0.1", int(port)), Api).serve_forever()
"""


def test_alertmanager_gets_what_is_known_and_then_every_batch(tmp_path: Path) -> None:
    program, log = tmp_path / "alertmanager", tmp_path / "log"
    program.write_text(STAND_IN.format(python=sys.executable, log=str(log)))
    program.chmod(0o755)
    alerts = deliveries.alerts(4)
    took = rival.cpu_microseconds(str(program), alerts[:2], [alerts[:1], alerts[2:]])
    assert 0 <= took < 30e6
    posted = [json.loads(line) for line in log.read_text().splitlines()]
    assert [len(batch) for batch in posted] == [2, 1, 2]
    assert posted[2][0]["labels"] == alerts[2]["labels"]


def test_a_life_is_counted_to_its_end() -> None:
    figures = {figure.name: figure.value for figure in calls.life()}
    assert figures["incident.transitions"] == 8
    assert figures["incident.calls"]
