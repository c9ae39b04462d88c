"""Runs in parliament's environment: policies by name on stdin, findings on stdout, both JSON."""

import json
import sys

import parliament


def findings(policies: dict[str, dict]) -> list[dict[str, str]]:
    """Every finding, by action; where is the policy and the Sid of the statement."""
    found = []
    for name, policy in policies.items():
        text = json.dumps(policy, indent=1)
        for one in parliament.analyze_policy_string(text).findings:
            if parliament.enhance_finding(one).severity == "MUTED":
                continue
            where = " ".join([name, *sid(policy, text, one.location)])
            details = one.detail if isinstance(one.detail, list) else [one.detail]
            for what in {each["action"] if isinstance(each, dict) else str(each) for each in details}:
                found.append({"check": one.issue, "where": where, "what": what.replace(",", " ")})
    return found


def sid(policy: dict, text: str, location: dict) -> list[str]:
    """The Sid of the statement in which the location is: its lines are those between two at its own depth."""
    line = location.get("line")
    if not line:
        return []
    begun = text.splitlines()[:line].count("  {")
    return [policy["Statement"][begun - 1].get("Sid", str(begun))] if begun else []


if __name__ == "__main__":
    json.dump(findings(json.load(sys.stdin)), sys.stdout)
