//! The language, by the documented examples and by what is none.

use super::{Attributes, Condition, Situation};

const PEER: &str = "11111111-1111-4111-8111-111111111111";
const WRITER: &str = "22222222-2222-4222-8222-222222222222";
const OURS: &str = "33333333-3333-4333-8333-333333333333";
const AIVEN: &str = "44444444-4444-4444-8444-444444444444";
const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
const DELETE: &str = "Microsoft.Authorization/roleAssignments/delete";

fn half(action: &str, source: &str) -> String {
    let attribute = format!("@{source}[Microsoft.Authorization/roleAssignments");
    format!(
        "((!(ActionMatches{{'{action}'}})) OR ({attribute}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{PEER}, \
         {WRITER}}} AND {attribute}:PrincipalId] ForAnyOfAnyValues:GuidEquals {{{OURS}, {AIVEN}}}))"
    )
}

fn delegation() -> Condition {
    Condition::parse(&format!("{} AND {}", half(WRITE, "Request"), half(DELETE, "Resource"))).unwrap()
}

fn assignment<'a>(role: &'a str, principal: &'a str) -> Attributes<'a> {
    Attributes { role: Some(role), principal: Some(principal), principal_type: Some("ServicePrincipal") }
}

#[test]
fn a_delegation_admits_its_roles_for_its_principals_and_any_other_action() {
    let condition = delegation();
    let in_capitals = PEER.to_uppercase();
    let write = |request| condition.holds(&Situation { action: WRITE, request, ..Situation::default() });
    assert!(write(assignment(PEER, AIVEN)) && write(assignment(WRITER, OURS)));
    assert!(write(assignment(&in_capitals, OURS)), "GUIDs have no case");
    assert!(!write(assignment(AIVEN, PEER)));
    assert!(!write(assignment(PEER, WRITER)) && !write(assignment(OURS, OURS)));
    assert!(!write(Attributes::default()));
    let read = Situation { action: "Microsoft.Authorization/roleAssignments/read", ..Situation::default() };
    assert!(condition.holds(&read));
}

#[test]
fn a_write_is_judged_by_what_is_asked_and_a_delete_by_what_is_there() {
    let condition = delegation();
    let (good, bad) = (assignment(PEER, AIVEN), assignment(PEER, PEER));
    let holds = |action, request, resource| condition.holds(&Situation { action, request, resource });
    assert!(holds(WRITE, good, bad) && !holds(WRITE, bad, good));
    assert!(holds(DELETE, bad, good) && !holds(DELETE, good, bad));
}

#[test]
fn the_type_of_a_principal_counts_only_if_it_is_said() {
    let text = "@Request[Microsoft.Authorization/roleAssignments:PrincipalType] \
                ForAnyOfAnyValues:StringEqualsIgnoreCase {'serviceprincipal', 'Group'}";
    let condition = Condition::parse(text).unwrap();
    assert_eq!(condition.text(), text);
    let holds = |request| condition.holds(&Situation { action: WRITE, request, ..Situation::default() });
    assert!(holds(assignment(PEER, OURS)));
    assert!(!holds(Attributes { principal_type: None, ..assignment(PEER, OURS) }));
}

#[test]
fn all_but_some_roles_is_said_by_every_value() {
    let path = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]";
    let holds = |quantifier: &str, role: &str| {
        let text = format!("{path} {quantifier}:GuidNotEquals {{{PEER}, {WRITER}}}");
        let request = assignment(role, OURS);
        Condition::parse(&text).unwrap().holds(&Situation { action: WRITE, request, ..Situation::default() })
    };
    for quantifier in ["ForAnyOfAllValues", "ForAllOfAllValues"] {
        assert!(holds(quantifier, AIVEN) && !holds(quantifier, PEER) && !holds(quantifier, WRITER));
    }
    for quantifier in ["ForAnyOfAnyValues", "ForAllOfAnyValues"] {
        assert!(holds(quantifier, PEER), "it differs from the other one");
    }
}

#[test]
fn negation_binds_before_and_and_and_before_or() {
    let holds = |text: &str| {
        let text = text.replace('T', "ActionMatches{'*/write'}").replace('F', "ActionMatches{'*/read'}");
        Condition::parse(&text).unwrap().holds(&Situation { action: WRITE, ..Situation::default() })
    };
    assert!(holds("T OR F AND F") && !holds("(T OR F) AND F"));
    assert!(holds("!F AND T") && !holds("!(F OR T)") && holds("!!T"));
    assert!(holds("F || T && T") && holds("not F and T"));
}

#[test]
fn what_is_no_condition_is_refused() {
    let attribute = "@Request[Microsoft.Authorization/roleAssignments:PrincipalId]";
    let deep = format!("{}ActionMatches{{'x'}}{}", "(".repeat(100), ")".repeat(100));
    let long = format!("ActionMatches{{'{}'}}", "x".repeat(9000));
    let wrong = [
        "".to_owned(),
        "true".to_owned(),
        "(ActionMatches{'x'}".to_owned(),
        "ActionMatches{'x'})".to_owned(),
        "ActionMatches{'x'} ActionMatches{'y'}".to_owned(),
        "ActionMatches{x}".to_owned(),
        "ActionMatches{'x}".to_owned(),
        "ActionMatches{'x'} AND".to_owned(),
        "SubOperationMatches{'x'}".to_owned(),
        format!("{attribute} GuidEquals"),
        format!("{attribute} GuidEquals {OURS} {AIVEN}"),
        format!("{attribute} GuidEquals {{{OURS}}}"),
        format!("{attribute} ForAnyOfAnyValues:GuidEquals {OURS}"),
        format!("{attribute} ForAnyOfAnyValues:GuidEquals {{}}"),
        format!("{attribute} ForAnyOfAnyValues:GuidEquals {{{OURS} {AIVEN}}}"),
        format!("{attribute} ForAnyOfAnyValues:GuidEquals {{'{OURS}'}}"),
        format!("{attribute} ForAnyOfAnyValues:GuidEquals {{not-a-guid}}"),
        format!("{attribute} ForSomeValues:GuidEquals {{{OURS}}}"),
        format!("{attribute} StringEquals '{OURS}'"),
        format!("@Principal[Microsoft.Authorization/roleAssignments:PrincipalId] GuidEquals {OURS}"),
        format!("@Request[Microsoft.Storage/storageAccounts:name] GuidEquals {OURS}"),
        format!("@Request[Microsoft.Authorization/roleAssignments:Name] GuidEquals {OURS}"),
        format!("@Request GuidEquals {OURS}"),
        format!("Exists {attribute}"),
        deep,
        long,
    ];
    for text in wrong {
        assert!(Condition::parse(&text).is_err(), "{text}");
    }
    assert!(Condition::parse(&format!("{attribute} guidequals {OURS}")).is_ok());
}
