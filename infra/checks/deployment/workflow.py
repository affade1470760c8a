"""The steps of deploy.yml that deploy, run as GitHub would; and how the workflows name their Actions."""

import re
import subprocess

import yaml
from scene import LIMIT, ROOT, Scene
from stand_in import guid
from test_identity import APP, IDENTITY, complete

WORKFLOWS = ROOT / ".github" / "workflows"
VARS = {
    "AZURE_ENV_NAME": "prod", "AZURE_LOCATION": "northeurope", "AZURE_SUBSCRIPTION_ID": guid(2),
    "APPLICATION_ID": APP, "APPLICATION_PRINCIPAL_ID": guid(61), "AIVEN_PRINCIPAL_ID": guid(62), "ALERT_EMAILS": "oncall@example.com",
}


def check():
    """Returns (faults, figures)."""
    faults = []
    count = 0
    for path in sorted(WORKFLOWS.glob("*.yml")):
        for used in re.findall(r"uses: (.*)", path.read_text()):
            count += 1
            if not re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used):
                faults.append(f"{path.name}: {used} is not a commit with its version beside it")
    job = yaml.safe_load((WORKFLOWS / "deploy.yml").read_text())["jobs"]["deploy"]
    steps = [step for step in job["steps"] if re.search(r"\baz |infra/", step.get("run", ""))]
    for timers, wanted in ((1, 0), (0, 1)):
        with Scene(**complete(bicep="new")) as scene:
            fault = _deploy(scene, job, steps, timers)
            if bool(fault) != bool(wanted):
                faults.append(f"deploy.yml with{'' if timers else 'out'} running timers: {fault}")
    return faults, f"{len(steps)} steps of deploy.yml, which fails where no timer runs; {count} Actions by commit"


def _deploy(scene, job, steps, timers):
    """What goes wrong; None if nothing does."""
    package = scene.folder / "package"
    package.mkdir()
    (package / "app.zip").touch()
    for step in steps:
        given = {name: _value(text) for name, text in {**job.get("env", {}), **step.get("env", {})}.items()}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]], cwd=scene.folder, env=scene.environment(LOOKS="1", **given), capture_output=True, text=True,
            timeout=LIMIT, stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            return f"{step['name']}: {done.stderr.strip()[-300:]}"
        if scene.world["deployed"] and not timers:
            scene.change(timers=0)
    world = scene.world
    if not world["deployed"] or (world["main"]["APPLICATION_ID"], world["main"]["identity"]) != (APP, IDENTITY):
        return f"it deployed {world['main']}"
    return None


def _value(text):
    """An expression of GitHub's: a variable of the environment, with its default."""

    def found(match):
        name, default = match.group(1), match.group(2) or ""
        return VARS.get(name.removeprefix("vars."), default) if name.startswith("vars.") else f"a-{name}"

    return re.sub(r"\$\{\{ ([\w.]+)(?: \|\| '([^']*)')? \}\}", found, str(text))
