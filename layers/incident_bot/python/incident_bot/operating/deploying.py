"""Deployments that people, or pipelines of another kind, tell of by hand, and a service's last ones."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from incident_bot.domain.deploys import Change
from incident_bot.domain.team import Person
from incident_bot.ingest import deploying
from incident_bot.operating.documents import Asked
from incident_bot.state import deploys
from incident_bot.world import World

BY_HAND = "manual"


class Deploying(Asked):
    """That a deployment of a service began, or ended."""

    service: str = Field(min_length=1, max_length=200)
    state: Literal["started", "succeeded", "failed"]
    id: str = Field(
        default="",
        max_length=100,
        pattern="^[A-Za-z0-9_.:-]*$",
        description="The pipeline's own; without one, an end ends all of the service that were told of by hand.",
    )
    version: str = Field(default="", max_length=200)


class DeployShown(BaseModel):
    """One deployment of a service; `ends` is null while it runs."""

    service: str
    id: str
    source: str
    version: str
    by: str
    starts: datetime
    ends: datetime | None
    failed: bool


def note(world: World, person: Person, told: Deploying) -> list[DeployShown]:
    """Take it down; the deployments of that service, the newest first."""
    ended = told.state != "started"
    change = Change(
        source=BY_HAND,
        id=told.id or ("" if ended else world.new_id()),
        service=told.service,
        at=world.now(),
        ended=ended,
        failed=told.state == "failed",
        version=told.version,
        by=person.id,
    )
    return listed(world, deploying.note(world, change))


def listed(world: World, service: str) -> list[DeployShown]:
    """The last deployments of a service, the newest first."""
    return [
        DeployShown(
            service=service,
            id=deploy.id,
            source=deploy.source,
            version=deploy.version,
            by=deploy.by,
            starts=deploy.starts,
            ends=deploy.ends,
            failed=deploy.failed,
        )
        for deploy in reversed(deploys.read(world.store, service))
    ]
