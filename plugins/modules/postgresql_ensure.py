#!/usr/bin/python
"""Ansible module: states of a PostgreSQL server, each a query and the statement that makes it true."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_ensure
short_description: States of a PostgreSQL server, each a query and the statement that makes it true
description:
  - Runs the O(states[].query) of every state in order. Where the answer is not true, runs its
    O(states[].statement) and the query again.
  - One round trip for a database, its roles and their privileges, where one module call per role and
    privilege takes a minute over aws_ssm. Runs on the host as root and connects as C(postgres) over the
    socket.
  - Statements and values stay out of the server's log.
options:
  states:
    description: The states, in order.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the state, for messages and diffs.
        type: str
        required: true
      database:
        description: Database in which query and statement run.
        type: str
        default: postgres
      query:
        description: A query for one value, true where the state holds. C(%(key)s) stands for a value.
        type: str
        required: true
      statement:
        description: Statement that makes it hold. C({key}) stands for an identifier, C(%(key)s) for a value.
        type: str
        required: true
  identifiers:
    description: Names of database objects; they are quoted for statements, and are values as well.
    type: dict
    default: {}
  values:
    description: Values, which are bound as parameters and never become part of SQL.
    type: dict
    default: {}
  port:
    description: The server's port.
    type: int
    default: 5432
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Create the owner of the warehouse
  clickstream.aws.postgresql_ensure:
    identifiers: {owner: clickstream_owner}
    states:
      - name: The owner exists
        query: SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %(owner)s)
        statement: CREATE ROLE {owner} NOLOGIN
"""

RETURN = r"""
repaired:
  description: Names of the states that were not true.
  returned: always
  type: list
  elements: str
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.clickstream.aws.plugins.module_utils.postgresql import (
    CONNECTION_ARGUMENTS,
    Unavailable,
    connect,
    driver,
    report_unavailable,
)


class Server:
    """One connection per database, made when first needed."""

    def __init__(self, port: int, identifiers: Mapping[str, str], values: Mapping[str, Any]) -> None:
        self.port = port
        self.identifiers = identifiers
        self.values = {**identifiers, **values}
        self.connections: dict[str, Any] = {}

    def cursor(self, database: str) -> Any:
        """A cursor in that database; raises Unavailable."""
        if database not in self.connections:
            self.connections[database] = connect(database, self.port)
        return self.connections[database].cursor()

    def holds(self, state: Mapping[str, str]) -> bool:
        """Whether the state holds now."""
        with self.cursor(state["database"]) as cursor:
            cursor.execute(state["query"], self.values)
            row = cursor.fetchone()
        return bool(row and row[0])

    def make(self, state: Mapping[str, str]) -> None:
        """Run the state's statement."""
        sql = driver().sql
        names = {key: sql.Identifier(name) for key, name in self.identifiers.items()}
        with self.cursor(state["database"]) as cursor:
            cursor.execute(sql.SQL(state["statement"]).format(**names), self.values)


def would_repair(server: Server, state: Mapping[str, str]) -> bool:
    """In check mode: whether the state does not hold; it does not where its query fails."""
    try:
        return not server.holds(state)
    except (Unavailable, driver().Error):
        return True


def repair(module: AnsibleModule, server: Server, state: Mapping[str, str]) -> bool:
    """Make the state hold; returns whether that was needed."""
    try:
        if server.holds(state):
            return False
        server.make(state)
        if server.holds(state):
            return True
        reason = "it does not hold after its statement ran"
    except driver().Error as error:
        reason = str(error.diag.message_primary or error)
    module.fail_json(msg=f"{state['name']}: {reason}. Fix: see the state in roles/warehouse/vars/main.yml.")
    raise AssertionError("fail_json does not return")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "states": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"required": True},
                    "database": {"default": "postgres"},
                    "query": {"required": True},
                    "statement": {"required": True},
                },
            },
            "identifiers": {"type": "dict", "default": {}},
            "values": {"type": "dict", "default": {}, "no_log": True},
            **CONNECTION_ARGUMENTS,
        },
        supports_check_mode=True,
        no_log=True,  # of the arguments, in the host's journal: they are long
    )
    server = Server(module.params["port"], module.params["identifiers"], module.params["values"])
    states = module.params["states"]
    try:
        server.cursor("postgres").close()
        if module.check_mode:
            repaired = [state["name"] for state in states if would_repair(server, state)]
        else:
            repaired = [state["name"] for state in states if repair(module, server, state)]
    except Unavailable as reason:
        report_unavailable(module, "the warehouse's database and roles", reason)
    module.exit_json(
        changed=bool(repaired),
        repaired=repaired,
        diff={"before": "", "after": "".join(f"{name}\n" for name in repaired)} if repaired else {},
    )


if __name__ == "__main__":
    main()
