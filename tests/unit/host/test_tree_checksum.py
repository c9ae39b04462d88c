"""The checksum is that of names and contents."""

import os
from pathlib import Path

from ansible_collections.clickstream.aws.plugins.filter.tree_checksum import tree_checksum


def test_it_changes_with_content_and_names_and_with_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = tree_checksum(str(tmp_path))
    os.utime(tmp_path / "a", (1, 1))
    assert tree_checksum(str(tmp_path)) == first
    (tmp_path / "a").write_text("2")
    second = tree_checksum(str(tmp_path))
    assert second != first
    (tmp_path / "a").rename(tmp_path / "b")
    assert tree_checksum(str(tmp_path)) not in {first, second}
