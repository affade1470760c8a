//! Answers that look like failures and are none, failures that look like answers, and answers that never come.

use std::time::Duration;

use emulator::clouds::{Clouds, Fault, Pair, Service};
use functions::peering::Provenance;
use serde_json::Value;
use simulation::{Setup, text};

use super::{becomes_active, fault, passes, requested};

#[tokio::test(start_paused = true)]
async fn conflicts_that_mean_success_are_looked_at_again() {
    passes(|clouds, _| {
        let exists = |service, code, method, path: &str| {
            clouds.fault(Fault::refuse(service, 409, code, "exists").method(method).path(path))
        };
        exists(Service::Arm, "RoleAssignmentExists", "PUT", "/roleAssignments/");
        exists(Service::Arm, "RoleDefinitionWithSameNameExists", "PUT", "/roleDefinitions/");
        exists(Service::Graph, "Request_MultipleObjectsWithSameKeyValue", "PATCH", "/servicePrincipals(");
        exists(Service::Arm, "AnotherPeeringAlreadyReferencesRemoteVnet", "PUT", "/virtualNetworkPeerings/");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn failure_inside_a_200_is_tried_again() {
    let message = "Another operation on this resource is in progress.";
    passes(|clouds, _| clouds.world().fail_next_operation("AnotherOperationInProgress", message)).await;
}

#[tokio::test(start_paused = true)]
async fn failure_for_good_inside_a_200_calls_a_person() {
    let trouble = |clouds: &Clouds, _: &Pair| {
        clouds.world().fail_next_operation("ScopeLocked", "The scope is locked by the lock do-not-touch.");
    };
    let (mut simulation, pair) = requested(Setup::default(), trouble).await;
    let fault = fault(&mut simulation, &pair).await;
    assert!(fault.what.contains("do-not-touch") && fault.command.contains("remove the lock"), "{fault:?}");
    becomes_active(&mut simulation, &pair).await;
}

#[tokio::test(start_paused = true)]
async fn forbidden_operation_is_judged_by_its_resource() {
    passes(|clouds, _| clouds.world().upsets.forbid_polls = 20).await;
}

#[tokio::test(start_paused = true)]
async fn another_operation_on_the_vnet_is_waited_for() {
    passes(|clouds, _| {
        let busy = |status, code| {
            clouds
                .fault(Fault::refuse(Service::Arm, status, code, "busy").method("PUT").path("/virtualNetworkPeerings/"))
        };
        busy(429, "AnotherOperationInProgress");
        busy(429, "RetryableErrorDueToAnotherOperation");
        busy(409, "CanceledAndSupersededDueToAnotherOperation");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn vnet_that_is_being_changed_is_waited_for() {
    passes(|clouds, pair| {
        clouds.world().keep_updating(&pair.vnet, Duration::from_secs(120));
        let fault =
            Fault::refuse(Service::Arm, 400, "ReferencedResourceNotProvisioned", "Resource is in Updating state.");
        clouds.fault(fault.method("PUT").path("/virtualNetworkPeerings/").times(2));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn half_of_aivens_that_is_left_over_is_replaced_once() {
    let stale = "because remote peering B referencing parent virtual network V is in Disconnected state.";
    let fault = Fault::refuse(Service::Arm, 400, "RemotePeeringIsDisconnected", stale);
    let (simulation, pair) =
        passes(|clouds, _| clouds.fault(fault.method("PUT").path("/virtualNetworkPeerings/"))).await;
    assert_eq!(simulation.record(&pair).await.unwrap().facts.recreated, 1);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_obeyed() {
    passes(|clouds, _| {
        for service in [Service::Aiven, Service::Arm, Service::Graph, Service::Entra, Service::Identity] {
            clouds.fault(Fault::throttle(service, Some(20)));
            clouds.fault(Fault::throttle(service, None).after(1));
        }
        clouds.fault(Fault::throttle(Service::Aiven, None).method("POST").path("/peering-connections"));
        clouds.fault(Fault::throttle(Service::Arm, Some(30)).method("PUT").path("/virtualNetworkPeerings/"));
        clouds.fault(Fault::throttle(Service::Graph, None).method("PATCH"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn answer_lost_after_the_effect_makes_nothing_twice() {
    let (simulation, pair) = passes(|clouds, _| {
        let cut = Fault::cut_after;
        clouds.fault(cut().making_application());
        clouds.fault(cut().making_principal().times(2));
        clouds.fault(cut().making_credential());
        clouds.fault(cut().making_definition().times(2));
        clouds.fault(cut().making_assignment().times(2));
        clouds.fault(cut().making_connection());
        clouds.fault(cut().making_peering());
    })
    .await;
    let halves = simulation.record(&pair).await.unwrap().provenance;
    assert_eq!((halves.aiven, halves.azure), (Some(Provenance::Created), Some(Provenance::Created)));
    for row in simulation.rows("shared").await {
        let parts: Value = serde_json::from_str(&text(&row, "parts")).unwrap();
        for (name, part) in parts.as_object().unwrap() {
            assert_eq!(part["provenance"], "created", "{name}");
        }
    }
}
