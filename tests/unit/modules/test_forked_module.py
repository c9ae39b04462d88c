"""A module that runs in a fork of Ansible's process has the result of one that Python was started for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[3]
MODULE_NAME = "tests.modules.forked"
SECRET = "hunter2"
MODULE = """
import os, signal, subprocess, sys
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

parent = Path(f"/proc/{os.getppid()}/cmdline").read_text().split("\\0")
with open(os.environ["SEEN"], "a") as seen:
    print("fork" if any(part.endswith("ansible-playbook") for part in parent) else "process", file=seen)


def around(module):
    os.environ["MADE"] = "here"
    return {
        "directory": os.getcwd(),
        "umask": os.umask(0),
        "python": sys.executable,
        "given": os.environ["GIVEN"],
        "child": subprocess.run(["sh", "-c", "echo $MADE"], capture_output=True, text=True).stdout,
        "temporary": os.path.isdir(module.tmpdir),
        "handlers": [str(signal.getsignal(number)).split(" at ")[0] for number in (2, 14, 15)],
        "stdin": sys.stdin.read(),
        "main": sys.modules["__main__"].main is main,
        "controller": [name for name in sys.modules if name.startswith(("ansible.plugins", "ansible.cli"))],
    }


def main():
    old = {"removed_in_version": "99.0.0", "removed_from_collection": "clickstream.aws"}
    options = {"does": {}, "password": {"no_log": True}, "user_password": {}, "old": old}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    does, password = module.params["does"], module.params["password"]
    if does == "change":
        module.exit_json(changed=True, check=module.check_mode, diff={"before": "a\\n", "after": "b\\n"})
    elif does == "secret":
        module.exit_json(changed=False, it=password, around=f"<{password}>")
    elif does == "fail":
        module.fail_json(msg=f"it does not work with {password}", more=[1, None, "é"])
    elif does == "raise":
        raise ValueError("nobody caught this")
    elif does == "warn":
        module.warn("this is a warning")
        module.deprecate("this is old", version="99.0.0", collection_name="clickstream.aws")
        module.exit_json(changed=False)
    elif does == "look":
        module.exit_json(**around(module))
    elif does == "noise":
        subprocess.run(["echo", "noise"])
        module.exit_json(changed=False)
    elif does == "print":
        print("no result")
        print("an error", file=sys.stderr)
        sys.exit(3)
    elif does == "words":
        sys.exit("these words")
    elif does == "kill":
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
"""
TASKS: dict[str, dict[str, Any]] = {
    "changes": {"forked": {"does": "change"}},
    "would change": {"forked": {"does": "change"}, "check_mode": True},
    "fails": {"forked": {"does": "fail", "password": SECRET}},
    "has a secret": {"forked": {"does": "secret", "password": SECRET}},
    "is not logged": {"forked": {"does": "secret", "password": SECRET}, "no_log": True},
    "raises": {"forked": {"does": "raise"}},
    "returns nothing": {"forked": {"does": "return"}},
    "warns": {"forked": {"does": "warn", "old": "x", "user_password": "y"}},
    "has options that are not": {"forked": {"dose": "change"}},
    "looks around": {"forked": {"does": "look"}},
    "says no JSON": {"forked": {"does": "print"}},
    "ends with words": {"forked": {"does": "words"}},
    "has a noisy child": {"forked": {"does": "noise"}},
    "is killed": {"forked": {"does": "kill"}},
    "loops": {"forked": {"does": "{{ item }}"}, "loop": ["change", "fail", "warn"]},
}
NEVER: dict[str, dict[str, Any]] = {
    "environment": {"forked": {"does": "look"}, "environment": {"GIVEN": "by the task"}},
    "interpreter": {
        "forked": {"does": "look"},
        "vars": {"ansible_python_interpreter": "{{ playbook_dir }}/python"},
    },
    "become": {
        "forked": {"does": "look"},
        "become": True,
        "vars": {"ansible_become_user": "{{ lookup('ansible.builtin.pipe', 'id -un') }}"},
    },
    "async": {"forked": {"does": "look"}, "async": 60, "poll": 1},
}
"""What a fork is not."""


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection with a module that is run as the AWS modules are."""
    place = tmp_path_factory.mktemp("collections")
    own = place / "ansible_collections/tests/modules"
    (own / "plugins/modules").mkdir(parents=True)
    (own / "plugins/modules/forked.py").write_text(MODULE)
    (own / "meta").mkdir()
    routing = {"modules": {"forked": {"action_plugin": "clickstream.aws.aws"}}}
    (own / "meta/runtime.yml").write_text(yaml.safe_dump({"plugin_routing": routing}))
    (place / "python").symlink_to(sys.executable)
    return place


def ran(
    collection: Path, tasks: dict[str, dict[str, Any]], *options: str
) -> tuple[dict[str, Any], list[str]]:
    """The results of tasks by their names, and how each module was run."""
    named = [
        {"name": name, **{MODULE_NAME if key == "forked" else key: value for key, value in task.items()}}
        for name, task in tasks.items()
    ]
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "ignore_errors": True}
    interpreter = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    (collection / "play.yml").write_text(json.dumps([{**play, "vars": interpreter, "tasks": named}]))
    seen = collection / "seen"
    seen.write_text("")
    done = subprocess.run(
        [
            Path(sys.executable).with_name("ansible-playbook"),
            "-i",
            "localhost,",
            "--diff",
            *options,
            "play.yml",
        ],
        cwd=collection,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": f"{collection}:{PROJECT / 'collections'}",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_INJECT_INVOCATION": "1",
            "ANSIBLE_LOG_PATH": str(collection / "log"),
            "SEEN": str(seen),
            "GIVEN": "by the shell",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert SECRET not in done.stdout + done.stderr + (collection / "log").read_text()
    answer = json.loads(re.split(r"^(?={$)", done.stdout, maxsplit=1, flags=re.MULTILINE)[1])
    results = {task["task"]["name"]: task["hosts"]["localhost"] for task in answer["plays"][0]["tasks"]}
    return results, seen.read_text().split()


def test_a_module_has_the_same_result_in_a_fork(collection: Path) -> None:
    forked, how = ran(collection, TASKS)
    assert set(how) == {"fork"}
    expected, how = ran(collection, TASKS, "-vvv")
    assert set(how) == {"process"}
    assert forked == expected
    assert forked["warns"]["warnings"] and forked["warns"]["deprecations"]


def test_a_process_of_its_own_has_what_a_fork_has_not(collection: Path) -> None:
    results, how = ran(collection, NEVER)
    assert [name for name, result in results.items() if result.get("failed")] == []
    assert how == ["process"] * len(NEVER)
    assert results["environment"]["given"] == "by the task"
    assert results["interpreter"]["python"] == str(collection / "python")
