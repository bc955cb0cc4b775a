"""What holds for every test: the same examples each time, so that a red build is about the change, and no deadlines.

`pytest --hypothesis-profile exploring` tries others.
"""

from hypothesis import settings

settings.register_profile("exploring", deadline=None)
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
