//! The page that says who may do what, where, and why: from the templates, and from what the functions did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use emulator::clouds::Service;
use package::snapshots::Resource;

use super::granted::{AS_GIVEN, Departure, Granted, LOOKED_UP, SPARE, Who, actions};
use super::grants;

/// Built-in roles that the templates give: GUID, name, what for.
const BUILT_IN: &[(&str, &str, &str)] = &[
    (
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "Storage Blob Data Owner",
        "the host: its package, and the leases of its timers",
    ),
    (
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "Storage Queue Data Contributor",
        "messages: taken, put back, sent, moved to poison queues; queues made where missing",
    ),
    (
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        "Storage Table Data Contributor",
        "records, journals, shared rows; tables made where missing",
    ),
    ("3913510d-42f4-4e42-8a64-420c390055eb", "Monitoring Metrics Publisher", "telemetry, which takes no key"),
    ("4633458b-17de-408a-b874-0445c86b69e6", "Key Vault Secrets User", "Aiven's token: read"),
    ("b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "Key Vault Secrets Officer", "secrets: set and read"),
    ("c6a89b2d-59bc-44d0-9896-0f6e12d7b80a", "Storage Queue Data Message Sender", "requests: sent, never read"),
    ("76199698-9eea-4c19-bc75-cec21354c6b6", "Storage Table Data Reader", "records and journals: read"),
];

/// Snapshots that give data-plane roles, with what is said where only one of them does.
const DATA: &[(&str, &str)] =
    &[("main-people", " (`CREDENTIAL=federated`)"), ("main-secret", " (`CREDENTIAL=secret`)")];

/// Who has them, by the start of the expression or by the id in the snapshots.
const PRINCIPALS: &[(&str, &str)] = &[
    ("[reference(", "the function app's identity"),
    ("55555555", "a requester (`requesterPrincipalIds`)"),
    ("88888888", "a reader (`readerPrincipalIds`)"),
    ("99999999", "a secret officer (`secretOfficerPrincipalIds`)"),
];

/// The templates in the order of their deployments, and what each is for.
const DEPLOYERS: &[(&str, &str)] = &[
    (
        "identity",
        "First deployment: the identity of the app, and the Entra objects of the peering. Deployed by an Application Administrator.",
    ),
    ("main", "Second deployment: everything of the app in Azure, in a resource group of its own."),
    (
        "grants",
        "Third deployment: what the app may do in the subscriptions whose VNets it peers. Deployed by an Owner of each, or a User Access Administrator who is Contributor, too.",
    ),
    (
        "landing-zone",
        "Third deployment, for many subscriptions: instead of `grants.bicep`, the roles and the permission of the app once, at a management group.",
    ),
];

const HEAD: &str = "# Permissions

Who may do what, where, and why. This page is written by a test, from what the templates in this folder make and from what every function
was seen to do while a peering was made, kept and deleted in the emulated clouds; the same test fails when it is stale. To write it again:

    PERMISSIONS=write cargo test --test simulated permissions

`tests/simulated/permissions` shows by trying that these rights are enough, that no action of a custom role can be left out but those
marked *spare*, and that nothing beyond them can be done.
";

/// The page.
pub async fn written() -> String {
    let mut lives = Vec::new();
    for project in [false, true] {
        let mut granted = Granted::new(Departure { project, ..AS_GIVEN });
        assert!(granted.whole_life().await, "{}", granted.simulation.shown().await);
        lives.push(granted);
    }
    let mut page = HEAD.to_owned();
    identity(&mut page, &lives[0]);
    data(&mut page);
    applications(&mut page, &lives[0]);
    directory(&mut page, &lives);
    aiven(&mut page, &lives);
    deployers(&mut page);
    page
}

fn identity(page: &mut String, life: &Granted) {
    *page += "\n## The function app's identity, on networks\n\nA user-assigned managed identity. Its custom role holds in each subscription that `grants.bicep` was given; it has no other role there.\n";
    role(page, life, Who::Identity);
    let condition = life.resources.iter().find_map(|made| made.properties["condition"].as_str()).unwrap();
    let _ = write!(
        page,
        "\nIt assigns and takes back under this condition (`automation`), which lets pass two roles for two principals. A condition knows no scopes: they can be assigned anywhere in the subscription. \
         The identity may not write role definitions, for who may edit a role that he may assign owns the subscription; nor networks and their peerings, which is the application's right.\n\n```text\n{}\n```\n",
        told(condition, life).replace(" AND ((!", "\nAND ((!")
    );
}

/// The table of a custom role.
fn role(page: &mut String, life: &Granted, who: Who) {
    let role = life.resources.iter().find(|made| made.symbol == who.role()).unwrap();
    let used = life.used_by(who);
    *page += "\n| may | where | why | given by |\n|---|---|---|---|\n";
    for action in actions(role) {
        let mut why: Vec<String> = Vec::new();
        // Aiven's platform works while functions call it, and is none of them.
        let functions = used.get(&action).into_iter().flatten().filter(|_| who != Who::Aiven);
        let functions: Vec<String> = functions.map(|name| format!("`{name}`")).collect();
        why.extend((!functions.is_empty()).then(|| functions.join(", ")));
        if who == Who::Aiven && used.contains_key(&action) {
            why.push("Aiven's platform, when it makes its half".to_owned());
        }
        let spare = SPARE.iter().find(|(whose, spare, _)| *whose == who && *spare == action);
        why.extend(spare.map(|(_, _, reason)| format!("*spare*: {reason}")));
        let places = places(life, who, &action);
        let _ = writeln!(page, "| `{action}` | {places} | {} | `{}` |", why.join("; "), given_by(life, who));
    }
}

/// The resource that gives a role away.
fn given_by(life: &Granted, who: Who) -> String {
    let functions =
        life.used_by(Who::Identity).remove("Microsoft.Authorization/roleAssignments/write").unwrap_or_default();
    match who {
        Who::Identity => "grants.bicep".to_owned(),
        _ => format!(
            "grants.bicep, assigned by {}",
            functions.into_iter().find(|name| name.ends_with(assigner(who))).unwrap()
        ),
    }
}

/// How the function that assigns a role ends.
fn assigner(who: Who) -> &'static str {
    if who == Who::Aiven { "aiven" } else { "application" }
}

/// What kind of scope an action was used at.
fn places(life: &Granted, who: Who, action: &str) -> String {
    let uses = life.simulation.uses();
    let uses = uses.iter().filter(|one| one.check.action == action && life.who(&one.check.principal) == Some(who));
    let kinds: BTreeSet<&str> = uses
        .map(|one| match one.check.scope.split('/').count() {
            3 => "the subscription",
            9 => "the VNet",
            11 if one.check.scope.contains("/virtualNetworkPeerings/") => "the VNet's peering",
            parts => panic!("{} has {parts} parts", one.check.scope),
        })
        .collect();
    if kinds.is_empty() { "–".to_owned() } else { kinds.into_iter().collect::<Vec<_>>().join(", ") }
}

/// A text without ids that are different each time.
fn told(text: &str, life: &Granted) -> String {
    let name = |symbol: &str| life.resources.iter().find(|made| made.symbol == symbol).unwrap().name.clone();
    let words = [
        (name("writerRole"), "<peering writer>"),
        (name("peerOnlyRole"), "<peer only>"),
        (life.directory.principal.clone(), "<our application's principal>"),
        (life.directory.aiven_principal.clone(), "<Aiven's principal>"),
    ];
    words.iter().fold(text.to_owned(), |text, (id, word)| text.replace(id, word))
}

fn data(page: &mut String) {
    *page += "\n## Data: queues, tables, secrets, telemetry\n\nNo service here takes a key: storage has shared keys off, Application Insights local authentication.\n\nAll of it is given by `main.bicep`. Where a list of people is empty, it is whoever deploys.\n\n| who | may | where | why |\n|---|---|---|---|\n";
    let mut all: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, only) in DATA {
        let kept = grants::snapshot(name);
        for made in kept.of_kind("Microsoft.Authorization/roleAssignments") {
            let Some(row) = data_row(made) else { continue };
            match all.iter_mut().find(|(known, _)| *known == row) {
                Some((_, ways)) => ways.push(only),
                None => all.push((row, vec![only])),
            }
        }
    }
    for (row, mut ways) in all {
        ways.dedup();
        // What an operator is given does not depend on it, and neither does what both snapshots give.
        let always = ways.len() > 1 || !row.starts_with("the function app");
        let _ = writeln!(page, "| {} |", row.replace('§', if always { "" } else { ways[0] }));
    }
}

/// `None`: to whoever deploys, which is the default of another row.
fn data_row(made: &Resource) -> Option<String> {
    let role = made.properties["roleDefinitionId"].as_str().unwrap().rsplit('/').next().unwrap();
    let (_, name, why) = BUILT_IN.iter().find(|(id, ..)| *id == role).unwrap_or_else(|| panic!("what is {role}?"));
    let who = made.properties["principalId"].as_str().unwrap();
    if who == "[deployer().objectId]" {
        return None;
    }
    let (_, who) =
        PRINCIPALS.iter().find(|(start, _)| who.starts_with(start)).unwrap_or_else(|| panic!("who is {who}?"));
    let place = match made.scope().split('/').nth_back(1).unwrap() {
        "storageAccounts" => "the app's storage account",
        "queues" => "the queues `peering-requests` and `vpc-requests`",
        "vaults" => "the app's vault",
        "components" => "the app's Application Insights",
        other => panic!("{other}?"),
    };
    Some(format!("{who} | {name}§ | {place} | {why}"))
}

fn applications(page: &mut String, life: &Granted) {
    *page += "\n## Our application\n\nMulti-tenant, without a secret: the identity signs in as it by a federated credential. On a VNet from the first peering of it to the last; with `PEERING_ROLE=network-contributor` the built-in Network Contributor in the place of this role.\n";
    role(page, life, Who::Application);
    *page += "\nIn Aiven's tenant it has what Aiven gives it there: `Microsoft.Network/virtualNetworks/peer/action` on the VPC's network.\n\n## Aiven's application, in our tenant\n";
    role(page, life, Who::Aiven);
}

fn directory(page: &mut String, lives: &[Granted]) {
    let asked: Vec<_> =
        lives.iter().flat_map(|life| life.simulation.asked()).filter(|a| a.service == Service::Graph).collect();
    assert!(asked.iter().all(|asked| asked.method == "GET"), "nothing is written to the directory");
    let watching: BTreeSet<&str> = asked.iter().map(|asked| asked.function).collect();
    assert_eq!(Vec::from_iter(watching), ["reconcile"], "nobody else asks the directory");
    *page += "\n## The directory (Microsoft Graph)\n\nNone of them has a right there. An administrator makes application, federated credential and principals once, and the app is told their ids. An id that is left out is looked up:\n\n| setting left out | asks | needs |\n|---|---|---|\n";
    for (setting, step, right) in LOOKED_UP {
        let _ = writeln!(page, "| `{setting}` | `{step}` | Graph application permission `{right}` |");
    }
    *page += "\nWith the same permission `reconcile` sees when one of them was deleted or disabled; without it, it sees nothing of the directory.\n\nThe app could make what is missing, too, with `Application.ReadWrite.OwnedBy` for its own application and `Application.ReadWrite.All` for Aiven's principal; but the condition above names both principals, so they have to be there before `grants.bicep`. Do not give these: the second lets its holder take over the tenant.\n";
}

/// What a call of Aiven takes (Aiven: roles and permissions).
fn permission(method: &str, path: &str) -> String {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let verb = if method == "GET" { "read" } else { "write" };
    match parts.as_slice() {
        ["v1", owner @ ("organization" | "project"), _, "vpcs" | "vpc", ..] => format!("{owner}:networking:{verb}"),
        ["v1", "project", _, "service", ..] if verb == "read" => "project:services:read".to_owned(),
        // No permission of its own is documented for the list.
        ["v1", "organization", _, "projects"] if verb == "read" => "membership of the organization".to_owned(),
        _ => panic!("which permission does {method} {path} take?"),
    }
}

fn aiven(page: &mut String, lives: &[Granted]) {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for life in lives {
        for asked in life.simulation.asked().into_iter().filter(|asked| asked.service == Service::Aiven) {
            let by = format!("`{}`", asked.function);
            let needed = permission(&asked.method, &asked.path);
            let needed = if needed.contains(':') { format!("`{needed}`") } else { needed };
            uses.entry(needed).or_default().insert(by);
        }
    }
    *page += "\n## Aiven's token\n\nThe only secret; of an application user, whose role holds no more than this. An organization's VPCs take the first, a project's the second kind.\n\n| permission | why |\n|---|---|\n";
    for (permission, functions) in uses {
        let _ = writeln!(page, "| {permission} | {} |", functions.into_iter().collect::<Vec<_>>().join(", "));
    }
}

fn deployers(page: &mut String) {
    *page += "\n## Who deploys\n\nOnce, and for an upgrade of the templates; none of it is the app's. In the order of the deployments; each takes `Microsoft.Resources/deployments/*` besides, which a User Access Administrator has only with another role.\n\n| template | what for | built-in roles that suffice | makes, so takes `…/write` of |\n|---|---|---|---|\n";
    let kept = grants::kept();
    for (template, what) in DEPLOYERS {
        let of_it = kept.iter().filter(|one| one.name == *template || one.name.starts_with(&format!("{template}-")));
        let made = of_it.flat_map(|one| &one.resources);
        let kinds: BTreeSet<String> = made.map(|one| one.kind.trim_end_matches("@v1.0").to_owned()).collect();
        let who = suffices(&kinds);
        let kinds: Vec<String> = kinds.into_iter().map(|kind| format!("`{kind}`")).collect();
        let _ = writeln!(page, "| `{template}.bicep` | {what} | {who} | {} |", kinds.join(", "));
    }
}

/// Built-in roles that may make these, at the subscriptions that they are made in (Azure, Entra: built-in roles).
fn suffices(kinds: &BTreeSet<String>) -> String {
    let any = |part: &str| kinds.iter().any(|kind| kind.starts_with(part));
    let in_azure = if any("Microsoft.Authorization/") { "Owner" } else { "Contributor" };
    let in_entra = if any("Microsoft.Graph/") { " and, in Entra, Application Administrator" } else { "" };
    format!("{in_azure}{in_entra}")
}
