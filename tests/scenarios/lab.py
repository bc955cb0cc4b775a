"""Functions for the bot to mend, and what watches them: metrics follow from what is really set, alerts from metrics."""

import io
import threading
import zipfile
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from infra.local.laptop import Laptop
from tests.scenarios import shop
from tests.scenarios.driving import Stack

WELL, SICK = 10.0, 500.0
TICK_SECONDS = 0.8


def build(laptop: Laptop) -> None:
    """Create the scenarios' functions: two published versions each, `live` on the second."""
    client, role = laptop.client("lambda"), laptop.client("iam").get_role(RoleName="shop-runtime")["Role"]["Arn"]
    for name in shop.functions():
        client.create_function(
            FunctionName=name, Runtime="python3.12", Role=role, Handler="handler.handle", Code={"ZipFile": _code("1")}
        )
        client.publish_version(FunctionName=name)
        client.update_function_code(FunctionName=name, ZipFile=_code("2"))
        client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="2")


def _code(release: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("handler.py"), f"def handle(event, context):\n    return {release}\n")
    return buffer.getvalue()


class Lab:
    """While it is open: one service's functions are measured each second, and an alert fires while one is sick."""

    def __init__(self, stack: Stack, service: str) -> None:
        self.stack, self.service = stack, service
        cells = service in shop.DEPLOYED
        self.functions = [f"{service}-{cell}" for cell in "ab"] if cells else [service]
        self._sick: Callable[[str], bool] = self._on_newest if cells else self._unclamped
        self._lambda, self._cloudwatch = stack.laptop.client("lambda"), stack.laptop.client("cloudwatch")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._fires: bool | None = None
        self.alert = {"title": f"{service} is sick", "service": service, "severity": "sev1"}
        self.hopeless = False  # whatever is done, it stays sick

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)

    def concurrency(self, function: str = "") -> int | None:
        """The reserved concurrency that is really set."""
        answer = self._lambda.get_function_concurrency(FunctionName=function or self.functions[0])
        found: int | None = answer.get("ReservedConcurrentExecutions")
        return found

    def version(self, function: str) -> str:
        """The version that `live` really points at."""
        return str(self._lambda.get_alias(FunctionName=function, Name="live")["FunctionVersion"])

    def heal(self) -> None:
        """The fault goes away by itself."""
        self._sick, self.hopeless = (lambda _: False), False

    def _unclamped(self, function: str) -> bool:
        reserved = self.concurrency(function)
        return reserved is None if self.service in shop.BARE else reserved != shop.LIMIT

    def _on_newest(self, function: str) -> bool:
        return self.version(function) == "2"

    def _run(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            sick = {name: self.hopeless or self._sick(name) for name in self.functions}
            data: list[dict[str, Any]] = [
                {"MetricName": shop.metric(name), "Value": SICK if bad else WELL, "StorageResolution": 1}
                for name, bad in sick.items()
            ]
            self._cloudwatch.put_metric_data(Namespace="Lab", MetricData=data)
            if any(sick.values()) is not self._fires:
                self._fires = any(sick.values())
                self.stack.webhook("generic", {**self.alert, "status": "firing" if self._fires else "resolved"})
