"""Stands in for az, azd and cargo: it keeps a small Azure in a file, refuses what is out of order, and notes every command."""

import json
import os
import re
import sys
from pathlib import Path

WORLD = Path(os.environ["WORLD"]) if "WORLD" in os.environ else None


class Refused(Exception):
    """The command fails: with this text and this exit code."""

    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code


def new_world(**changes):
    """What is there before anybody deploys. A dictionary, so that it can be kept as JSON."""
    world = {
        "az": "2.91.0", "bicep": "old", "logged_in": False, "azd_logged_in": False, "custom": False, "region": None,
        "tenant": guid(1), "subscriptions": {guid(2): "platform", guid(3): "network"}, "person": guid(4),
        "groups": {}, "applications": {}, "principals": {}, "main": None, "grants": None, "packaged": False, "deployed": False,
        "token": None, "timers": 0, "restarted": 0, "environments": {}, "chosen": None, "faults": [], "next": 100, "calls": [],
    }
    return {**world, **changes}


def guid(number):
    return f"{number:08x}-0000-4000-8000-000000000000"


def fresh(world):
    world["next"] += 1
    return guid(world["next"])


def parsed(words):
    """(words before the first flag, {flag: values})."""
    first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    flags, name = {}, None
    for word in words[first:]:
        if re.match(r"--?[a-z]", word):
            name = word
            flags[name] = []
        else:
            flags[name].append(word)
    return words[:first], flags


def main():
    import azd
    import cloud

    program, *words = sys.argv[1:]
    world = json.loads(WORLD.read_text())
    world["calls"].append([program, *words])
    save(world)
    try:
        broken(world, " ".join([program, *words]))
        answer = {"az": cloud.az, "azd": azd.azd, "cargo": azd.cargo}[program](world, words)
    except Refused as refusal:
        print(f"ERROR: {refusal}", file=sys.stderr)
        sys.exit(refusal.code)
    finally:
        save(world)
    if answer is not None:
        print(answer)


def broken(world, command):
    """A fault that a test wished for: [pattern, times, text, exit code]."""
    for fault in world["faults"]:
        if fault[1] and re.search(fault[0], command):
            fault[1] -= 1
            raise Refused(fault[2], fault[3])


def save(world):
    WORLD.write_text(json.dumps(world))


if __name__ == "__main__":
    # Under its own name, so that every module means the same `Refused`.
    from stand_in import main as start

    start()
