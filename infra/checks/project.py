"""Scripts, workflows and azure.yaml: what runs them is on GitHub and in azd, so here they are only read."""

import re
import subprocess
from pathlib import Path

import tooling
import yaml
from tooling import INFRA, ROOT

_PINNED = re.compile(r"[\w-]+/[\w./-]+@(v\d+|[0-9a-f]{40})")
# What a workflow fetches comes through actions and the package managers' own settings, never from an address written there.
_ADDRESSES = re.compile(r"https?://[^\s\"']+")
LIMIT = 60  # seconds


def check():
    """Returns (faults, figures)."""
    scripts = sorted(INFRA.rglob("*.sh"))
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    faults = [*_scripts(scripts), *_azd(), *(fault for path in workflows for fault in _workflow(path))]
    return faults, f"{len(scripts)} scripts by shellcheck, {len(workflows)} workflows"


def _scripts(scripts):
    program = tooling.environment(tooling.SCRIPTS) / "shellcheck"
    done = subprocess.run([str(program), *map(str, scripts)], capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
    if done.returncode:
        yield f"shellcheck: {done.stdout or done.stderr}"
    for path in scripts:
        if not path.stat().st_mode & 0o100:
            yield f"{path.relative_to(ROOT)} cannot be executed"


def _azd():
    """Hooks and parameter files that azure.yaml counts on are there."""
    project = yaml.safe_load((ROOT / "azure.yaml").read_text())
    module = ROOT / project["infra"]["path"] / project["infra"]["module"]
    for suffix in (".bicep", ".bicepparam"):
        if not module.with_suffix(suffix).is_file():
            yield f"azure.yaml: there is no {module.name}{suffix}"
    for name, hook in {**project.get("hooks", {}), **{k: v for one in project["services"].values() for k, v in one.get("hooks", {}).items()}}.items():
        command = hook["posix"]["run"] if "posix" in hook else hook["run"]
        if command.endswith(".sh") and not (ROOT / command).is_file():
            yield f"azure.yaml: hook {name} is {command}, which is not there"
    for name, service in project["services"].items():
        if f'"azd-service-name": "{name}"' not in (INFRA / "snapshots" / "main.json").read_text():
            yield f"azure.yaml: no resource has the tag of service {name}"


def _workflow(path):
    text, name = path.read_text(), path.name
    content = yaml.safe_load(text)
    if "permissions" not in content:
        yield f"{name}: it does not say what its token may do"
    for job, steps in ((job, one.get("steps", [])) for job, one in content["jobs"].items()):
        if "timeout-minutes" not in content["jobs"][job]:
            yield f"{name}: job {job} has no limit"
        for step in steps:
            if "uses" in step and not _PINNED.fullmatch(step["uses"]):
                yield f"{name}: {step['uses']} is not pinned"
            script = step.get("run", "")
            if re.search(r"\$\{\{\s*(github\.event|github\.head_ref|inputs)", script):
                yield f"{name}: job {job} puts a stranger's text into a script"
            for wanted in re.findall(r"(?:^|\s)((?:infra|\.ci)/[\w./-]+)", script):
                if not (ROOT / Path(wanted)).exists():
                    yield f"{name}: there is no {wanted}"
    for found in _ADDRESSES.findall(text):
        yield f"{name}: it names the address {found}"
