"""The README's deployment section, typed line by line into one shell, as a reader would who has only what was printed before."""

import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

from cloud import AUDIENCE
from scene import ROOT, Scene
from stand_in import guid

SECTION = re.compile(r"^## Deploy in ten minutes$(.*?)^### ", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"<([a-z ]+)>")
# What each placeholder looks like where it was printed.
VALUES = {"subscription id": re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")}
TOKEN, MAILS = "token-of-aiven", "oncall@example.com"
# Takes commands from a pipe, so that standard input is the reader's keyboard; tells the exit code after each.
SHELL = 'while IFS= read -r -u 3 line; do eval "$line"; printf "\\n@@ %d\\n" $?; done'
LIMIT = 120  # seconds for a whole block


class Stopped(Exception):
    """A line did not do what the section says."""


def section():
    return SECTION.search((ROOT / "README.md").read_text()).group(1)


def blocks():
    """The lines of each block of commands."""
    return [
        [line[2:] for line in block.splitlines() if line.startswith("$ ")]
        for block in re.findall(r"^```console\n(.*?)^```$", section(), re.MULTILINE | re.DOTALL)
    ]


def inline():
    """Whole commands of az and azd in the section's text: those with arguments."""
    found = re.findall(r"`((?:az|azd) [^`]+ --[^`]+)`", section())
    return [shlex.split(one.replace("$AZURE_ENV_NAME", "prod").replace("$AZURE_LOCATION", "northeurope")) for one in found]


def check():
    """Returns (faults, figures)."""
    faults, count, tried = [], 0, 0
    for lines in blocks():
        # A line that can be left out is not needed, or what it does is not looked at.
        less = [(f"without {line!r}", lines[:at] + lines[at + 1:]) for at, line in enumerate(lines)]
        orders = [("as written", lines), *less, ("backwards", lines[::-1])]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            outcomes = list(pool.map(outcome, [order for _, order in orders]))
        here = f"the block that begins with {lines[:3]}"
        faults += [f"{here}: {outcomes[0]}"] if outcomes[0] else []
        faults += [f"{here}: it works {what}" for (what, _), fault in zip(orders[1:], outcomes[1:], strict=True) if not fault]
        count, tried = count + len(lines), tried + len(less) + 1
    if len(blocks()) != 2:
        faults.append(f"{len(blocks())} blocks of commands instead of two: with azd and without")
    return faults, f"{count} lines in their order; {tried} other orders and omissions fail"


def outcome(lines):
    """What goes wrong with these lines; None if nothing does."""
    with Scene() as scene:
        try:
            transcript = typed(scene, lines)
        except Stopped as stop:
            return str(stop)
        return unmet(scene.world) or ("the token was printed" if TOKEN in transcript else None)


def typed(scene, lines):
    """Types the lines; returns all that was printed."""
    commands, ours = os.pipe()
    keyboard = scene.folder / "keyboard"
    keyboard.write_text(f"{TOKEN}\n")
    with open(keyboard) as stdin, os.fdopen(ours, "w") as pipe:
        # The shell's end of the pipe must be number 3 there.
        shell = subprocess.Popen(
            ["bash", "-c", f"exec 3<&{commands}; {SHELL}"], cwd=scene.folder, env=scene.environment(LOOKS="2"), pass_fds=[commands],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        os.close(commands)
        printed = []
        try:
            for line in lines:
                pipe.write(filled(line, "".join(printed)) + "\n")
                pipe.flush()
                said, code = answer(shell)
                printed.append(said)
                if code:
                    raise Stopped(f"{line!r} ends with {code}: {said.strip()[-400:]}")
        finally:
            pipe.close()
            shell.wait(LIMIT)
            shell.stdout.close()
    return "".join(printed)


def answer(shell):
    """What a line printed, and its exit code."""
    said = []
    for text in shell.stdout:
        if text.startswith("@@ "):
            return "".join(said), int(text.split()[1])
        said.append(text)
    raise Stopped(f"the shell is gone: {''.join(said)}")


def filled(line, printed):
    """Each placeholder replaced by the next value of its kind that was printed before."""
    counts = {}

    def value(match):
        name = match.group(1)
        if name not in VALUES:
            raise Stopped(f"{line!r}: nothing says what <{name}> is")
        known = list(dict.fromkeys(VALUES[name].findall(printed)))
        counts[name] = counts.get(name, 0) + 1
        if counts[name] > len(known):
            raise Stopped(f"{line!r}: <{name}> was not printed by any line before")
        return known[counts[name] - 1]

    return PLACEHOLDER.sub(value, line)


def unmet(world):
    """What is not as it has to be at the end; None if all is."""
    main, grants = world["main"] or {}, world["grants"] or {}
    (app,) = world["applications"].values() or [{"credentials": []}]
    wishes = {
        "the app is deployed": world["deployed"],
        "the timers were looked at": any("/query" in " ".join(call) for call in world["calls"]),
        "the vault has the token": world["token"] == {"aiven-token": TOKEN},
        "somebody gets the alerts": main.get("ALERT_EMAILS") == MAILS,
        "the app knows its application": main.get("APPLICATION_ID") == app.get("appId"),
        "the app knows both principals": {main.get("APPLICATION_PRINCIPAL_ID"), main.get("AIVEN_PRINCIPAL_ID")} == set(world["principals"].values()),
        "the identity may sign in": [(one["subject"], one["audiences"]) for one in app["credentials"]] == [(main.get("identity"), [AUDIENCE])],
        "the app may work in both subscriptions": grants.get("PEERING_SUBSCRIPTIONS") == f"{guid(2)},{guid(3)}",
    }
    return next((f"not so at the end: {wish}" for wish, met in wishes.items() if not met), None)
