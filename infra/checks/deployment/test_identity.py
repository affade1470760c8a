"""identity.sh: each of its branches."""

import unittest

from cloud import AUDIENCE, LOGIN
from scene import Scene
from stand_in import guid

SCRIPT = "infra/identity.sh"
APPLICATION, AIVEN = "aiven-azure-peering-default", "55f300d4-fc50-4c5e-9222-e90a6e2187fb"
IDENTITY, OTHER, APP = guid(50), guid(51), guid(60)
ISSUER = f"{LOGIN}/{guid(1)}/v2.0"
PROD = {"AZURE_ENV_NAME": "prod", "AZURE_LOCATION": "northeurope"}
DENIED = 'Forbidden({"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}})'
WRITES = (" create ", " update ", "--method patch")


def credential(name=f"{APPLICATION}-{IDENTITY}", subject=IDENTITY, issuer=ISSUER):
    return {"id": guid(70), "name": name, "subject": subject, "issuer": issuer, "audiences": [AUDIENCE]}


def complete(**changes):
    """A world where nothing is missing."""
    world = {
        "logged_in": True,
        "groups": {"rg-prod": {"id-prod": IDENTITY}},
        "applications": {APPLICATION: {"appId": APP, "signInAudience": "AzureADMultipleOrgs", "credentials": [credential()]}},
        "principals": {APP: guid(61), AIVEN: guid(62)},
    }
    return {**world, **changes}


def application(**changes):
    return {"applications": {APPLICATION: {"appId": APP, "signInAudience": "AzureADMultipleOrgs", "credentials": [], **changes}}}


def writes(scene):
    return [call for call in scene.calls if any(word in f"{call} " for word in WRITES)]


class IdentityScript(unittest.TestCase):
    maxDiff = None

    def assert_values(self, done, identity=IDENTITY):
        self.assertEqual(done.returncode, 0, done.stderr)
        names = [line.split("=")[0] for line in done.stdout.splitlines()]
        self.assertEqual(names, ["IDENTITY_PRINCIPAL_ID", "APPLICATION_ID", "APPLICATION_PRINCIPAL_ID", "AIVEN_PRINCIPAL_ID"])
        if identity:
            self.assertEqual(done.stdout.splitlines()[0], f"IDENTITY_PRINCIPAL_ID={identity}")

    def assert_stops(self, done, *texts, code=1):
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)

    def test_creates_everything_from_nothing(self):
        with Scene(logged_in=True) as scene:
            self.assert_values(scene.run(SCRIPT, **PROD), identity=None)
            (made,) = scene.world["applications"].values()
            self.assertEqual(made["signInAudience"], "AzureADMultipleOrgs")
            subject = scene.world["groups"]["rg-prod"]["id-prod"]
            (trusted,) = made["credentials"]
            self.assertEqual((trusted["subject"], trusted["issuer"], trusted["audiences"]), (subject, ISSUER, [AUDIENCE]))
            self.assertEqual(set(scene.world["principals"]), {made["appId"], AIVEN})

    def test_again_writes_nothing(self):
        with Scene(**complete()) as scene:
            self.assert_values(scene.run(SCRIPT, **PROD))
            self.assertEqual(writes(scene), [])

    def test_a_given_identity_is_not_looked_up(self):
        with Scene(**complete(groups={})) as scene:
            self.assert_values(scene.run(SCRIPT, IDENTITY_PRINCIPAL_ID=IDENTITY))
            self.assertFalse([call for call in scene.calls if call.startswith(("az identity", "az group"))])

    def test_the_group_is_reused_and_may_have_another_name(self):
        with Scene(**complete(groups={"mine": {}})) as scene:
            self.assertEqual(scene.run(SCRIPT, AZURE_RESOURCE_GROUP="mine", **PROD).returncode, 0)
            self.assertEqual(list(scene.world["groups"]), ["mine"])

    def test_a_failed_identity_stops_with_its_own_reason_in_a_substitution(self):
        with Scene(logged_in=True, faults=[["az identity create", 1, "(AuthorizationFailed) no identity for you", 1]]) as scene:
            done = scene.run("bash", "-c", f"values=$({SCRIPT}) || exit; echo went on with $values", **PROD)
            self.assert_stops(done, "no identity for you", "az identity create --resource-group rg-prod")
            self.assertNotIn("Application Administrator", done.stderr)
            self.assertFalse([call for call in scene.calls if call.startswith(("az rest", "az ad"))])

    def test_an_identity_that_cannot_be_read_is_not_created(self):
        with Scene(**complete(faults=[["az identity show", 1, "Connection aborted", 1]])) as scene:
            self.assert_stops(scene.run(SCRIPT, **PROD), "Connection aborted")
            self.assertEqual(writes(scene), [])

    def test_a_group_that_cannot_be_read_or_created_stops(self):
        for command in ("az group show", "az group create"):
            with self.subTest(command), Scene(logged_in=True, faults=[[command, 1, "no group for you", 1]]) as scene:
                self.assert_stops(scene.run(SCRIPT, **PROD), "no group for you")

    def test_a_denied_application_names_who_can_finish(self):
        with Scene(**complete(applications={}, faults=[["method patch", 9, DENIED, 1]])) as scene:
            done = scene.run(SCRIPT, **PROD)
            self.assert_stops(done, "Insufficient privileges", f"IDENTITY_PRINCIPAL_ID={IDENTITY} INSTALLATION=default infra/identity.sh", guid(1), code=2)
            self.assertEqual(len(writes(scene)), 1)

    def test_a_directory_that_fails_otherwise_blames_no_permission(self):
        with Scene(**complete(faults=[["az rest", 1, "Internal Server Error", 1]])) as scene:
            done = scene.run(SCRIPT, **PROD)
            self.assert_stops(done, "Internal Server Error")
            self.assertNotIn("Administrator", done.stderr)

    def test_a_new_application_that_a_replica_does_not_have_yet_is_read_again(self):
        missing = 'Not Found({"error":{"code":"Request_ResourceNotFound"}})'
        with Scene(**complete(applications={}, principals={}, faults=[["select=appId --res", 2, missing, 1]])) as scene:
            self.assert_values(scene.run(SCRIPT, **PROD))

    def test_an_application_of_one_tenant_becomes_multi_tenant(self):
        with Scene(**complete(**application(signInAudience="AzureADMyOrg", credentials=[credential()]))) as scene:
            self.assert_values(scene.run(SCRIPT, **PROD))
            self.assertEqual(scene.world["applications"][APPLICATION]["signInAudience"], "AzureADMultipleOrgs")

    def test_a_credential_with_another_name_is_enough(self):
        with Scene(**complete(**application(credentials=[credential(name=APPLICATION)]))) as scene:
            self.assert_values(scene.run(SCRIPT, **PROD))
            self.assertEqual(writes(scene), [])

    def test_an_identity_that_was_created_again_gets_a_credential_of_its_own(self):
        for old in (APPLICATION, f"{APPLICATION}-{OTHER}"):
            with self.subTest(old), Scene(**complete(**application(credentials=[credential(name=old, subject=OTHER)]))) as scene:
                self.assert_values(scene.run(SCRIPT, **PROD))
                subjects = [one["subject"] for one in scene.world["applications"][APPLICATION]["credentials"]]
                self.assertEqual(subjects, [OTHER, IDENTITY])

    def test_a_credential_of_our_name_that_trusts_something_else_is_updated_in_place(self):
        with Scene(**complete(**application(credentials=[credential(issuer="https://elsewhere/v2.0")]))) as scene:
            self.assert_values(scene.run(SCRIPT, **PROD))
            (one,) = scene.world["applications"][APPLICATION]["credentials"]
            self.assertEqual((one["id"], one["issuer"]), (guid(70), ISSUER))

    def test_a_credential_is_tried_again_while_the_directory_replicates(self):
        lag = [["federated-credential create", 2, "does not reference a valid application object", 1]]
        with Scene(**complete(**application(), faults=lag)) as scene:
            self.assert_values(scene.run(SCRIPT, **PROD))
            self.assertEqual(len(writes(scene)), 3)

    def test_a_credential_that_never_succeeds_prints_the_command_filled_in(self):
        with Scene(**complete(**application(), faults=[["federated-credential create", 99, "Error in query syntax", 1]])) as scene:
            done = scene.run(SCRIPT, TRIES="3", **PROD)
            command = f"az ad app federated-credential create --id {APP} --parameters '{{\"name\": \"{APPLICATION}-{IDENTITY}\""
            self.assert_stops(done, "Error in query syntax", command, f'"issuer": "{ISSUER}"', f'"subject": "{IDENTITY}"', AUDIENCE, "3 of 3 tries")

    def test_the_printed_command_creates_the_credential(self):
        with Scene(**complete(**application(), faults=[["federated-credential create", 3, "Error in query syntax", 1]])) as scene:
            said = scene.run(SCRIPT, TRIES="3", **PROD).stderr
            command = next(line.split(": ", 1)[1] for line in said.splitlines() if line.startswith("This command failed: "))
            self.assertEqual(scene.run("bash", "-c", command).returncode, 0)
            self.assert_values(scene.run(SCRIPT, "check", **PROD))

    def test_a_denied_credential_is_tried_once(self):
        with Scene(**complete(**application(), faults=[["federated-credential create", 99, DENIED, 1]])) as scene:
            self.assert_stops(scene.run(SCRIPT, **PROD), "Application Administrator", code=2)
            self.assertEqual(len(writes(scene)), 1)

    def test_the_deployment_that_stopped_at_its_credential_is_finished(self):
        with Scene(**complete(**application(), principals={})) as scene:
            self.assert_values(scene.run(SCRIPT, **PROD))
            self.assertEqual(len(scene.world["applications"][APPLICATION]["credentials"]), 1)

    def test_a_service_principal_is_created_again_while_the_directory_replicates(self):
        lag = [["az ad sp create", 1, "does not reference a valid application object", 1]]
        with Scene(**complete(principals={}, faults=lag)) as scene:
            self.assert_values(scene.run(SCRIPT, **PROD))

    def test_a_service_principal_that_cannot_be_read_or_created_stops(self):
        for command in ("az ad sp show", "az ad sp create"):
            with self.subTest(command), Scene(**complete(principals={}, faults=[[command, 99, "it cannot be", 1]])) as scene:
                self.assert_stops(scene.run(SCRIPT, TRIES="2", **PROD), "it cannot be")

    def test_a_check_of_what_is_complete_reads_only(self):
        with Scene(**complete()) as scene:
            self.assert_values(scene.run(SCRIPT, "check", AZURE_ENV_NAME="prod"))
            self.assertEqual(writes(scene), [])

    def test_a_check_names_what_is_missing_and_creates_nothing(self):
        lacks = {
            "missing: resource group rg-prod": {"groups": {}},
            "missing: identity id-prod in rg-prod": {"groups": {"rg-prod": {}}},
            f"missing: application {APPLICATION}": {"applications": {}},
            f"missing: the federated credential of identity {IDENTITY}": application(),
            f"missing: the service principal of application {AIVEN}": {"principals": {APP: guid(61)}},
        }
        for text, lack in lacks.items():
            with self.subTest(text), Scene(**complete(**lack)) as scene:
                self.assert_stops(scene.run(SCRIPT, "check", AZURE_ENV_NAME="prod"), text, "This command creates it: az ")
                self.assertEqual(writes(scene), [])

    def test_wrong_input_stops_before_az_is_asked(self):
        wrong = [
            ("INSTALLATION must be", {"INSTALLATION": "Prod!", **PROD}),
            ("set AZURE_ENV_NAME", {}),
            ("set AZURE_ENV_NAME", {"AZURE_ENV_NAME": "my env"}),
        ]
        for text, given in wrong:
            with self.subTest(text, **given), Scene(logged_in=True) as scene:
                self.assert_stops(scene.run(SCRIPT, **given), text)
                self.assertEqual(writes(scene), [])
        with Scene(logged_in=True) as scene:
            self.assert_stops(scene.run(SCRIPT, AZURE_ENV_NAME="prod"), "set AZURE_LOCATION")
            self.assert_stops(scene.run(SCRIPT, "destroy", **PROD), "usage: infra/identity.sh [check]")

    def test_az_must_be_there_recent_and_logged_in(self):
        with Scene() as scene:
            self.assert_stops(scene.run(SCRIPT, **PROD), "Run: az login")
            scene.change(az="2.45.0")
            self.assert_stops(scene.run(SCRIPT, **PROD), "is 2.45.0, and 2.60.0 or later is needed")
            scene.change(az="2.100.0", logged_in=True)
            self.assert_values(scene.run(SCRIPT, **PROD), identity=None)
            (scene.bin / "az").unlink()
            self.assert_stops(scene.run(SCRIPT, **PROD), "the Azure CLI (az) is missing")


if __name__ == "__main__":
    unittest.main()
