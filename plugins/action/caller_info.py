"""Action plugin: an ``aws`` by the name of the module that every run begins with.

Ansible looks for a plugin of a module's own name in the process that forks a worker for each task, and
for one that ``meta/runtime.yml`` lists in the worker alone. So what all workers need is imported here, once:
boto3 above all, which costs each task 0.2 s otherwise.
"""

from __future__ import annotations

# Not used here: the connection plugin of the tasks on the host.
from ansible_collections.amazon.aws.plugins.connection import aws_ssm  # noqa: F401

from ansible_collections.clickstream.aws.plugins.action.aws import ActionModule as AwsActionModule


class ActionModule(AwsActionModule):
    """Nothing else."""
