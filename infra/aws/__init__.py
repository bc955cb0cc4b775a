"""The CDK app: one stack of small constructs, the same for an AWS account and for the emulator on a laptop."""
