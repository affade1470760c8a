"""The checks in their order, each with its figures."""

import json
import subprocess
import time

import arm
import bicep
import compiler
import names
import permissions
import project
import prove
import resource_types
import rules
import tooling
from tooling import HOME, INFRA

CHECKOV_LIMIT = 170  # seconds


def run(what):
    """All of them, whatever the ones before say. Returns the exit code."""
    if what == "permissions":
        permissions.PAGE.write_text(permissions.page(bicep.read(INFRA)))
        return 0
    failed = 0
    files = {}
    for heading, stage in STAGES:
        if what == "quick" and stage is _checkov:
            continue
        began = time.monotonic()
        try:
            faults, figures = stage(files)
        except (subprocess.TimeoutExpired, resource_types.Missing) as error:
            faults, figures = [str(error)], "it could not be checked"
        print(f"{heading}: {figures} ({time.monotonic() - began:.1f} s)", flush=True)
        for fault in faults:
            print(f"  {fault}", flush=True)
        failed += len(faults)
        if faults and stage is _parse:
            break  # Whatever follows reads what was parsed.
    return 1 if failed else 0


def _parse(files):
    files.update(bicep.read(INFRA))
    faults = [f"{path}:{line}: {kind} at {text!r}" for path, file in files.items() for line, kind, text in file.broken()]
    known = json.loads((INFRA / "bicepconfig.json").read_text())["extensions"]
    for path, file in files.items():
        faults += [f"{path}: bicepconfig.json does not say where extension {name} is" for name in file.extensions if name not in known]
    extended = [path for path, file in files.items() if file.extensions]
    return faults, f"{len(files)} files without an error or a missing node; the line `extension` of {', '.join(extended)} apart, which the grammar does not know"


def _names(files):
    faults, count = names.check(files)
    return faults, f"{count} names, {sum(len(file.modules) for file in files.values())} modules and their parameters"


def _types(files):
    faults, rows = resource_types.check(files)
    return faults, f"{sum(count for *_, count in rows)} resources of {len(rows)} types"


def _rules(files):
    faults, all_ = rules.check(files)
    return faults, ", ".join(all_)


def _prove(files):
    unseen, count = prove.check(files)
    return unseen, f"{count - len(unseen)} of {count} deliberate breaks are seen"


def _permissions(files):
    return list(permissions.check(files)), f"{len(permissions.REASONS)} actions, each with what it is for; {permissions.PAGE.name} is up to date"


def _project(_files):
    faults, figures = project.check()
    return faults, figures


def _compiler(_files):
    command = compiler.find()
    if command is None:
        return [], "there is no bicep on PATH, and no az bicep: not compiled"
    faults, compiled, unreachable = compiler.check(command)
    note = f"; not {', '.join(unreachable)}, whose extension could not be fetched" if unreachable else ""
    return faults, f"{compiled} files by `{' '.join(command)}`{note}"


def _checkov(files):
    folder = HOME / "arm"
    count = arm.write(files, folder)
    program = tooling.environment(tooling.CHECKOV) / "checkov"
    command = [str(program), "--framework", "arm", "--directory", str(folder), "--compact", "--quiet", "--skip-download", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CHECKOV_LIMIT, stdin=subprocess.DEVNULL)
    report = json.loads(done.stdout)
    summary, results = report["summary"], report["results"]
    faults = [f"{one['check_id']} {one['check_name']}: {one['file_path']} {one['resource']}" for one in results["failed_checks"]]
    faults += [f"checkov cannot read {path}" for path in results.get("parsing_errors", [])]
    if summary["resource_count"] < 10:
        faults.append(f"checkov saw {summary['resource_count']} resources only")
    reasons = [one for file in files.values() for one in arm.reasons(file)]
    return faults, f"{count} resources, {summary['passed']} passed, {summary['failed']} failed, {summary['skipped']} left out for {len(reasons)} written reasons"


STAGES = [
    ("Grammar (tree-sitter-bicep)", _parse),
    ("Names and modules", _names),
    ("Microsoft's resource types", _types),
    ("What compilers are silent about", _rules),
    ("Deliberate breaks", _prove),
    ("Who may do what", _permissions),
    ("Scripts, workflows, azure.yaml", _project),
    ("Bicep compiler", _compiler),
    ("checkov", _checkov),
]
