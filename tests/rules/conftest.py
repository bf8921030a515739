"""Property tests judge results, not the speed of a machine that others use too."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
