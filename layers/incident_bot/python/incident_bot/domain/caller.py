"""Who a caller is: the person behind a verified AWS identity, or nobody.

A caller counts as a person only where it could not choose to be somebody else: an IAM user, or a role session whose
name the role's trust policy pins (an Identity Center role does). Whoever may choose a session name would be two
approvers.
"""

import re
from fnmatch import fnmatchcase

from incident_bot.domain.team import Person, Team

_USER = re.compile(r"arn:(aws[a-z-]*|\$\{AWS::Partition\}):iam::(\d{12}|\$\{AWS::AccountId\}):user/(\S+/)?[\w+=,.@-]+")
_SESSION = re.compile(
    r"arn:(aws[a-z-]*|\$\{AWS::Partition\}):sts::(\d{12}|\$\{AWS::AccountId\}):assumed-role"
    r"/(?P<role>[\w+=,.@-]+\*?)/[\w+=,.@-]+"
)
SINGLE_SIGN_ON = "AWSReservedSSO_"  # Identity Center makes these roles and ends their names with a suffix of its own


def person_of(arn: str, team: Team) -> Person | None:
    """The person whose identity this is; None where no person's is, who may only read."""
    return next((person for person in team.people.values() if any(_same(arn, own) for own in person.arns)), None)


def flaw_of(identity: str) -> str:
    """What is wrong with an identity as the configuration writes it; empty when nothing is."""
    if _USER.fullmatch(identity):
        return ""
    session = _SESSION.fullmatch(identity)
    if session is None:
        return f"{identity!r} is neither an IAM user's ARN nor a session's (arn:...:assumed-role/ROLE/SESSION)"
    if session["role"].endswith("*") and not session["role"].startswith(SINGLE_SIGN_ON):
        return f"only an Identity Center role ({SINGLE_SIGN_ON}NAME_*) may end in *: anybody could make another role"
    return ""


def _same(arn: str, own: str) -> bool:
    """A `*` stands for a suffix of the role's name alone: neither side of it may reach over a slash."""
    return arn.count("/") == own.count("/") and fnmatchcase(arn, own) and not set("?[") & set(own)
