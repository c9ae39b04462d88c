"""Machines follow instances."""

from local_cloud.router.backends import Backends


class Reconciler:
    """x."""

    def __init__(self, backends: Backends) -> None:
        self.backends = backends

    def wake(self, reboot: tuple[str, ...] = ()) -> None:
        """x."""

    async def run(self) -> None:
        """x."""
