//! What is made of what was seen: an address, a filter, a connection.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::json;

use super::judge::{Ground, Scope, Tcp, judge, not_checked, verdict};
use crate::cloud::aiven::{AivenService, Component, ComponentRoute, ServiceState, Usage};
use crate::cloud::resolve::Reach as Tried;
use crate::peering::{Connectivity, Reach};

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn ground(vnet: &[&str]) -> Ground {
    Ground { vnet: nets(vnet), vpc: nets(&["10.200.0.0/24"]) }
}

fn component(name: &str) -> Component {
    let host = format!("{name}.a.aivencloud.com");
    Component { name: name.to_owned(), host, port: 19872, route: ComponentRoute::Dynamic, usage: Usage::Primary }
}

fn service(filter: Option<&[&str]>) -> AivenService {
    AivenService {
        name: "pg-1".to_owned(),
        kind: "pg".to_owned(),
        state: ServiceState::Running,
        vpc: None,
        components: vec![component("pg")],
        ip_filter: filter.map(nets),
        ip_filter_entries: filter.unwrap_or_default().iter().map(|&entry| entry.into()).collect(),
    }
}

fn skipped() -> Tcp {
    Tcp::NotTried("the app is elsewhere".to_owned())
}

/// Of a service with this filter, seen from a VNet with these prefixes.
fn seen(vnet: &[&str], filter: Option<&[&str]>, addresses: &[&str], tcp: &Tcp) -> Reach {
    let service = service(filter);
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    judge(&ground(vnet), ("demo", &service, &service.components[0]), Ok(addresses), tcp)
}

fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

#[test]
fn an_open_service_in_the_vpc_is_good_and_says_that_tcp_was_not_tried() {
    for filter in [None, Some(&["0.0.0.0/0"][..]), Some(&["192.0.2.1/32", "10.0.0.0/8"][..])] {
        let reach = seen(&["10.1.0.0/16"], filter, &["10.200.0.4"], &skipped());
        assert!(reach.good && reach.not_admitted.is_empty() && reach.connected.is_none(), "{reach:?}");
        assert!(reach.verdict.ends_with("TCP was not tried: the app is elsewhere"), "{}", reach.verdict);
    }
}

#[test]
fn a_filter_without_the_vnet_is_the_usual_cause_and_the_command_keeps_what_it_has() {
    let reach =
        seen(&["10.1.0.0/24", "10.2.0.0/24"], Some(&["192.0.2.1/32", "10.1.0.0/16"]), &["10.200.0.4"], &skipped());
    assert!(!reach.good);
    assert_eq!(reach.not_admitted, nets(&["10.2.0.0/24"]));
    assert_eq!(
        reach.verdict,
        "its IP filter does not admit 10.2.0.0/24 of the VNet, so connections from there are refused: avn service update pg-1 --project demo -c 'ip_filter=[\"192.0.2.1/32\",\"10.1.0.0/16\",\"10.2.0.0/24\"]'"
    );
}

#[test]
fn the_command_keeps_descriptions_and_what_is_no_range() {
    let mut service = service(Some(&["192.0.2.1/32"]));
    service.ip_filter_entries = vec![json!({"network": "192.0.2.1/32", "description": "Anna's office"}), "odd".into()];
    let addresses = vec!["10.200.0.4".parse().unwrap()];
    let reach = judge(&ground(&["10.1.0.0/24"]), ("demo", &service, &service.components[0]), Ok(addresses), &skipped());
    let entries = r#"[{"description":"Anna'\''s office","network":"192.0.2.1/32"},"odd","10.1.0.0/24"]"#;
    let command = format!("avn service update pg-1 --project demo -c 'ip_filter={entries}'");
    assert!(reach.verdict.ends_with(&command), "{}", reach.verdict);
}

#[test]
fn a_filter_admits_a_prefix_that_several_entries_cover_together_and_none_that_they_cover_in_part() {
    let halves = Some(&["10.1.0.0/25", "10.1.0.128/25"][..]);
    assert!(seen(&["10.1.0.0/24"], halves, &["10.200.0.4"], &skipped()).good);
    let half = seen(&["10.1.0.0/24"], Some(&["10.1.0.0/25"]), &["10.200.0.4"], &skipped());
    assert_eq!(half.not_admitted, nets(&["10.1.0.0/24"]));
    let nobody = seen(&["10.1.0.0/24"], Some(&[]), &["10.200.0.4"], &skipped());
    assert!(nobody.verdict.ends_with("-c 'ip_filter=[\"10.1.0.0/24\"]'"), "{}", nobody.verdict);
}

#[test]
fn a_vpc_knows_no_ipv6_so_no_filter_has_to_admit_it() {
    assert!(seen(&["10.1.0.0/24", "fd00::/64"], Some(&["10.1.0.0/24"]), &["10.200.0.4"], &skipped()).good);
}

#[test]
fn a_long_filter_is_not_repeated() {
    let entries: Vec<String> = (0..200).map(|n| format!("192.0.2.{n}/32")).collect();
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let reach = seen(&["10.1.0.0/24"], Some(&entries), &["10.200.0.4"], &skipped());
    assert!(
        reach.verdict.contains("replaces all 200 entries: `avn service get pg-1 --project demo --json`"),
        "{}",
        reach.verdict
    );
    assert!(reach.verdict.len() < 500);
}

#[test]
fn an_address_outside_of_the_vpc_is_not_the_peerings() {
    let reach = seen(&["10.1.0.0/24"], None, &["10.200.0.4", "203.0.113.4"], &skipped());
    assert!(
        !reach.good && reach.verdict.contains("203.0.113.4, which is not in the VPC's range 10.200.0.0/24"),
        "{}",
        reach.verdict
    );
}

#[test]
fn a_name_without_an_address_is_told_in_the_resolvers_words() {
    let service = service(None);
    let why = Err("pg.a.aivencloud.com does not resolve: there is no such name".to_owned());
    let reach = judge(&ground(&["10.1.0.0/24"]), ("demo", &service, &service.components[0]), why, &skipped());
    assert!(!reach.good && reach.addresses.is_empty() && reach.verdict.contains("there is no such name"), "{reach:?}");
}

#[test]
fn a_connection_counts_where_it_was_tried() {
    for (tried, good, words) in [
        (Tried::Reached, true, "takes connections"),
        (Tried::Refused, false, "refuses connections to port 19872"),
        (Tried::TimedOut, false, "nothing answers on port 19872"),
        (Tried::NoRoute, false, "knows no way to port 19872"),
    ] {
        let reach = seen(&["10.1.0.0/24"], None, &["10.200.0.4"], &Tcp::Tried(tried));
        assert_eq!((reach.good, reach.connected), (good, Some(good)), "{tried:?}");
        assert!(reach.verdict.contains(words), "{}", reach.verdict);
    }
}

fn scope(services: usize) -> Scope {
    Scope { services, unseen: None }
}

#[test]
fn a_vpc_without_a_running_service_is_nothing_to_worry_about() {
    for (services, words) in [(0, "no service is in the VPC yet"), (2, "none of the 2 services in the VPC runs")] {
        let told = verdict(&scope(services), Vec::new(), &skipped(), at());
        assert!(told.good && told.summary.contains(words), "{}", told.summary);
    }
}

#[test]
fn what_is_wrong_comes_first_and_is_in_the_sentence() {
    let good = seen(&["10.1.0.0/24"], None, &["10.200.0.4"], &skipped());
    let bad = seen(&["10.1.0.0/24"], Some(&[]), &["10.200.0.5"], &skipped());
    let told = verdict(&scope(2), vec![good.clone(), bad.clone()], &skipped(), at());
    assert!(!told.good && told.services == [bad, good], "{told:?}");
    assert!(
        told.summary
            .starts_with("1 of 2 addresses of services cannot be used from the VNet: demo/pg-1 (pg): its IP filter"),
        "{}",
        told.summary
    );
}

#[test]
fn a_project_that_could_not_be_looked_at_is_mentioned() {
    let good = seen(&["10.1.0.0/24"], None, &["10.200.0.4"], &skipped());
    let unseen = Some("1 of 3 projects could not be looked at: a reason".to_owned());
    let told = verdict(&Scope { unseen, ..scope(1) }, vec![good], &skipped(), at());
    assert!(
        told.good && told.summary.ends_with("; 1 of 3 projects could not be looked at: a reason"),
        "{}",
        told.summary
    );
}

#[test]
fn a_row_holds_the_list_however_many_services_there_are() {
    let many: Vec<Reach> = (0..500).map(|_| seen(&["10.1.0.0/24"], Some(&[]), &["10.200.0.4"], &skipped())).collect();
    let told = verdict(&scope(500), many, &skipped(), at());
    let units = |told: &Connectivity| serde_json::to_string(told).unwrap().encode_utf16().count();
    assert!(units(&told) < 20 * 1024, "{}", units(&told));
    assert!(told.services.len() > 20 && told.services.len() + told.left_out == 500);
}

#[test]
fn nothing_seen_is_not_good() {
    let told = not_checked("Aiven answered 403", at());
    assert_eq!((told.good, told.summary.as_str()), (false, "not checked: Aiven answered 403"));
}
