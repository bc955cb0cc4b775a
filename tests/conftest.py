"""What holds for every test: none is judged by how long it takes, since the machine may be busy with something else.

Under CI properties are tried on the same examples each time, so that a red build is about the change; elsewhere on
other ones each time.
"""

import os

from hypothesis import settings

settings.register_profile("untimed", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("untimed")
