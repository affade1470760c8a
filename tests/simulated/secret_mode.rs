//! `CREDENTIAL=secret`: the application's password goes straight into Key Vault, once, whatever interrupts it; and nowhere else.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use emulator::clouds::{AIVEN_APPLICATION, Fault, Lags, Pair, Service, World};
use functions::clock::Clock;
use functions::peering::{Provenance, Status};
use functions::state::Scope;
use simulation::{Setup, Simulation, existing, run_each};

/// Name of our passwords.
const OURS: &str = "aiven-azure-peering-default";

/// One pair, in secret mode.
fn scene(world: &mut World) -> Pair {
    world.secret_mode();
    world.standard(1, 1, false).remove(0)
}

/// Client id of the application, and the ids of its passwords of a name.
fn passwords(world: &World, name: Option<&str>) -> (String, Vec<String>) {
    let app = world.applications.iter().find(|app| app.unique_name.as_deref() == Some(OURS)).unwrap();
    let named = app.passwords.iter().filter(|password| password.display_name.as_deref() == name);
    (app.app_id.clone(), named.map(|password| password.key_id.clone()).collect())
}

/// The application has one password of ours, and the vault's newest version holds it, and says so.
async fn assert_kept(simulation: &Simulation) {
    let (shown, made) = (simulation.shown().await, simulation.clouds.passwords_made());
    let world = simulation.world();
    let (app, ours) = passwords(&world, Some(OURS));
    assert_eq!(ours.len(), 1, "{shown}");
    let vault = world.vault.as_ref().unwrap();
    let newest = vault.secret(&secret_name(&app)).and_then(|secret| secret.version(None));
    let newest = newest.unwrap_or_else(|| panic!("the vault has no password: {shown}"));
    assert_eq!((&newest.tags["key_id"], &newest.tags["app"]), (&ours[0], &app), "{shown}");
    let all = &world.application(&app).unwrap().passwords;
    let password = all.iter().find(|password| password.key_id == ours[0]).unwrap();
    assert!(made.iter().any(|text| password.is(text) && newest.is(text)), "{shown}");
    assert_eq!(newest.expires.unwrap(), password.end.as_second());
}

/// Runs until everything rests or has a fault; at every turn at most one password of ours is not the vault's. Returns whether
/// one was, ever.
async fn settle(simulation: &mut Simulation) -> bool {
    until(simulation, async |this| this.is_settled().await).await
}

/// The same, until something is so.
async fn until(simulation: &mut Simulation, mut is_so: impl AsyncFnMut(&Simulation) -> bool) -> bool {
    let mut most = 0;
    let watch = async |this: &Simulation| {
        most = orphans(&this.world()).max(most);
        assert!(most <= 1, "{most} passwords of ours that nobody holds");
        is_so(this).await
    };
    simulation.run_until("what was to come", watch).await;
    most == 1
}

/// How many passwords of ours the vault does not hold.
fn orphans(world: &World) -> usize {
    if !world.applications.iter().any(|app| app.unique_name.as_deref() == Some(OURS)) {
        return 0;
    }
    let (app, ours) = passwords(world, Some(OURS));
    let held = key_in_vault(world, &app);
    ours.iter().filter(|id| Some(*id) != held.as_ref()).count()
}

/// Which password the vault's newest version says it holds.
fn key_in_vault(world: &World, app: &str) -> Option<String> {
    let secret = world.vault.as_ref()?.secret(&secret_name(app))?;
    secret.version(None)?.tags.get("key_id").cloned()
}

fn secret_name(app: &str) -> String {
    format!("application-{app}")
}

async fn assert_active(simulation: &Simulation, pairs: &[Pair]) {
    for pair in pairs {
        let record = simulation.record(pair).await.unwrap();
        assert!(record.status == Status::Active && record.is_idle(), "{}", simulation.shown().await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peering_becomes_active_by_a_password() {
    let (mut simulation, pair) = Simulation::new(scene);
    simulation.request("create", &pair).await;
    settle(&mut simulation).await;
    assert_active(&simulation, std::slice::from_ref(&pair)).await;
    assert_kept(&simulation).await;
    let facts = simulation.record(&pair).await.unwrap().facts;
    let life = facts.secret_expires.unwrap().duration_since(facts.secret_at.unwrap());
    assert_eq!((life.as_secs_f64() / 86_400.0).round(), 180.0, "days");
    let journal = simulation.journal().await.join("\n");
    assert!(journal.contains("the application's password is in the vault's secret application-"), "{journal}");
    let parts = format!("{:?}", simulation.rows("shared").await);
    assert!(parts.contains("created") && !parts.contains("federated"), "{parts}");
    let (app, _) = passwords(&simulation.world(), Some(OURS));
    assert!(simulation.world().application(&app).unwrap().federated_credentials.is_empty());
}

/// The application is there, with passwords of other people.
fn with_others(world: &mut World) -> Pair {
    let pair = scene(world);
    let home = world.home_tenant.clone();
    let app = world.add_application(&home, "by hand", Some(OURS), true);
    for name in [None, Some("deployment"), Some("aiven-azure-peering-default-2"), Some("aiven-azure-peering")] {
        world.add_password(&app, name).unwrap();
    }
    pair
}

fn of_others(world: &World) -> Vec<String> {
    let (app, _) = passwords(world, None);
    let all = &world.application(&app).unwrap().passwords;
    let others = all.iter().filter(|password| password.display_name.as_deref() != Some(OURS));
    others.map(|password| password.key_id.clone()).collect()
}

/// How many calls there are until the credential is there, and how many before it is begun.
fn calls_of_the_step() -> std::ops::Range<usize> {
    simulation::run(async {
        let (mut simulation, pair) = Simulation::new(with_others);
        simulation.request("create", &pair).await;
        let step =
            async |this: &Simulation| this.record(&pair).await.map(|record| record.progress.step).unwrap_or_default();
        simulation.run_until("the step", async |this| step(this).await == "add_credential").await;
        let first = simulation.moments.count();
        simulation.run_until("the next", async |this| step(this).await == "authorize_application").await;
        first..simulation.moments.count() + 4
    })
}

/// The handler dies before a call, and perhaps before another one once the step's message has come back; then all is as if nothing
/// had happened. Returns whether a password was left over for a while.
async fn dies_before(first: usize, second: Option<usize>) -> bool {
    let (mut simulation, pair) = Simulation::new(with_others);
    let others = of_others(&simulation.world());
    simulation.request("create", &pair).await;
    simulation.moments.die_before(first);
    let mut left_over = until(&mut simulation, async |this| this.deaths() == 1).await;
    if let Some(second) = second {
        let lease = simulation.clock.after(Duration::from_secs(595));
        left_over |= until(&mut simulation, async |this| this.clock.now() >= lease).await;
        simulation.moments.die_before(second);
    }
    left_over |= settle(&mut simulation).await;
    assert_active(&simulation, std::slice::from_ref(&pair)).await;
    assert_kept(&simulation).await;
    assert_eq!(of_others(&simulation.world()), others, "other people's passwords stay");
    left_over
}

#[test]
fn death_before_any_call_leaves_one_password() {
    let calls = calls_of_the_step();
    assert!(calls.len() > 12, "{calls:?}");
    let left_over = AtomicUsize::new(0);
    run_each(calls, |n| {
        let left_over = &left_over;
        async move {
            left_over.fetch_add(usize::from(dies_before(n, None).await), SeqCst);
        }
    });
    assert!(left_over.into_inner() >= 2, "after the password was added, and after the vault was looked at once more");
}

/// The handler dies in the moment in which the call has taken effect, and nobody has heard of it.
async fn crash_after(call: impl FnOnce(Fault) -> Fault, made: usize) {
    let (mut simulation, pair) = Simulation::new(scene);
    let moments = simulation.moments.clone();
    simulation.clouds.fault(call(Fault::cut_after_then(move || moments.kill())));
    simulation.request("create", &pair).await;
    settle(&mut simulation).await;
    assert_eq!((simulation.clouds.faults_left(), simulation.deaths()), (0, 1), "the handler died");
    assert_active(&simulation, std::slice::from_ref(&pair)).await;
    assert_kept(&simulation).await;
    assert_eq!((simulation.clouds.passwords_made().len(), versions(&simulation)), (made, 1));
    let (app, ours) = passwords(&simulation.world(), Some(OURS));
    let row = simulation.app().engine.shared.load(&Scope::Installation).await.unwrap().value;
    let part = &row.parts[&format!("secret:{app}")];
    assert_eq!(part.provenance, Some(Provenance::Created));
    assert_eq!(part.value.as_ref().unwrap()["key_id"], ours[0].as_str());
}

#[tokio::test(start_paused = true)]
async fn crash_after_the_password_was_added() {
    crash_after(Fault::making_password, 2).await;
}

#[tokio::test(start_paused = true)]
async fn crash_after_the_vault_took_it() {
    crash_after(Fault::writing_secret, 1).await;
}

#[test]
fn a_second_death_changes_nothing() {
    let calls = calls_of_the_step();
    let second = 1..=calls.len();
    let pairs: Vec<_> = calls.flat_map(|n| second.clone().map(move |m| (n, m))).collect();
    run_each(0..pairs.len(), |i| {
        let (first, second) = pairs[i];
        async move {
            dies_before(first, Some(second)).await;
        }
    });
}

#[test]
fn many_peerings_make_one_password() {
    run_each(1..=30, |n| async move {
        let (mut simulation, pairs) = Simulation::new(|world| {
            world.secret_mode();
            world.pairs(2, 2, 4, false)
        });
        for pair in &pairs {
            simulation.request("create", pair).await;
        }
        simulation.moments.die_before(10 * n);
        settle(&mut simulation).await;
        assert_active(&simulation, &pairs).await;
        assert_kept(&simulation).await;
    });
}

/// Whoever writes into the vault before we do is first: before any call of the step, a person puts a password there.
#[test]
fn password_a_person_writes_meanwhile_stays() {
    let calls = calls_of_the_step();
    let overwritten = std::sync::Mutex::new(Vec::new());
    run_each(calls, |n| {
        let overwritten = &overwritten;
        async move {
            let (mut simulation, pair) = Simulation::new(with_others);
            let (app, _) = passwords(&simulation.world(), None);
            let (_, text) = simulation.world().add_password(&app, Some("by hand")).unwrap();
            let (clouds, secret, hers) = (simulation.clouds.clone(), secret_name(&app), text.clone());
            simulation.moments.before(n, move || clouds.world().write_secret(&secret, &hers));
            simulation.request("create", &pair).await;
            settle(&mut simulation).await;
            assert_active(&simulation, std::slice::from_ref(&pair)).await;
            let world = simulation.world();
            let held = world.vault.as_ref().unwrap().secret(&secret_name(&app)).unwrap();
            if !held.version(None).unwrap().is(&text) {
                overwritten.lock().unwrap().push(n);
            }
            let (_, ours) = passwords(&world, Some(OURS));
            assert_eq!(ours.len(), held.versions.len() - 1, "ours is removed where it was not written");
        }
    });
    let overwritten = overwritten.into_inner().unwrap();
    assert!(
        overwritten.len() <= 1,
        "the vault has no conditional write: one call between look and write, {overwritten:?}"
    );
}

/// One peering, Active; and another that is asked for more than an hour later, when what was seen is looked at again.
async fn an_hour_later(meanwhile: impl FnOnce(&mut World, &str)) -> Simulation {
    let (mut simulation, pairs) = Simulation::new(|world| {
        world.secret_mode();
        world.standard(2, 2, false)
    });
    simulation.request("create", &pairs[0]).await;
    settle(&mut simulation).await;
    let (app, _) = passwords(&simulation.world(), Some(OURS));
    meanwhile(&mut simulation.world(), &app);
    simulation.run_for(Duration::from_secs(3700)).await;
    simulation.request("create", &pairs[1]).await;
    simulation.settle().await;
    simulation
}

async fn assert_all_active(simulation: &Simulation) {
    for record in simulation.records().await {
        assert_eq!(record.status, Status::Active, "{}", simulation.shown().await);
    }
}

fn versions(simulation: &Simulation) -> usize {
    let world = simulation.world();
    world.vault.as_ref().unwrap().secrets.values().map(|secret| secret.versions.len()).sum()
}

#[tokio::test(start_paused = true)]
async fn a_password_serves_as_long_as_it_is_good() {
    let simulation = an_hour_later(|_, _| {}).await;
    assert_all_active(&simulation).await;
    assert_kept(&simulation).await;
    assert_eq!(versions(&simulation), 1);
}

#[tokio::test(start_paused = true)]
async fn password_gone_from_the_directory_is_made_again() {
    let removed = |world: &mut World, app: &str| {
        let (_, ours) = passwords(world, Some(OURS));
        world.remove_password(app, &ours[0]);
    };
    let expired = |world: &mut World, app: &str| world.expire_passwords(app);
    for simulation in [an_hour_later(removed).await, an_hour_later(expired).await] {
        assert_all_active(&simulation).await;
        assert_kept(&simulation).await;
        assert_eq!(versions(&simulation), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn left_over_password_goes_with_the_next_pass() {
    let simulation = an_hour_later(|world, app| drop(world.add_password(app, Some(OURS)))).await;
    assert_all_active(&simulation).await;
    assert_kept(&simulation).await;
    assert_eq!(versions(&simulation), 1);
}

#[tokio::test(start_paused = true)]
async fn printed_command_recovers_a_deleted_secret() {
    let mut simulation = an_hour_later(|world, app| world.delete_secret(&secret_name(app))).await;
    let (app, ours) = passwords(&simulation.world(), Some(OURS));
    assert!(ours.is_empty(), "what the vault refused is nobody's: {ours:?}");
    let fault = simulation.records().await.into_iter().find_map(|record| record.progress.fault).unwrap();
    let command = format!("az keyvault secret recover --vault-name vault --name {}", secret_name(&app));
    assert_eq!(fault.command, command);
    simulation.world().vault.as_mut().unwrap().secrets.values_mut().for_each(|secret| secret.deleted_at = None);
    simulation.run_for(Duration::from_secs(400)).await;
    settle(&mut simulation).await;
    assert_all_active(&simulation).await;
    assert_kept(&simulation).await;
}

/// The deployment made application and principals; the app's identity has these directory rights.
fn deployed(world: &mut World, rights: &[&str]) -> (Pair, String) {
    let pair = scene(world);
    existing::up_to(world, &pair, existing::Thing::AivenPrincipal);
    let app = world.applications.iter().find(|app| app.unique_name.is_some()).unwrap().app_id.clone();
    let home = world.home_tenant.clone();
    let principal = |world: &World, app: &str| world.service_principal(&home, app).unwrap().id.clone();
    let (ours, aivens) = (principal(world, &app), principal(world, AIVEN_APPLICATION));
    let settings =
        [("APPLICATION_ID", app.clone()), ("APPLICATION_PRINCIPAL_ID", ours), ("AIVEN_PRINCIPAL_ID", aivens)];
    world.app_settings.extend(settings.map(|(name, value)| (name.to_owned(), value)));
    let identity = world.identity_principal_id.clone();
    world.graph_roles.remove(&identity);
    rights.iter().for_each(|right| world.grant_graph(&identity, right));
    (pair, app)
}

/// What the printed command does.
fn run_by_hand(world: &mut World, app: &str) {
    let (_, text) = world.add_password(app, None).unwrap();
    world.write_secret(&secret_name(app), &text);
}

#[tokio::test(start_paused = true)]
async fn missing_permission_to_add_one_prints_the_command() {
    for rights in [&["Application.Read.All", "Application.ReadWrite.OwnedBy"][..], &[]] {
        let (mut simulation, (pair, app)) = Simulation::new(|world| deployed(world, rights));
        simulation.request("create", &pair).await;
        simulation.settle().await;
        let fault = simulation.record(&pair).await.unwrap().progress.fault.unwrap();
        let command = format!(
            "az keyvault secret set --vault-name vault --name application-{app} --value \"$(az ad app credential reset --id {app} --append"
        );
        assert!(fault.command.starts_with(&command) && fault.command.contains("run by an owner"), "{}", fault.command);
        run_by_hand(&mut simulation.world(), &app);
        simulation.run_for(Duration::from_secs(400)).await;
        simulation.settle().await;
        assert_all_active(&simulation).await;
        let (_, ours) = passwords(&simulation.world(), Some(OURS));
        assert!(ours.is_empty() && versions(&simulation) == 1, "the person's stays, and is the only one");
    }
}

#[tokio::test(start_paused = true)]
async fn password_of_a_person_needs_no_directory_permission() {
    let (mut simulation, pair) = Simulation::new(|world| {
        let (pair, app) = deployed(world, &[]);
        run_by_hand(world, &app);
        pair
    });
    simulation.request("create", &pair).await;
    simulation.settle().await;
    assert_all_active(&simulation).await;
    assert!(format!("{:?}", simulation.rows("shared").await).contains("adopted"));
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_the_vault_the_role_is_named() {
    let (mut simulation, pair) = Simulation::new(|world| {
        let pair = scene(world);
        let vault = world.vault.as_ref().unwrap().id.clone();
        world.role_assignments.retain(|one| one.scope != vault);
        pair
    });
    simulation.request("create", &pair).await;
    simulation.settle().await;
    let fault = simulation.record(&pair).await.unwrap().progress.fault.unwrap();
    let identity = simulation.world().identity_principal_id.clone();
    assert!(
        fault.command.contains(&format!("\"Key Vault Secrets Officer\" --assignee-object-id {identity}")),
        "{fault:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn only_a_young_password_is_waited_for() {
    for (minutes, waits) in [(120, false), (4, true)] {
        let secret = Duration::from_secs(minutes * 60);
        let lags = Lags { secret, ..Lags::none() };
        let (mut simulation, pair) = Simulation::start(Setup { lags, ..Setup::default() }, scene);
        simulation.request("create", &pair).await;
        settle(&mut simulation).await;
        let journal = simulation.journal().await.join("\n");
        assert!(journal.contains("wait the application's password is not known everywhere yet"), "{journal}");
        let fault = simulation.record(&pair).await.unwrap().progress.fault;
        assert_eq!(fault.is_none(), waits, "{journal}");
        if let Some(fault) = fault {
            assert!(fault.code == "AADSTS7000215" && fault.command.contains("az keyvault secret set"), "{fault:?}");
            simulation.run_for(Duration::from_secs(3 * 3600)).await;
        }
        assert_all_active(&simulation).await;
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_password_is_told_and_the_right_one_read() {
    let (mut simulation, (pair, app)) = Simulation::new(|world| {
        let (pair, app) = deployed(world, &[]);
        world.write_secret(&secret_name(&app), "not-the-password");
        (pair, app)
    });
    simulation.request("create", &pair).await;
    simulation.settle().await;
    let fault = simulation.record(&pair).await.unwrap().progress.fault.unwrap();
    assert!(fault.code == "AADSTS7000215" && fault.command.contains(&secret_name(&app)), "{fault:?}");
    run_by_hand(&mut simulation.world(), &app);
    simulation.run_for(Duration::from_secs(400)).await;
    simulation.settle().await;
    assert_all_active(&simulation).await;
}

/// What a pass of reconciliation has recorded of what all peerings share.
async fn reconciled(simulation: &mut Simulation) -> Vec<(String, String, String)> {
    simulation.ring("reconcile").await.unwrap();
    simulation.settle().await;
    let row = simulation.app().engine.shared.load(&Scope::Installation).await.unwrap().value;
    row.drift.into_iter().map(|(part, drift)| (part, drift.kind, format!("{} {}", drift.what, drift.command))).collect()
}

#[tokio::test(start_paused = true)]
async fn end_and_loss_of_a_password_are_reported() {
    let (mut simulation, pair) = Simulation::new(scene);
    simulation.request("create", &pair).await;
    settle(&mut simulation).await;
    simulation.run_for(Duration::from_secs(3600)).await;
    assert_eq!(reconciled(&mut simulation).await, []);
    let (app, ours) = passwords(&simulation.world(), Some(OURS));
    let end = simulation.clock.after(Duration::from_secs(29 * 24 * 3600));
    for application in simulation.world().applications.iter_mut().filter(|one| one.app_id == app) {
        application.passwords.iter_mut().for_each(|password| password.end = end);
    }
    simulation.clouds.reset_calls();
    let found = reconciled(&mut simulation).await;
    let calls = simulation.clouds.calls_by_service();
    assert_eq!((calls[&Service::Graph], calls[&Service::KeyVault]), (3, 1), "{calls:?}");
    let (part, kind, told) = &found[0];
    assert_eq!((part.as_str(), kind.as_str()), (format!("secret:{app}").as_str(), "secret_ends"));
    assert!(told.contains("ends at 20") && told.contains("az keyvault secret set"), "{told}");
    assert_eq!(reconciled(&mut simulation).await, found, "told in the same words");
    simulation.world().remove_password(&app, &ours[0]);
    assert_eq!(reconciled(&mut simulation).await[0].1, "secret_gone");
    run_by_hand(&mut simulation.world(), &app);
    assert_eq!(reconciled(&mut simulation).await, [], "a person's password is good until Entra says otherwise");
    simulation.world().delete_secret(&secret_name(&app));
    assert_eq!(reconciled(&mut simulation).await[0].1, "secret_gone");
    assert_active(&simulation, std::slice::from_ref(&pair)).await;
}

/// A pass while the password is being made says nothing of it.
#[test]
fn a_password_in_the_making_is_not_missed() {
    run_each(calls_of_the_step(), |n| async move {
        let (mut simulation, pair) = Simulation::new(with_others);
        simulation.request("create", &pair).await;
        simulation.moments.die_before(n);
        until(&mut simulation, async |this| this.deaths() == 1).await;
        assert_eq!(reconciled(&mut simulation).await, []);
    });
}
