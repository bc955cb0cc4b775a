"""What `cdk.json` runs: synthesizes without asking anybody for anything."""

from aws_cdk import App

from infra.aws.synthesis import synthesize

if __name__ == "__main__":
    synthesize(App())
