"""Links into the AWS console, for the partitions whose console has a public address."""

HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def console_links(partition: str, region: str, page: str) -> dict[str, str]:
    """That page of that region under the name `source`; nothing where the partition has no such console."""
    return {"source": f"https://{region}.{HOSTS[partition]}/{page}"} if partition in HOSTS else {}
