//! Aiven's token comes from a vault: the first one after the start, a rotation under load, and whatever may happen to vault and secret.
//! The app never needs a restart, reports one cause once, and loses nothing.

use std::time::Duration;

use emulator::clouds::{Fault, Pair, Service, World};
use functions::clock::Clock;
use functions::peering::{Record, Status};
use functions::state::Cause;
use serde_json::json;
use simulation::{Log, Setup, Simulation, assert_exactly, run_each};

const SECRET: &str = "aiven-token";
/// The token that the emulated Aiven takes from the start.
const TOKEN: &str = "emulated-aiven-token";
const NEW: &str = "canary-8c1f0e5a";
const MINUTE: Duration = Duration::from_secs(60);

/// Some pairs; the token is in the vault, or is not yet.
fn scene(pairs: usize, token: Option<&str>) -> (Simulation, Vec<Pair>) {
    Simulation::new(|world| {
        world.token_in_vault();
        token.iter().for_each(|token| world.write_secret(SECRET, token));
        world.pairs(2, pairs, pairs, false)
    })
}

async fn request_all(simulation: &Simulation, pairs: &[Pair]) {
    for pair in pairs {
        simulation.request("create", pair).await;
    }
}

/// What is recorded to stop every peering.
async fn cause(simulation: &Simulation) -> Option<Cause> {
    let rows = simulation.rows("shared").await;
    let text = rows.iter().find_map(|row| match row.properties.get("cause") {
        Some(functions::storage::Value::String(text)) => Some(text.clone()),
        _ => None,
    });
    text.map(|text| serde_json::from_str(&text).unwrap())
}

/// Every peering is Active, once; no process died, nobody was asked for anything, and no token was said or stored.
async fn assert_all_well(simulation: &mut Simulation, pairs: &[Pair], log: &Log) {
    simulation.settle().await;
    let shown = simulation.shown().await;
    let records = simulation.records().await;
    assert_eq!(records.len(), pairs.len());
    assert!(records.iter().all(|record| record.status == Status::Active && record.is_idle()), "{shown}");
    assert_exactly(&simulation.world(), pairs);
    assert_eq!((simulation.deaths(), cause(simulation).await), (0, None));
    assert!(!shown.contains(": fix "), "a person was asked: {shown}");
    assert_silent(simulation, log).await;
}

async fn assert_silent(simulation: &Simulation, log: &Log) {
    let mut texts: Vec<String> = log.lines().iter().map(ToString::to_string).collect();
    assert!(texts.len() > 10);
    for table in ["peerings", "shared", "vpcs", "rejected"] {
        texts.extend(simulation.rows(table).await.into_iter().map(|row| format!("{row:?}")));
    }
    let leak = texts.iter().find(|text| text.contains(TOKEN) || text.contains(NEW));
    assert!(leak.is_none(), "a token stands in {leak:?}");
}

fn told(log: &Log) -> (usize, usize) {
    (log.events("cause_opened").len(), log.events("cause_closed").len())
}

fn calls(simulation: &Simulation, service: Service) -> usize {
    simulation.clouds.calls_by_service().get(&service).copied().unwrap_or_default()
}

// ---- the first token ------------------------------------------------------------------------------------------------

fn waits(record: &Record) -> bool {
    record.waiting.as_ref().is_some_and(|waiting| waiting.code == "shared:AivenToken:SecretNotFound")
}

#[test]
fn the_first_token_takes_effect_within_a_minute_whenever_it_is_put_into_the_vault() {
    let slowest = std::sync::Mutex::new(Duration::ZERO);
    run_each((0..90).step_by(4), |n| {
        let slowest = &slowest;
        async move {
            let (mut simulation, pairs) = scene(3, None);
            for pair in &pairs {
                simulation.request("create", pair).await;
                simulation.run_for(Duration::from_secs(7)).await;
            }
            simulation.run_for(10 * MINUTE + Duration::from_secs(n as u64)).await;
            assert!(simulation.records().await.iter().all(waits));
            simulation.world().write_secret(SECRET, TOKEN);
            let since = simulation.clock.now();
            simulation.run_until("go on", async |this| !this.records().await.iter().any(waits)).await;
            let took = simulation.clock.since(since);
            assert!(took <= MINUTE, "the last peering went on after {took:?}");
            let mut slowest = slowest.lock().unwrap();
            *slowest = took.max(*slowest);
        }
    });
    let slowest = slowest.into_inner().unwrap();
    assert!(slowest > MINUTE / 2, "a token was put there right after a look, too: {slowest:?}");
    println!("the slowest of 23 went on after {slowest:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_token_in_the_vault_everything_waits_for_hours_and_goes_on_when_it_is_there() {
    let log = Log::keep();
    let (mut simulation, pairs) = scene(6, None);
    request_all(&simulation, &pairs).await;
    // Longer than any single wait and the whole peering may take.
    simulation.run_for(5 * 60 * MINUTE).await;
    let open = cause(&simulation).await.unwrap();
    assert_eq!(open.code, "AivenToken:SecretNotFound");
    assert!(open.command.contains("az keyvault secret set --vault-name vault --name aiven-token"), "{open:?}");
    assert_eq!(told(&log), (1, 0));
    let records = simulation.records().await;
    assert!(records.len() == 6 && records.iter().all(|record| waits(record) && record.fault.is_none()));
    assert_eq!(calls(&simulation, Service::Aiven), 0, "without a token nobody calls Aiven");

    simulation.world().write_secret(SECRET, TOKEN);
    assert_all_well(&mut simulation, &pairs, &log).await;
    assert_eq!(told(&log), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_new_deployment_reports_the_missing_token_before_anybody_asks_for_a_peering() {
    let log = Log::keep();
    let (mut simulation, _) = scene(1, None);
    simulation.run_for(6 * MINUTE).await;
    assert_eq!(told(&log), (1, 0));
    assert!(
        log.events("cause_opened")[0]
            .to_string()
            .contains("az keyvault secret set --vault-name vault --name aiven-token")
    );
    simulation.run_for(180 * MINUTE).await;
    assert_eq!(told(&log), (1, 0));
    simulation.world().write_secret(SECRET, TOKEN);
    simulation.run_for(6 * MINUTE).await;
    assert_eq!((told(&log), cause(&simulation).await), ((1, 1), None));
    // One read a sweep, and no more.
    assert!(calls(&simulation, Service::KeyVault) <= 39, "{}", calls(&simulation, Service::KeyVault));
}

#[tokio::test(start_paused = true)]
async fn without_any_setting_or_with_an_unresolved_reference_the_app_starts_and_nothing_is_lost() {
    for value in ["", "@Microsoft.KeyVault(SecretUri=https://vault.vault.azure.net/secrets/aiven-token/)"] {
        let log = Log::keep();
        let settings = [("AIVEN_TOKEN".to_owned(), value.to_owned())].into();
        let (mut simulation, pairs) =
            Simulation::start(Setup { settings, ..Setup::default() }, |world| world.pairs(2, 4, 4, false));
        request_all(&simulation, &pairs).await;
        simulation.run_for(180 * MINUTE).await;
        let open = cause(&simulation).await.unwrap();
        assert_eq!((open.code.as_str(), told(&log)), ("AivenToken:TokenNotSet", (1, 0)));
        assert!(open.command.contains("AIVEN_TOKEN_SECRET") && open.command.contains("az keyvault secret set"));
        // A deployment sets it, and a new process begins.
        simulation.restart_with("AIVEN_TOKEN", TOKEN);
        assert_all_well(&mut simulation, &pairs, &log).await;
        assert_eq!(told(&log), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_vpc_that_is_asked_for_without_a_token_is_made_when_there_is_one() {
    let log = Log::keep();
    let (mut simulation, (organization, vnet)) = Simulation::new(|world| {
        world.token_in_vault();
        let home = world.home_tenant.clone();
        let (organization, subscription) = (world.add_organization(), world.add_subscription(&home));
        (organization, world.add_vnet(&subscription, "Network-RG", "Vnet-1", &["10.1.0.0/16"]))
    });
    let request = json!({"version": 1, "cloud": "azure-westeurope", "cidr": "10.250.0.0/24", "organization": organization,
        "peerings": [{"vnet": vnet}]});
    simulation.send_to("vpc-requests", &request.to_string()).await;
    simulation.run_for(180 * MINUTE).await;
    assert_eq!(told(&log), (1, 0));
    simulation.world().write_secret(SECRET, TOKEN);
    let is_active = |record: &Record| record.status == Status::Active && record.is_idle();
    simulation.run_until("the peering", async |this| this.records().await.iter().any(is_active)).await;
    assert_eq!(told(&log), (1, 1));
    assert!(log.events("needs_attention").is_empty(), "nobody is asked for anything else");
    assert_silent(&simulation, &log).await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_first_token_is_another_cause_than_a_missing_one() {
    let log = Log::keep();
    let (mut simulation, pairs) = scene(3, None);
    request_all(&simulation, &pairs).await;
    simulation.run_for(10 * MINUTE).await;
    simulation.world().write_secret(SECRET, NEW);
    simulation.run_for(60 * MINUTE).await;
    let open = cause(&simulation).await.unwrap();
    assert_eq!((open.code.as_str(), log.events("cause_opened").len()), ("Aiven:authentication_failed", 2));
    assert!(open.command.contains("az keyvault secret set --vault-name vault --name aiven-token"), "{open:?}");
    simulation.world().write_secret(SECRET, TOKEN);
    assert_all_well(&mut simulation, &pairs, &log).await;
    assert_eq!(log.events("cause_opened").len(), 2);
}

// ---- rotation -------------------------------------------------------------------------------------------------------

/// As the README has it: the new token into the vault, then the old one is revoked.
fn rotate(world: &mut World, revoked_after: Duration) {
    world.add_aiven_token(NEW);
    world.write_secret(SECRET, NEW);
    world.after(revoked_after, |world| world.revoke_aiven_token(TOKEN));
}

#[test]
fn a_rotation_under_load_is_noticed_by_nobody_whenever_it_happens() {
    run_each(0..24, |n| async move {
        let log = Log::keep();
        let (mut simulation, pairs) = scene(4, Some(TOKEN));
        request_all(&simulation, &pairs).await;
        simulation.run_for(Duration::from_secs(41 * n as u64)).await;
        rotate(&mut simulation.world(), Duration::from_secs(1));
        assert_all_well(&mut simulation, &pairs, &log).await;
        assert_eq!(told(&log), (0, 0), "rotated after {} s", 41 * n);
        assert!(!simulation.journal().await.join("\n").contains("Aiven refuses the token"));
    });
}

#[test]
fn a_rotation_between_any_two_calls_is_noticed_by_nobody_even_if_the_old_token_is_revoked_at_once() {
    let calls = simulation::run(async {
        let (mut simulation, pairs) = scene(2, Some(TOKEN));
        request_all(&simulation, &pairs).await;
        simulation.settle().await;
        simulation.moments.count()
    });
    assert!(calls > 200, "{calls}");
    run_each((1..calls).step_by(7), |n| async move {
        let log = Log::keep();
        let (mut simulation, pairs) = scene(2, Some(TOKEN));
        request_all(&simulation, &pairs).await;
        let clouds = simulation.clouds.clone();
        simulation.moments.before(n, move || rotate(&mut clouds.world(), Duration::ZERO));
        assert_all_well(&mut simulation, &pairs, &log).await;
        assert_eq!(told(&log), (0, 0), "rotated before call {n}");
    });
}

#[tokio::test(start_paused = true)]
async fn a_token_that_aiven_refuses_for_an_hour_costs_few_reads_of_the_vault() {
    let log = Log::keep();
    let (mut simulation, pairs) = scene(20, Some(TOKEN));
    request_all(&simulation, &pairs).await;
    simulation.run_for(2 * MINUTE).await;
    simulation.world().revoke_aiven_token(TOKEN);
    simulation.clouds.reset_calls();
    simulation.run_for(60 * MINUTE).await;
    let (vault, aiven) = (calls(&simulation, Service::KeyVault), calls(&simulation, Service::Aiven));
    assert!(aiven > 1000 && vault <= 361, "{vault} reads for {aiven} calls");
    assert_eq!(told(&log), (1, 0));
    rotate(&mut simulation.world(), Duration::ZERO);
    assert_all_well(&mut simulation, &pairs, &log).await;
    assert_eq!(told(&log), (1, 1));
}

// ---- the vault and its secret ---------------------------------------------------------------------------------------

fn unreachable(simulation: &Simulation) {
    simulation.clouds.fault(Fault::cut_before().on(Service::KeyVault).always());
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_is_unreachable_for_ten_minutes_stops_no_process_that_has_read_the_token() {
    let log = Log::keep();
    let (mut simulation, pairs) = scene(6, Some(TOKEN));
    request_all(&simulation, &pairs[..3]).await;
    simulation.run_for(MINUTE).await;
    unreachable(&simulation);
    request_all(&simulation, &pairs[3..]).await;
    simulation.run_for(10 * MINUTE).await;
    simulation.clouds.clear_faults();
    assert_all_well(&mut simulation, &pairs, &log).await;
    assert_eq!(told(&log), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_is_unreachable_when_a_process_starts_is_one_cause() {
    let log = Log::keep();
    let (mut simulation, pairs) = scene(6, Some(TOKEN));
    unreachable(&simulation);
    request_all(&simulation, &pairs).await;
    simulation.run_for(10 * MINUTE).await;
    let open = cause(&simulation).await.unwrap();
    assert_eq!((open.code.as_str(), told(&log)), ("AivenToken:Unanswered", (1, 0)));
    simulation.clouds.clear_faults();
    assert_all_well(&mut simulation, &pairs, &log).await;
    assert_eq!(told(&log), (1, 1));
}

/// Something happens to the secret while some peerings wait at Aiven and others are under way; an hour later it is undone.
async fn meanwhile(code: &str, command: &str, happens: impl Fn(&mut World), undone: impl Fn(&mut World)) {
    let log = Log::keep();
    let (mut simulation, pairs) = scene(8, Some(TOKEN));
    request_all(&simulation, &pairs[..4]).await;
    simulation.run_for(4 * MINUTE).await;
    happens(&mut simulation.world());
    request_all(&simulation, &pairs[4..]).await;
    // The token that was read serves for minutes.
    simulation.run_for(6 * MINUTE).await;
    assert_eq!(told(&log), (1, 0), "{code}");
    simulation.run_for(180 * MINUTE).await;
    let open = cause(&simulation).await.unwrap();
    assert_eq!((open.code, told(&log)), (format!("AivenToken:{code}"), (1, 0)));
    assert!(open.command.contains(command), "{}", open.command);
    undone(&mut simulation.world());
    assert_all_well(&mut simulation, &pairs, &log).await;
    assert_eq!(told(&log), (1, 1), "{code}");
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_disabled_is_one_cause_until_it_is_enabled() {
    let command = "az keyvault secret set-attributes --vault-name vault --name aiven-token --enabled true";
    let enable = |enabled| move |world: &mut World| world.enable_secret(SECRET, enabled);
    meanwhile("SecretDisabled", command, enable(false), enable(true)).await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_deleted_is_one_cause_until_it_is_recovered() {
    let command = "az keyvault secret recover --vault-name vault --name aiven-token";
    let (delete, recover) =
        (|world: &mut World| world.delete_secret(SECRET), |world: &mut World| world.recover_secret(SECRET));
    meanwhile("SecretNotFound", command, delete, recover).await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_emptied_is_one_cause_until_it_is_set() {
    let command = "az keyvault secret set --vault-name vault --name aiven-token";
    let set = |value| move |world: &mut World| world.write_secret(SECRET, value);
    meanwhile("SecretEmpty", command, set(""), set(TOKEN)).await;
}
