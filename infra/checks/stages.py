"""The checks in their order, each with its figures."""

import subprocess
import time
from contextlib import nullcontext

import compiler
import inputs
import judge
import project
import prove
import snapshots
from tooling import INFRA, ROOT

# What whoever compiles leaves beside the templates: the parameters of main have the token in clear text.
_LEFT = [f"{stem}{end}" for stem in ("main", "app", "grants", "identity", "landing-zone") for end in (".json", ".parameters.json", ".snapshot.json")]


def run(what):
    """All of them, whatever the ones before say. Returns the exit code."""
    program, failed = compiler.find(), 0
    if program is None:
        print(f"SKIPPED: what needs the compiler, because {compiler.MISSING}", flush=True)
    with compiler.Compiler(program) if program else nullcontext() as one:
        for heading, stage in STAGES[what]:
            began = time.monotonic()
            try:
                outcome = stage(one)
            except (subprocess.TimeoutExpired, compiler.Refused, ValueError) as error:
                outcome = [str(error)], "it could not be checked"
            if outcome is None:
                continue
            faults, figures = outcome
            print(f"{heading}: {figures} ({time.monotonic() - began:.1f} s)", flush=True)
            for fault in faults:
                print(f"  {fault}", flush=True)
            failed += len(faults)
    return 1 if failed else 0


def _compile(one):
    """No diagnostic at all is the bar, and the compiler's own format."""
    if one is None:
        return None
    files = sorted([*one.folder.rglob("*.bicep"), *one.folder.rglob("*.bicepparam")])
    return list(dict.fromkeys(one.diagnostics(files))), f"{len(files)} files by Bicep {one.version()}"


def _sources(one):
    """Parameters of one name have one source, whichever template takes them."""
    if one is None:
        return None
    given, faults = {}, []
    for path in sorted(one.folder.glob("*.bicepparam")):
        for name, value in one.parameters(path).items():
            other, before = given.setdefault(name, (path.name, value))
            if before != value:
                faults.append(f"{name} is {before!r} by {other} and {value!r} by {path.name}")
    return faults, f"{len(given)} parameters of {len(list(one.folder.glob('*.bicepparam')))} files"


def _renew(one):
    if one is None:
        return None
    faults = snapshots.renew(one, write=False)
    if faults:
        faults.append(f"if that is meant: infra/checks/run write (kept by Bicep {compiler.VERSION}, made again by {one.version()})")
    return faults, f"{len(snapshots.names())} sets of parameters predicted again"


def _write(one):
    if one is None:
        return [compiler.MISSING], "nothing was written"
    return snapshots.renew(one, write=True), f"{len(snapshots.names())} sets of parameters predicted and kept"


def _inputs(one):
    if one is None:
        return None
    faults, count = inputs.check(one, snapshots.kept())
    return faults, f"{count} wrong inputs are stopped, each with its sentence"


def _judge(_one):
    kept = snapshots.kept()
    faults = judge.check(kept)
    missing = sorted(set(snapshots.names()) ^ set(kept))
    faults += [f"{name}: parameters without a kept file, or the other way round" for name in missing]
    rules = ", ".join(rule.__name__ for rule in [*judge.EACH, *judge.ALL])
    return faults, f"{len(kept)} sets of parameters, {sum(len(one.resources) for one in kept.values())} resources: {rules}"


def _prove(_one):
    unseen, count = prove.check()
    return unseen, f"{count - len(unseen)} of {count} deliberate breaks are seen"


def _project(_one):
    faults, figures = project.check()
    if not (ROOT / ".git").exists():
        return faults, figures
    shown = subprocess.run(["git", "check-ignore", *(str(INFRA / name) for name in _LEFT)], cwd=ROOT, capture_output=True, text=True, check=False)
    kept = [name for name in _LEFT if str(INFRA / name) not in shown.stdout.splitlines()]
    return [*faults, *(f".gitignore: infra/{name} would be committed" for name in kept)], figures


STAGES = {
    "all": [
        ("Bicep compiler", _compile), ("One source", _sources), ("Snapshots", _renew), ("Wrong inputs", _inputs),
        ("Predicted resources", _judge), ("Deliberate breaks", _prove), ("Scripts, workflows, azure.yaml", _project),
    ],
    "snapshots": [("Snapshots", _renew)],
    "write": [("Snapshots", _write)],
}
