"""Runs in cloudsplaining's environment: policies by name on stdin, findings on stdout, both JSON."""

import json
import sys

from cloudsplaining.command.scan_policy_file import scan_policy


def findings(policies: dict[str, dict]) -> list[dict[str, str]]:
    """One finding for each kind of risk and action; a way to more rights is named by its method."""
    found = []
    for name, policy in policies.items():
        for risk, result in scan_policy(policy).items():
            for one in result["findings"] if isinstance(result, dict) else ():
                what = one if isinstance(one, str) else one.get("type", json.dumps(one, sort_keys=True))
                found.append({"check": risk, "where": name, "what": what})
    return found


if __name__ == "__main__":
    json.dump(findings(json.load(sys.stdin)), sys.stdout)
