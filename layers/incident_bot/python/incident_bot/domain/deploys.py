"""Deployments of a service, as their pipelines tell of them, and the windows that they open while they run.

Order is by the pipeline's own time: an end that overtakes its beginning leaves a record that opens nothing. A
deployment that failed has no settling time: what fires then counts. Deployments that follow one another without a pause
share one time: a service that is deployed every few minutes is not hidden for ever.

Whom to believe: a pipeline's record is fact, as its source is for telling of deployments and nothing else. What an
alert's label says is a claim, and so is a change that comes by a key which is for alerts: whoever may send alerts of
one service could else join another's incident by naming its change. A label is believed where such a record of the
alert's own service says the same; a claim connects only services that are related (`Topology.related`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from incident_bot.domain.match import matches
from incident_bot.domain.suppress import Window, slug
from incident_bot.domain.team import DeployWindow

KEPT = 10  # deployments remembered of a service
LONGEST = timedelta(minutes=30)  # a deployment whose end nobody told is believed to run
MINUTE = timedelta(minutes=1)
TELLING = re.compile(  # a commit's hash or an image's digest: hex digits, not all of them decimal ones as in a date
    r"(?<![0-9a-z])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{7,64}(?![0-9a-z])", re.IGNORECASE
)
PAUSE = timedelta(minutes=5)  # a window that opens so soon after another goes on with it: nobody was told in between


@dataclass(frozen=True, slots=True)
class Change:
    """What a pipeline says of a deployment: that it began, or (`ended`) how it ended; `failed` where that was badly.

    `id` is the pipeline's own for this deployment; an end without an id ends all that its source began. `service` and
    `resource` name what is deployed, as in an alert. `claimed`: whoever may send alerts could say so.
    """

    source: str
    id: str
    service: str
    at: datetime
    ended: bool
    failed: bool = False
    resource: str = ""
    version: str = ""
    by: str = ""
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """What was deployed of a service last before a moment, the seconds from its beginning to then (0: not known), and
    whether that is a claim."""

    change: str = ""
    after: int = 0
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Deploy:
    """One deployment of a service; `ends` is None while it runs.

    `since` is when the first of those began that it follows without a pause.
    """

    source: str
    id: str
    starts: datetime
    ends: datetime | None = None
    failed: bool = False
    version: str = ""
    by: str = ""
    since: datetime | None = None
    claimed: bool = False


def recorded(known: Sequence[Deploy], change: Change, rules: Sequence[DeployWindow] = ()) -> tuple[Deploy, ...]:
    """The deployments of a service once the change is known, oldest first; the same change again changes nothing.

    The rules say how long each one's window is, and so which of them follow one another without a pause.
    """
    mine = [d for d in known if d.source == change.source and (d.id == change.id or not change.id)]
    rest = [d for d in known if d not in mine]
    if not change.ended:
        mine = mine or [_begun(change)]
    elif mine:
        mine = [_ended(d, change) for d in mine]
    elif change.id:
        mine = [replace(_begun(change), ends=change.at, failed=change.failed)]
    ordered = sorted((*rest, *mine), key=lambda d: (d.starts, d.id))
    return _chained(ordered, [rule for rule in rules if _of(rule, change.service)])[-KEPT:]


def followed(deploys: Iterable[Deploy], at: datetime, within: float, said: str = "") -> Followed:
    """What of a service was deployed last before that moment, or the change that an alert of it `said` it follows.

    A deployment counts that is under way, or ended at most `within` seconds before; one without an end for half an
    hour. What was said is a claim unless it names one of those as only that change is named. Empty: nothing was.
    """
    window = timedelta(seconds=within)
    before = [
        d for d in deploys if d.starts <= at <= (d.ends or d.starts + LONGEST) + (window if d.ends else timedelta())
    ]
    if said:
        before = [d for d in before if not d.claimed and said in (d.version, d.id) and TELLING.search(said)]
    if not before:
        return Followed(said, claimed=bool(said))
    last = max(before, key=lambda d: (not d.claimed, d.starts))
    return Followed(_named(last), round((at - last.starts).total_seconds()), last.claimed)


def _named(deploy: Deploy) -> str:
    """What several services' deployments are called only where they are one change: `latest`, `v2` or a pipeline's
    number may be anybody's, so by their version only if it names a commit or an image, and else by its source's id."""
    telling = (name for name in (deploy.version, deploy.id) if TELLING.search(name))
    return next(telling, f"{deploy.source} {deploy.id}")


def windows(service: str, deploys: Iterable[Deploy], rules: Sequence[DeployWindow]) -> list[Window]:
    """The windows that a service's deployments open, by every rule that fits the service."""
    opened = [_window(service, deploy, rule) for deploy in deploys for rule in rules if _of(rule, service)]
    return [window for window in opened if window.starts < window.ends]


def _of(rule: DeployWindow, service: str) -> bool:
    return matches({"service": rule.when.get("service", "*")}, {"service": service})


def _chained(ordered: Sequence[Deploy], rules: Sequence[DeployWindow]) -> tuple[Deploy, ...]:
    """The deployments, each with the beginning of those it follows, some of which may be forgotten themselves: their
    windows may have lasted longer than that of the first that is known, so what was found then stands."""
    chained: list[Deploy] = []
    until = datetime.min.replace(tzinfo=UTC)
    for deploy in ordered:
        follows = chained and deploy.starts < until + PAUSE
        forgotten = deploy.since and deploy.since <= ordered[0].starts
        since = chained[-1].since if follows else deploy.since if forgotten else None
        chained.append(replace(deploy, since=since or deploy.starts))
        until = max([until, *(_ends(deploy, rule) for rule in rules)])
    return tuple(chained)


def _begun(change: Change) -> Deploy:
    claimed = change.claimed
    return Deploy(change.source, change.id, change.at, version=change.version, by=change.by, claimed=claimed)


def _ended(deploy: Deploy, change: Change) -> Deploy:
    if deploy.ends or change.at < deploy.starts:
        return deploy
    return replace(deploy, ends=change.at, failed=change.failed)


def _ends(deploy: Deploy, rule: DeployWindow) -> datetime:
    """When a deployment's window ends, for itself."""
    longest = deploy.starts + timedelta(minutes=rule.minutes)
    settled = timedelta(0) if deploy.failed else timedelta(minutes=rule.settle_minutes)
    return min(longest, deploy.ends + settled) if deploy.ends else longest


def _window(service: str, deploy: Deploy, rule: DeployWindow) -> Window:
    ends, since = _ends(deploy, rule), deploy.since or deploy.starts
    most = timedelta(minutes=max(rule.minutes, rule.chained_minutes))
    what = f"{deploy.version or deploy.id} of {service} is deployed"
    if since + most < ends:
        ends = max(deploy.starts, since + most)
        what += f"; one deployment has followed another since {since:%H:%M} UTC, which hides {most // MINUTE} minutes"
    return Window(
        id=f"deploy-{slug(service)}-{slug(deploy.source)}-{slug(deploy.id)}-{slug(rule.name)}",
        kind="deploy",
        name=f"deploy window {rule.name}",
        when={**rule.when, "service": _exactly(service)},
        starts=deploy.starts,
        ends=ends,
        author=deploy.by or deploy.source,
        reason=what,
    )


def _exactly(name: str) -> str:
    """The pattern that only this name fits: a pipeline may call what it deploys `*`."""
    return re.sub(r"[*?[]", r"[\g<0>]", name)
