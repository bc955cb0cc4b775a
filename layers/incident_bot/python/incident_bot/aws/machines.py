"""Step Functions: executions are started under names of ours, found by them, and woken by their tokens."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from incident_bot.aws.failures import code, translated

GONE = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class StepFunctions:
    """`Machines` by name: `arns` maps incident, remediation and decision to their state machine's ARN."""

    def __init__(self, connect: Callable[[], Any], arns: Mapping[str, str]) -> None:
        self._connect = connect
        self._arns = arns

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        with translated(f"starting {name}"):
            try:
                self._connect().start_execution(
                    stateMachineArn=self._arns[machine], name=name, input=json.dumps(payload)
                )
            except ClientError as error:
                if code(error) == "ExecutionAlreadyExists":
                    return False
                raise
        return True

    def running(self, machine: str, name: str) -> bool:
        arn = self._arns[machine].replace(":stateMachine:", ":execution:") + f":{name}"
        with translated(f"looking at {name}"):
            try:
                return bool(self._connect().describe_execution(executionArn=arn)["status"] == "RUNNING")
            except ClientError as error:
                if code(error) == "ExecutionDoesNotExist":
                    return False
                raise

    def wake(self, token: str) -> None:
        with _unless_gone("waking an execution"):
            self._connect().send_task_success(taskToken=token, output="{}")

    def leave(self, token: str, state: str, order: Mapping[str, Any]) -> None:
        with _unless_gone("sending an execution on"):
            self._connect().send_task_failure(taskToken=token, error=state, cause=json.dumps(order))


@contextmanager
def _unless_gone(doing: str) -> Iterator[None]:
    """Failures are ours; that nobody waits under a token any more is none."""
    with translated(doing):
        try:
            yield
        except ClientError as error:
            if code(error) not in GONE:
                raise
