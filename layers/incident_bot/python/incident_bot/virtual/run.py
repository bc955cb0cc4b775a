"""One execution of a state machine as it is walked: one state, one attempt at a time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from incident_bot.virtual.expression import QueryFailed, evaluated
from incident_bot.virtual.surroundings import Execution

State = Mapping[str, Any]
CALLED_BACK = ".waitForTaskToken"
UNBOUNDED = 99_999_999  # Step Functions' own limit of a task without TimeoutSeconds


class Failed(Exception):
    """A task failed with an error that Step Functions has a name for; `after_seconds` is how long that took."""

    def __init__(self, error: str, cause: str = "", after_seconds: float = 0) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
        self.after_seconds = after_seconds


class Crash(BaseException):
    """A Lambda function dies in the middle of its work; Step Functions learns it when the function's time is over.

    No handler may catch it, however much it catches.
    """

    def __init__(self, where: str, after_seconds: float = 60) -> None:
        super().__init__(where)
        self.after_seconds = after_seconds


class Work(Protocol):
    """Does what a task's resource names."""

    def __call__(self, resource: str, arguments: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Visit:
    """One state that an execution came through (each attempt is a visit)."""

    at: datetime
    state: str
    error: str = ""


@dataclass(slots=True)
class Run:
    """An execution under way: its state, that state's input, and when it goes on (or for which token it waits)."""

    execution: Execution
    definition: Mapping[str, Any]
    number: int
    state: str
    input: Any
    ready_at: datetime | None
    token: str = ""
    output: Any = None
    path: list[Visit] = field(default_factory=list)
    _entered: int = 0
    _retried: dict[int, int] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.execution.status == "RUNNING"

    @property
    def states(self) -> list[str]:
        """The names of the states it came through, repeated attempts left out."""
        return [v.state for i, v in enumerate(self.path) if i == 0 or self.path[i - 1].state != v.state]

    def step(self, now: datetime, work: Work) -> None:
        """Do one attempt of the present state."""
        self.path.append(Visit(now, self.state))
        if self.token:
            self._attempt(self._run_out, now)
        else:
            self._attempt(lambda: self._do(self._current, now, work), now)

    def wake(self, output: Any, now: datetime) -> None:
        """Its token was sent."""
        self.token = ""
        self._attempt(lambda: self._leave(self._current, {"result": output}, now), now)

    def fail(self, failure: Failed, now: datetime) -> None:
        """Its token was sent as that of a task that failed."""
        self.token = ""
        self._fail(failure, self._current, now)

    @property
    def _current(self) -> State:
        found: State = self.definition["States"][self.state]
        return found

    def _attempt(self, act: Callable[[], None], now: datetime) -> None:
        state = self._current
        try:
            act()
        except QueryFailed as error:
            self._fail(Failed("States.QueryEvaluationError", str(error)), state, now)
        except Failed as failure:
            self._fail(failure, state, now)

    def _run_out(self) -> None:
        self.token = ""
        raise Failed("States.Timeout", f"{self.state}: nobody sent the token")

    def _do(self, state: State, now: datetime, work: Work) -> None:
        kind = state["Type"]
        if kind == "Task":
            self._task(state, now, work)
        elif kind == "Choice":
            self._choose(state, now)
        elif kind == "Wait":
            self._go(
                state["Next"], self._output(state, {}), now, after=float(evaluated(state["Seconds"], self._known()))
            )
        elif kind == "Pass":
            self._leave(state, {}, now)
        elif kind == "Succeed":
            self._end("SUCCEEDED", self._output(state, {}))
        elif kind == "Fail":
            told = {"Error": state.get("Error", ""), "Cause": state.get("Cause", "")}
            self._end("FAILED", evaluated(told, self._known()))
        else:
            raise NotImplementedError(f"state {self.state}: a walker of {kind} states was not needed so far")

    def _task(self, state: State, now: datetime, work: Work) -> None:
        resource: str = state["Resource"]
        arguments = _json(evaluated(state.get("Arguments", {}), self._known(self._next_token())))
        if not resource.endswith(CALLED_BACK):
            self._leave(state, {"result": _json(work(resource, arguments))}, now)
            return
        self.token = self._next_token()
        self.ready_at = now + timedelta(seconds=state.get("TimeoutSeconds", UNBOUNDED))
        try:
            work(resource.removesuffix(CALLED_BACK), arguments)
        except Failed:
            self.token = ""
            raise

    def _choose(self, state: State, now: datetime) -> None:
        for choice in state["Choices"]:
            if evaluated(choice["Condition"], self._known()) is True:
                self._go(choice["Next"], self._output(choice, {}), now)
                return
        if "Default" not in state:
            raise Failed("States.NoChoiceMatched", self.state)
        self._go(state["Default"], self._output(state, {}), now)

    def _leave(self, state: State, known: Mapping[str, Any], now: datetime) -> None:
        output = self._output(state, known)
        if state.get("End"):
            self._end("SUCCEEDED", output)
        else:
            self._go(state["Next"], output, now)

    def _output(self, state: State, known: Mapping[str, Any]) -> Any:
        if "Output" in state:
            return _json(evaluated(state["Output"], {**self._known(), **known}))
        return known.get("result", self.input)

    def _go(self, state: str, output: Any, now: datetime, *, after: float = 0) -> None:
        self.state, self.input, self.token = state, output, ""
        self.ready_at = now + timedelta(seconds=after)
        self._entered += 1
        self._retried = {}

    def _end(self, status: str, output: Any) -> None:
        self.execution.status, self.output, self.ready_at = status, output, None

    def _fail(self, failure: Failed, state: State, now: datetime) -> None:
        self.path[-1:] = [Visit(self.path[-1].at, self.path[-1].state, failure.error)]
        later = now + timedelta(seconds=failure.after_seconds)
        for number, retrier in enumerate(state.get("Retry", [])):
            if _matches(failure.error, retrier["ErrorEquals"]):
                retried = self._retried.get(number, 0)
                if retried < retrier.get("MaxAttempts", 3):
                    self._retried[number] = retried + 1
                    self.ready_at = later + timedelta(seconds=_pause(retrier, retried))
                    return
                break
        self._catch(failure, state, later)

    def _catch(self, failure: Failed, state: State, now: datetime) -> None:
        told = {"Error": failure.error, "Cause": failure.cause}
        for catcher in state.get("Catch", []):
            if _matches(failure.error, catcher["ErrorEquals"]):
                self._go(catcher["Next"], self._output(catcher, {"errorOutput": told, "result": told}), now)
                return
        self._end("FAILED", told)

    def _known(self, token: str = "") -> dict[str, Any]:
        execution = {"Id": f"{self.execution.machine}:{self.execution.name}", "Name": self.execution.name}
        execution["StartTime"] = self.execution.started_at.isoformat()
        context = {"Execution": {**execution, "Input": self.execution.payload}, "State": {"Name": self.state}}
        return {"input": self.input, "context": {**context, "Task": {"Token": token}}}

    def _next_token(self) -> str:
        return f"token:{self.execution.machine}:{self.execution.name}:{self._entered}:{len(self.path)}"


def _matches(error: str, wanted: list[str]) -> bool:
    whole = "States.ALL" in wanted or error in wanted
    return whole or ("States.TaskFailed" in wanted and error != "States.Timeout" and not _of_the_machine(error))


def _of_the_machine(error: str) -> bool:
    return error in ("States.QueryEvaluationError", "States.NoChoiceMatched", "States.Runtime")


def _pause(retrier: Mapping[str, Any], retried: int) -> float:
    pause = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2)) ** retried
    return min(pause, float(retrier.get("MaxDelaySeconds", pause)))


def _json(value: Any) -> Any:
    """What crosses a border of Step Functions is JSON: anything else must fail here as it would there."""
    return json.loads(json.dumps(value))
