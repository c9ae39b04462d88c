"""What `make up` suggests to try leaves the demo's products alone."""

import json
import re
from pathlib import Path

from ansible_collections.clickstream.aws.plugins.module_utils import traffic

TEMPLATE = Path(__file__).parents[2] / "roles/handover/templates/handover.txt.j2"


def test_the_event_to_try_has_a_product_of_its_own() -> None:
    """A name in an event renames the product of that id on the dashboard."""
    found = re.search(r"-d '(\{.*?\})' ", TEMPLATE.read_text())
    assert found
    product = json.loads(found[1])["product"]
    assert product["id"] not in {one.id for one in traffic.CATALOGUE}
    assert product["name"] not in {one.name for one in traffic.CATALOGUE}
