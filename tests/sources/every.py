"""Every source that there is: those that are files, and the ready-made descriptions with their examples."""

from incident_bot import plugins
from incident_bot.configuration.custom import ready

READY = ready()
SOURCES = {**plugins.sources(), **{name: described.source for name, described in READY.items()}}
