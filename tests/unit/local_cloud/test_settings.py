"""Settings: what follows from them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_cloud import cgroups, settings
from local_cloud.errors import CloudError
from local_cloud.settings import Settings, from_mapping


def test_everything_follows_from_the_range_and_the_port() -> None:
    cloud = Settings(name="test", endpoint_port=4666, vpc_cidr="10.77.0.0/16")
    assert cloud.gateway == "10.77.0.1"
    assert cloud.endpoint == "http://127.0.0.1:4666"
    assert len({cloud.endpoint_port, cloud.moto_port, cloud.ministack_port, cloud.cacher_port}) == 4
    assert cloud.state.name == "test"


def test_names_of_bridges_fit_and_differ() -> None:
    bridges = [Settings(name=name).bridge for name in ("clickstream", "clickstream-2", "c", "a" * 31)]
    assert len(set(bridges)) == 4
    assert all(len(bridge) <= 15 for bridge in bridges)


def test_two_clones_share_neither_a_bridge_nor_a_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Stopping a cloud must not end the machines of another clone's cloud of the same name."""
    monkeypatch.setattr(cgroups, "hierarchy", lambda mounts: tmp_path)
    names = []
    for clone in ("one", "two"):
        monkeypatch.setattr(settings, "PROJECT", tmp_path / clone)
        names += [Settings().bridge, cgroups.parent(Settings()).name]
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "../etc"}, "not a name"),
        ({"name": ""}, "not a name"),
        ({"endpoint_port": 80}, "local_cloud_endpoint_port"),
        ({"proxy_port": 70000}, "local_cloud_proxy_port"),
        ({"vpc_cidr": "10.0.0.1/16"}, "platform_vpc_cidr"),
        ({"vpc_cidr": "54.0.0.0/16"}, "platform_vpc_cidr"),
        ({"vpc_cidr": "10.0.0.0/8"}, "platform_vpc_cidr"),
        ({"endpoint_prot": 4566}, "endpoint_prot"),
    ],
)
def test_bad_settings_are_refused_with_the_fix(values: dict[str, object], said: str) -> None:
    with pytest.raises(CloudError) as caught:
        from_mapping(values)
    assert said in str(caught.value)
    assert "Fix: " in str(caught.value)
    assert "\n" not in str(caught.value)
