"""A walker of our state machines: the real definitions and the real handlers, on the virtual clock, many at a time."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from incident_bot.domain.errors import IncidentBotError
from incident_bot.virtual.run import Crash, Failed, Run
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Handler, World

Definitions = Mapping[str, Mapping[str, Any]]  # machine -> its definition
Choose = Callable[[Sequence[Run]], Run]
LAMBDA = "arn:aws:states:::lambda:invoke"
START = "arn:aws:states:::states:startExecution"
PUBLISH = "arn:aws:states:::sns:publish"


def oldest(ready: Sequence[Run]) -> Run:
    """The one that has been ready longest."""
    return min(ready, key=lambda run: (run.ready_at, run.number))


class Walker:
    """Step Functions over a virtual world. `step` does one attempt of one state, so that a simulation may interleave.

    `functions` maps a placeholder (`TriageFunctionArn`) to its handler. `seen` is the world that handlers get: the
    walker's own, or in a simulation one whose parts fail.
    """

    def __init__(
        self,
        world: VirtualWorld,
        definitions: Definitions,
        functions: Mapping[str, Handler],
        *,
        seen: World | None = None,
    ) -> None:
        self.world = world
        self._definitions = definitions
        self._functions = functions
        self._seen = seen or world
        self._taken = 0  # executions of the world's that are runs already
        self._sent = 0  # tokens of the world's that were looked at already
        self._live: dict[str, Run] = {}
        self._busy: set[int] = set()  # in the middle of an attempt, in which a simulation may let others step
        self.runs: dict[str, Run] = {}  # by name

    def step(self, choose: Choose = oldest) -> Run | None:
        """Let one execution that is ready do one attempt; None where none is ready now."""
        now = self.world.now()
        due = [run for run in self._alive() if run.ready_at is not None and run.ready_at <= now]
        ready = [run for run in due if run.number not in self._busy]
        if not ready:
            return None
        run = choose(ready)
        self._busy.add(run.number)
        try:
            run.step(now, self._work)
        finally:
            self._busy.discard(run.number)
        return run

    def settle(self, limit: int = 10_000) -> None:
        """Walk until nothing is ready now; RuntimeError where that does not end."""
        for _ in range(limit):
            if self.step() is None:
                return
        raise RuntimeError(f"the executions did not settle in {limit} steps")

    def next_at(self) -> datetime | None:
        """When the next execution is ready or the next token runs out."""
        return min((run.ready_at for run in self._alive() if run.ready_at is not None), default=None)

    def kill(self, name: str) -> None:
        """Abort an execution, as an operator or an outage would."""
        for run in self._alive():
            if run.execution.name == name:
                run.execution.status, run.ready_at, run.token = "ABORTED", None, ""

    def _alive(self) -> list[Run]:
        self._take_executions()
        self._take_tokens()
        for name in [name for name, run in self._live.items() if not run.running]:
            del self._live[name]
        return list(self._live.values())

    def _take_executions(self) -> None:
        executions = self.world.machines.executions
        if len(executions) == self._taken:
            return
        for execution in list(executions.values())[self._taken :]:
            definition = self._definitions[execution.machine]
            start = definition["StartAt"]
            run = Run(execution, definition, len(self.runs), start, execution.payload, execution.started_at)
            self.runs[execution.name] = self._live[execution.name] = run
        self._taken = len(executions)

    def _take_tokens(self) -> None:
        """A token is used once: whoever comes later has sent one that is gone."""
        sent = self.world.machines.sent
        for token, error, cause in sent[self._sent :]:
            run = self._waiting(token)
            if run and error:
                run.fail(Failed(error, cause), self.world.now())
            elif run:
                run.wake({}, self.world.now())
        self._sent = len(sent)

    def _waiting(self, token: str) -> Run | None:
        run = self._live.get(token.split(":")[2]) if token.startswith("token:") else None
        return run if run is not None and run.token == token else None

    def _work(self, resource: str, arguments: Any) -> Any:
        if resource == LAMBDA:
            return self._invoke(arguments["FunctionName"], arguments["Payload"])
        if resource == START:
            return self._start(_placeholder(arguments["StateMachineArn"]), arguments["Name"], arguments["Input"])
        if resource == PUBLISH:
            return self._publish(arguments["Subject"], arguments["Message"])
        raise NotImplementedError(f"a walker of {resource} was not needed so far")

    def _invoke(self, function: str, payload: Any) -> Any:
        handler = self._functions[_placeholder(function)]
        try:
            return {"StatusCode": 200, "Payload": handler(self._seen, payload)}
        except Crash as crash:
            raise Failed("Sandbox.Timedout", str(crash), crash.after_seconds) from crash
        except Exception as error:
            # The class of an exception is known to Step Functions; our machines rely on no more than that it failed.
            raise Failed(type(error).__name__, str(error)) from error

    def _start(self, placeholder: str, name: str, payload: Mapping[str, Any]) -> Any:
        machine = placeholder.removesuffix("MachineArn").lower()
        try:
            started = self._seen.machines.start(machine, name, payload)
        except (IncidentBotError, Crash) as error:
            raise Failed("StepFunctions.StepFunctionsException", str(error)) from error
        if not started:
            raise Failed("StepFunctions.ExecutionAlreadyExistsException", name)
        return {"ExecutionArn": f"{machine}:{name}"}

    def _publish(self, subject: str, text: str) -> Any:
        try:
            return {"MessageId": self._seen.notices.publish(subject, text)}
        except (IncidentBotError, Crash) as error:
            raise Failed("SNS.SnsException", str(error)) from error


def _placeholder(reference: str) -> str:
    return reference.removeprefix("${").removesuffix("}")
