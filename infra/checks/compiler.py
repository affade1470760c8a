"""Microsoft's compiler, where there is one: one process that is asked for everything."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import msgraph
from tooling import HOME, INFRA

# The kept snapshots are of this version.
VERSION = "0.49.2"
TENANT, SUBSCRIPTION = "77777777-7777-4777-8777-777777777777", "33333333-3333-4333-8333-333333333333"
# What the parameter files read, where azd and its hooks have run.
ENVIRONMENT = {
    "AZURE_ENV_NAME": "prod", "AZURE_LOCATION": "northeurope", "PEERING_SUBSCRIPTIONS": SUBSCRIPTION,
    "IDENTITY_PRINCIPAL_ID": "11111111-1111-4111-8111-111111111111",
    "APPLICATION_ID": "66666666-6666-4666-8666-666666666666",
    "APPLICATION_PRINCIPAL_ID": "22222222-2222-4222-8222-222222222222",
    "AIVEN_PRINCIPAL_ID": "44444444-4444-4444-8444-444444444444",
}
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "DOTNET_", "BICEP_CACHE", "XDG_CACHE_HOME")
MISSING = "there is no Bicep compiler (looked at $BICEP, PATH and the folder of az); to get one: az bicep install"


def find():
    """The program, or None."""
    of_az = Path(os.environ.get("AZURE_CONFIG_DIR", Path.home() / ".azure")) / "bin" / "bicep"
    for one in (os.environ.get("BICEP"), shutil.which("bicep"), str(of_az)):
        if one and os.access(one, os.X_OK):
            return one
    return None


class Compiler:
    """A compiler at work in a copy of the templates, with the Graph types beside them."""

    def __init__(self, program):
        HOME.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="source-", dir=HOME))
        others = shutil.ignore_patterns("checks", "package", "stager")
        shutil.copytree(INFRA, self.folder, ignore=others, dirs_exist_ok=True)
        msgraph.write(self.folder / "msgraph.tgz")
        config = json.loads((self.folder / "bicepconfig.json").read_text())
        config["extensions"]["microsoftGraphV1"] = "./msgraph.tgz"
        (self.folder / "bicepconfig.json").write_text(json.dumps(config))
        # Whoever runs this may have variables that the parameter files read.
        rest = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
        self._process = subprocess.Popen(
            [program, "jsonrpc", "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**rest, **ENVIRONMENT})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def version(self):
        return self._ask([("version", {})])[0]["version"]

    def diagnostics(self, paths):
        """What it says of files: errors, warnings and information alike, and where one is not in its own format."""
        verbs = [("compileParams", {"parameterOverrides": {}}) if path.suffix == ".bicepparam" else ("compile", {}) for path in paths]
        said = self._ask([(verb, {"path": str(path), **more}) for path, (verb, more) in zip(paths, verbs)])
        formatted = self._ask([("format", {"path": str(path)}) for path in paths])
        for path, answer, format_ in zip(paths, said, formatted):
            for one in answer["diagnostics"]:
                yield f"{Path(one['source']).name}:{one['range']['start']['line'] + 1}: {one['level']} {one['code']}: {one['message']}"
            if format_["contents"] != path.read_text():
                yield f"{path.name}: not formatted; run: bicep format infra/{path.relative_to(self.folder)}"

    def parameters(self, path):
        """The values that a parameter file gives."""
        given = json.loads(self._ask([("compileParams", {"path": str(path), "parameterOverrides": {}})])[0]["parameters"])
        return {name: one.get("value") for name, one in given["parameters"].items()}

    def snapshots(self, asked):
        """The predicted resources and outputs for pairs of a parameter file and its template; in the place of a prediction, why there is none."""
        scope = {"app": {"subscriptionId": SUBSCRIPTION, "resourceGroup": "rg-team"}, "landing-zone": {"managementGroupId": "mg-landing"}}
        rest = {"subscriptionId": SUBSCRIPTION, "location": "northeurope"}
        where = {"tenantId": TENANT, "deploymentName": "aiven-peering"}
        answers = self._ask([
            ("getSnapshot", {"path": str(path), "metadata": {**where, **scope.get(template, rest)}}) for path, template in asked], refusals=True)
        return [answer if isinstance(answer, Refused) else json.loads(answer["snapshot"]) for answer in answers]

    def _ask(self, asked, refusals=False):
        """Everything at once, so that all processors work; the answers in the order of the questions."""
        for number, (method, parameters) in enumerate(asked):
            body = json.dumps({"jsonrpc": "2.0", "id": number, "method": f"bicep/{method}", "params": parameters}).encode()
            self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            self._process.stdin.flush()
        answers = dict(self._answer() for _ in asked)
        for one in answers.values():
            if isinstance(one, Refused) and not refusals:
                raise one
        return [answers[number] for number in range(len(asked))]

    def _answer(self):
        length = 0
        while header := self._process.stdout.readline().strip():
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            raise Refused("the compiler ended before it had answered")
        answer = json.loads(self._process.stdout.read(length))
        return answer["id"], Refused(answer["error"]["message"]) if "error" in answer else answer["result"]


class Refused(Exception):
    """What the compiler, or the templates by fail(), said instead of an answer."""
