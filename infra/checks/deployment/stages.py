"""The checks in their order, each with its figures."""

import io
import time
import unittest

import commands
import readme
import scene
import workflow


def run(quick):
    """All of them, whatever the ones before say. Returns the exit code."""
    failed = 0
    for heading, stage in STAGES[: len(STAGES) - quick]:
        began = time.monotonic()
        faults, figures = stage()
        print(f"{heading}: {figures} ({time.monotonic() - began:.1f} s)", flush=True)
        for fault in faults:
            print(f"  {fault}", flush=True)
        failed += len(faults)
    return 1 if failed else 0


def _branches():
    said = io.StringIO()
    suite = unittest.defaultTestLoader.loadTestsFromNames(["test_identity", "test_hooks"])
    result = unittest.TextTestRunner(said).run(suite)
    return [] if result.wasSuccessful() else [said.getvalue()], f"{result.testsRun} tests of identity.sh, timers.sh and the hooks"


def _commands():
    return commands.check([*scene.typed, *readme.inline()])


def _real_az():
    import real_az

    return real_az.check()


STAGES = [
    ("Scripts, each branch", _branches),
    ("README's deployment section", readme.check),
    ("Workflows", workflow.check),
    ("Commands, by the real clients", _commands),
    ("identity.sh with the real az", _real_az),
]
