"""The CDK app: one stack of small constructs, the same for an AWS account and for the emulator on a laptop."""

import os
import sys
from pathlib import Path

# The CDK runs on Node, which is installed beside this Python: a machine without Node can synthesize.
_node = Path(sys.executable).with_name("node")
if _node.exists():
    os.environ.setdefault("JSII_NODE", str(_node))
