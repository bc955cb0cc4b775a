"""CloudFormation's intrinsic functions as people read them: `<SignalsQueue.Arn>`, `arn:<AWS::Partition>:...`."""

import re
from typing import Any


def readable(value: Any) -> str:
    """The text of a resolved template value, each reference as `<LogicalId>` or `<LogicalId.Attribute>`."""
    if not isinstance(value, dict):
        return str(value)
    (function, argument), *_ = value.items()
    match function:
        case "Ref":
            return f"<{argument}>"
        case "Fn::GetAtt":
            return f"<{argument if isinstance(argument, str) else '.'.join(argument)}>"
        case "Fn::Join":
            return str(argument[0]).join(readable(part) for part in argument[1])
        case "Fn::Sub":
            return _substituted(argument)
    raise ValueError(f"{function} is not expected in a policy")


def _substituted(argument: Any) -> str:
    text, given = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
    return re.sub(r"\$\{([^}]+)\}", lambda m: readable(given[m[1]]) if m[1] in given else f"<{m[1]}>", text)
