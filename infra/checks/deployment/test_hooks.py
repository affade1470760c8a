"""The hooks of azure.yaml and timers.sh: each of their branches."""

import unittest

from scene import Scene
from stand_in import guid
from test_identity import AIVEN, APP, APPLICATION, DENIED, IDENTITY, OTHER, application, complete, credential, writes

AZD = {"AZURE_ENV_NAME": "prod", "AZURE_LOCATION": "northeurope", "AZURE_SUBSCRIPTION_ID": guid(2)}
ENVIRONMENT = {"environments": {"prod": dict(AZD)}}
KNOWN = {"IDENTITY_PRINCIPAL_ID": IDENTITY, "APPLICATION_ID": APP, "APPLICATION_PRINCIPAL_ID": guid(61), "AIVEN_PRINCIPAL_ID": guid(62)}


class IdentityHook(unittest.TestCase):
    def test_azd_gets_every_value(self):
        with Scene(logged_in=True, **ENVIRONMENT) as scene:
            done = scene.run("sh", "-c", "infra/hooks/identity.sh", **AZD)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertLessEqual(set(KNOWN), set(scene.world["environments"]["prod"]))
            self.assertIn(f"az account set --subscription {guid(2)}", scene.calls)

    def test_an_identity_that_was_created_again_gets_its_credential_though_every_id_is_known(self):
        world = complete(**application(credentials=[credential(name=APPLICATION, subject=OTHER)]), **ENVIRONMENT)
        with Scene(**world) as scene:
            done = scene.run("infra/hooks/identity.sh", **AZD, **{**KNOWN, "IDENTITY_PRINCIPAL_ID": OTHER})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(scene.world["environments"]["prod"]["IDENTITY_PRINCIPAL_ID"], IDENTITY)
            self.assertEqual([one["subject"] for one in scene.world["applications"][APPLICATION]["credentials"]], [OTHER, IDENTITY])

    def test_without_the_permission_provisioning_continues_and_says_what_to_do(self):
        with Scene(**complete(applications={}, faults=[["method patch", 9, DENIED, 1]], **ENVIRONMENT)) as scene:
            done = scene.run("infra/hooks/identity.sh", **AZD)
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            for text in ("Insufficient privileges", f"IDENTITY_PRINCIPAL_ID={IDENTITY} INSTALLATION=default infra/identity.sh", "azd env set NAME value"):
                self.assertIn(text, done.stderr)
            self.assertFalse([call for call in scene.calls if call.startswith("azd")])

    def test_a_failed_identity_stops_provisioning_with_its_own_reason(self):
        faults = [["az identity create", 1, "(AuthorizationFailed) no identity for you", 1]]
        with Scene(logged_in=True, faults=faults, **ENVIRONMENT) as scene:
            done = scene.run("infra/hooks/identity.sh", **AZD)
            self.assertEqual(done.returncode, 1)
            self.assertIn("no identity for you", done.stderr)
            self.assertNotIn("Administrator", done.stderr)

    def test_az_that_is_not_logged_in_stops_provisioning(self):
        with Scene(**ENVIRONMENT) as scene:
            done = scene.run("infra/hooks/identity.sh", **AZD)
            self.assertEqual(done.returncode, 1)
            self.assertIn("az login", done.stderr)

    def test_az_that_is_missing_or_old_stops_provisioning(self):
        for hook in ("identity", "grants"):
            with self.subTest(hook), Scene(**complete(az="2.59.9", **ENVIRONMENT)) as scene:
                done = scene.run(f"infra/hooks/{hook}.sh", **AZD, **KNOWN)
                self.assertEqual(done.returncode, 1)
                self.assertIn("2.60.0 or later is needed. Run: az upgrade", done.stderr)
                (scene.bin / "az").unlink()
                done = scene.run(f"infra/hooks/{hook}.sh", **AZD, **KNOWN)
                self.assertEqual(done.returncode, 1)
                self.assertIn("is missing. Install 2.60.0 or later", done.stderr)

    def test_a_value_that_azd_does_not_take_stops_provisioning(self):
        with Scene(**complete(faults=[["azd env set APPLICATION_ID", 1, "no environment", 1]], **ENVIRONMENT)) as scene:
            done = scene.run("infra/hooks/identity.sh", **AZD)
            self.assertEqual(done.returncode, 1)
            self.assertIn("no environment", done.stderr)


class GrantsHook(unittest.TestCase):
    def run_hook(self, scene, **given):
        return scene.run("infra/hooks/grants.sh", **{**AZD, **KNOWN, **given})

    def world(self, **changes):
        return complete(bicep="new", region="northeurope", **changes)

    def test_deploys_for_the_apps_own_subscription(self):
        with Scene(**self.world()) as scene:
            done = self.run_hook(scene)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(scene.world["grants"]["PEERING_SUBSCRIPTIONS"], guid(2))
            self.assertIn("--name aiven-peering-grants-prod ", scene.calls[-1])

    def test_deploys_for_the_subscriptions_that_are_named(self):
        both = f"{guid(2)},{guid(3)}"
        with Scene(**self.world()) as scene:
            done = self.run_hook(scene, PEERING_SUBSCRIPTIONS=both)
            self.assertEqual((done.returncode, done.stdout), (0, f"the app may work in {both}\n"))
            self.assertEqual(scene.world["grants"]["PEERING_SUBSCRIPTIONS"], both)

    def test_waits_for_the_service_principals(self):
        for name in ("APPLICATION_PRINCIPAL_ID", "AIVEN_PRINCIPAL_ID"):
            with self.subTest(name), Scene(**self.world()) as scene:
                done = self.run_hook(scene, **{name: ""})
                self.assertEqual(done.returncode, 0)
                self.assertIn("service principals are not known yet", done.stderr)
                self.assertIsNone(scene.world["grants"])

    def test_without_the_permission_it_prints_the_command_filled_in(self):
        denied = "(AuthorizationFailed) The client does not have authorization to perform action 'Microsoft.Resources/deployments/write'"
        with Scene(**self.world(faults=[["deployment sub create", 1, denied, 1]])) as scene:
            done = self.run_hook(scene)
            self.assertEqual(done.returncode, 0)
            self.assertIn(denied, done.stderr)
            # What it prints is what works for somebody else.
            command = done.stderr[done.stderr.index("  PEERING_SUBSCRIPTIONS="):]
            self.assertEqual(scene.run("bash", "-c", command).returncode, 0)
            self.assertEqual(scene.world["grants"]["IDENTITY_PRINCIPAL_ID"], IDENTITY)

    def test_any_other_failure_stops_with_its_own_reason(self):
        with Scene(**self.world(faults=[["deployment sub create", 1, "Error BCP057: a typing error", 1]])) as scene:
            done = self.run_hook(scene)
            self.assertEqual(done.returncode, 1)
            self.assertIn("BCP057", done.stderr)
            self.assertNotIn("Owner", done.stderr)


class TimersScript(unittest.TestCase):
    def world(self, **changes):
        return complete(main={"group": "rg-prod", "AZURE_ENV_NAME": "prod"}, **changes)

    def test_a_run_is_seen(self):
        with Scene(**self.world(timers=3)) as scene:
            done = scene.run("infra/timers.sh", "rg-prod", "2026-11-29T12:00:00Z")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("has run 3 times since 2026-11-29T12:00:00Z", done.stdout)
            self.assertEqual(scene.world["restarted"], 0)

    def test_frozen_timers_are_restarted(self):
        with Scene(**self.world(after_restart=1)) as scene:
            done = scene.run("infra/timers.sh", "rg-prod", LOOKS="2")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(scene.world["restarted"], 1)

    def test_timers_that_stay_frozen_fail_and_say_what_to_do(self):
        with Scene(**self.world()) as scene:
            done = scene.run("infra/timers.sh", "rg-prod", LOOKS="2")
            self.assertEqual(done.returncode, 1)
            self.assertIn("az functionapp delete --resource-group rg-prod --name func-prod", done.stderr)
            self.assertEqual(scene.world["restarted"], 1)

    def test_telemetry_that_cannot_be_read_fails_with_its_reason(self):
        with Scene(**self.world(timers=1, faults=[["az rest", 1, "InsufficientAccessError", 1]])) as scene:
            done = scene.run("infra/timers.sh", "rg-prod")
            self.assertEqual(done.returncode, 1)
            self.assertIn("InsufficientAccessError", done.stderr)
            self.assertEqual(scene.world["restarted"], 0)

    def test_without_a_deployment_it_says_so(self):
        with Scene(**complete()) as scene:
            self.assertEqual(scene.run("infra/timers.sh", "rg-prod").returncode, 1)
            self.assertIn("usage: infra/timers.sh", scene.run("infra/timers.sh").stderr)


if __name__ == "__main__":
    unittest.main()
