"""What waits is worded as the modules word it."""

from ansible_collections.clickstream.aws.plugins.action.pending import pending_lines


def test_one_line_per_resource() -> None:
    assert pending_lines(["PostgreSQL", "dashboard"], "SBW_EC2_ShinyDWH") == [
        "pending: PostgreSQL needs SBW_EC2_ShinyDWH",
        "pending: dashboard needs SBW_EC2_ShinyDWH",
    ]
