//! Not in simulation: how the real HTTP stack and the real token source take throttling, and connections that are reset after the effect.

use std::time::Duration;

use emulator::clouds::{Clouds, Fault, Service};
use serde_json::json;

use crate::scene;

fn throttled(clouds: &Clouds) {
    for service in [Service::Aiven, Service::Arm, Service::Graph, Service::Entra, Service::Identity] {
        clouds.fault(Fault::throttle(service, Some(20)));
        clouds.fault(Fault::throttle(service, None).after(1));
    }
}

fn reset(clouds: &Clouds) {
    let cut = Fault::cut_after;
    clouds.fault(cut().making_application());
    clouds.fault(cut().making_principal().times(2));
    clouds.fault(cut().making_credential());
    clouds.fault(cut().making_definition().times(2));
    clouds.fault(cut().making_assignment().times(2));
    clouds.fault(cut().making_connection());
    clouds.fault(cut().making_peering());
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_and_resets_make_nothing_twice() {
    let mut pairs = Vec::new();
    let prepare = |clouds: &Clouds| {
        pairs = clouds.world().standard(1, 1, false);
        throttled(clouds);
        reset(clouds);
    };
    let environment = scene::setup(120.0).start(prepare).await.unwrap();
    environment.request(&pairs[0]).await.unwrap();
    let records = scene::all_are(&environment, 1, "Active", Duration::from_secs(120)).await;
    assert_eq!(environment.clouds.faults_left(), 0, "every fault struck");
    scene::assert_exactly(&environment, &pairs);
    assert_eq!(scene::json(&records[0], "provenance"), json!({"aiven": "created", "azure": "created"}));
    environment.stop().await;
}
