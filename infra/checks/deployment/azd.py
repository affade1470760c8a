"""azd and cargo, as far as the README uses them. `azd up` does what azure.yaml says: hooks, parameter file, package."""

import json
import os
import subprocess
from pathlib import Path

import cloud
from stand_in import WORLD, Refused, parsed, save

# What azd reads from the output of main.bicep.
OUTPUTS = ("AZURE_RESOURCE_GROUP", "FUNCTION_APP_NAME", "STORAGE_ACCOUNT_NAME", "KEY_VAULT_NAME", "IDENTITY_PRINCIPAL_ID")


def azd(world, words):
    command, flags = parsed(words)
    if command == ["auth", "login"]:
        world["azd_logged_in"] = True
    elif command == ["config", "set", "alpha.language.custom", "on"]:
        world["custom"] = True
    elif command[:2] == ["env", "new"]:
        (name,) = command[2:]
        world["environments"][name] = {
            "AZURE_ENV_NAME": name, "AZURE_SUBSCRIPTION_ID": flags["--subscription"][0], "AZURE_LOCATION": flags["--location"][0],
        }
    elif command[:2] == ["env", "set"]:
        name, value = command[2:]
        environment(world)[name] = value
    elif command[:2] == ["env", "get-value"]:
        (name,) = command[2:]
        if name not in environment(world):
            raise Refused(f"key '{name}' not found in the environment values")
        return environment(world)[name]
    elif command == ["up"]:
        up(world)
    else:
        raise Refused(f"the stand-in does not know azd {' '.join(words)}")
    return None


def environment(world):
    if not world["environments"]:
        raise Refused("no environment exists. Run azd env new")
    return list(world["environments"].values())[-1]


def cargo(world, words):
    if words != ["package-app"]:
        raise Refused(f"the stand-in does not know cargo {' '.join(words)}")
    folder = Path("target/package/app")
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "app.zip").touch()
    (folder.parent / "app.zip.sha256").touch()
    world["packaged"] = True


def up(world):
    """package, provision, deploy: the order of azd's own workflow."""
    import yaml

    if not world["azd_logged_in"]:
        raise Refused("not logged in, run `azd auth login` to login")
    project = yaml.safe_load(Path("azure.yaml").read_text())
    service = project["services"]["app"]
    if not world["custom"]:
        raise Refused("service 'app' uses language 'custom', which is not enabled. Run: azd config set alpha.language.custom on")
    hook(world, service["hooks"]["prepackage"])
    if not Path(service["dist"]).is_dir():
        raise Refused(f"there is no {service['dist']} to package")
    hook(world, project["hooks"]["preprovision"])
    provision(world, Path(project["infra"]["path"], f"{project['infra']['module']}.bicepparam"))
    hook(world, project["hooks"]["postprovision"])
    world["deployed"], world["timers"] = True, 1


def provision(world, path):
    known = environment(world)
    # azd knows who runs it, and tells the parameter file.
    given = cloud.variables(path, {**known, "AZURE_PRINCIPAL_ID": world["person"]})
    name = known["AZURE_ENV_NAME"]
    cloud.deploy(world, "main", given, known["AZURE_LOCATION"], f"azd-{name}")
    main = world["main"]
    known.update(zip(OUTPUTS, (main["group"], f"func-{name}", f"st{name}", f"kv-{name}", main["identity"]), strict=True))


def hook(world, given):
    """Runs it with the environment's values, as azd does; the stand-ins that it calls change the same world."""
    save(world)
    command = [given["posix"]["shell"], "-c", given["posix"]["run"]]
    done = subprocess.run(command, env={**os.environ, **environment(world)}, check=False, stdin=subprocess.DEVNULL)
    world.clear()
    world.update(json.loads(WORLD.read_text()))
    if done.returncode:
        raise Refused(f"hook {given['posix']['run']!r} failed with exit code {done.returncode}")
