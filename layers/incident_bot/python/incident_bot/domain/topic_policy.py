"""Whether CloudWatch may publish an alarm to a topic, and use its key: resource policies as IAM evaluates them.

CloudWatch publishes as the service principal `cloudwatch.amazonaws.com`, with the alarm's ARN and account as source.
It belongs to no organisation and has no account of its own, so a condition on those of the caller never lets it in.
Where a policy names a condition key that is not known here, it is taken to hold: what is reported is certain.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

SERVICE = "cloudwatch.amazonaws.com"
# Keys that describe a caller that is a person or a role: absent from what a service does by itself.
OF_CALLERS = ("aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:userid")
NEGATED = ("StringNotEquals", "StringNotLike", "ArnNotEquals", "ArnNotLike", "StringNotEqualsIgnoreCase")


def refusal(policy: Mapping[str, Any], actions: Sequence[str], alarm_arn: str, account: str) -> str:
    """Why the policy does not let CloudWatch do all of these actions for that alarm; empty where it does."""
    told = {
        "aws:sourceaccount": account,
        "aws:sourceowner": account,
        "aws:sourcearn": alarm_arn,
        "aws:securetransport": "true",
        "aws:principalisawsservice": "true",
        "aws:principalservicename": SERVICE,
    }
    known = {key: value for key, value in told.items() if value}  # in a template nobody knows the account yet
    for action in actions:
        concerned = [s for s in _many(policy.get("Statement", ())) if _names(s, action)]
        for statement in concerned:
            if statement.get("Effect") == "Deny" and not list(_unmet(statement, known)):
                return f"a statement denies {action} to whoever it does not name, CloudWatch included"
        allowing = [s for s in concerned if s.get("Effect") == "Allow"]
        unmet = [list(_unmet(statement, known)) for statement in allowing]
        if not allowing:
            return f"no statement allows {SERVICE} {action}"
        if all(unmet):
            return f"what would allow {action} asks for {unmet[0][0]}"
    return ""


def _names(statement: Mapping[str, Any], action: str) -> bool:
    """Whether the statement is about CloudWatch and the action."""
    principal = statement.get("Principal")
    services = _many(principal.get("Service", ())) if isinstance(principal, Mapping) else ()
    everybody = principal == "*" or (isinstance(principal, Mapping) and "*" in _many(principal.get("AWS", ())))
    patterns = [str(pattern).lower() for pattern in _many(statement.get("Action", ()))]
    return (everybody or SERVICE in services) and any(fnmatchcase(action.lower(), pattern) for pattern in patterns)


def _unmet(statement: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[str]:
    """The conditions of the statement that do not hold, in words."""
    for operator, tests in (statement.get("Condition") or {}).items():
        for key, values in tests.items():
            expected = [str(value).lower() if operator.startswith("Bool") else str(value) for value in _many(values)]
            if not _holds(operator, known.get(key.lower()), key.lower(), expected):
                yield f"{key} {operator} {', '.join(expected)}"


def _holds(operator: str, given: str | None, key: str, expected: Sequence[str]) -> bool:
    name = operator.removesuffix("IfExists").rpartition(":")[2]
    if given is None:
        if key not in OF_CALLERS:
            return True
        return name in NEGATED or operator.endswith("IfExists")
    matched = any(fnmatchcase(given, _pattern(name, value)) for value in expected)
    return not matched if name in NEGATED else matched


def _pattern(operator: str, value: str) -> str:
    """As `fnmatch` reads it: brackets are nothing special, and only `Like` and ARNs have wildcards."""
    value = value.replace("[", "[[]")
    return value if "Like" in operator or operator.startswith("Arn") else value.replace("*", "[*]").replace("?", "[?]")


def _many(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else (value,)
