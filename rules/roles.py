"""What each role at the desk may do: one table, asked by every page and every verb of the desk.

An officer works for one office; what he sees is bounded by it as well. A clerk works for a driving
school, which the registry lists as an office of kind ``driving_school``.
"""

from collections.abc import Mapping

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "review": frozenset({"reviewer", "head"}),
    "face_sign": frozenset({"reviewer", "head"}),
    "contact_change": frozenset({"reviewer", "head"}),
    "enrol_in_person": frozenset({"reviewer", "head"}),
    "exam_plans": frozenset({"reviewer", "head"}),
    "exam_bookings": frozenset({"reviewer", "head"}),
    "exam_results": frozenset({"reviewer", "head"}),
    "manage_schools": frozenset({"head"}),
    "enrol": frozenset({"clerk"}),
    "desk": frozenset({"reviewer", "head", "clerk"}),
}
"""Permission -> the roles that have it. ``review``: decide on matters of one's office.
``exam_plans``: publish, change and cancel the sessions of tests. ``exam_bookings``: book and cancel
tests for who stands there or calls, refuse bookings; never a school's. ``exam_results``: enter the
results of tests and put them right. ``manage_schools``: open
school accounts and give their clerks logins, which organisations get at the window only. ``enrol``:
submit and follow a school's students. ``desk``: what is for everyone who has logged in."""

ROLES: frozenset[str] = frozenset().union(*PERMISSIONS.values())
"""Every role there is."""


def role_may(role: str, permission: str) -> bool:
    """Whether a role has a permission. KeyError for an unknown permission."""
    return role in PERMISSIONS[permission]
