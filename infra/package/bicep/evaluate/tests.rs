use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::bicep::Templates;
use crate::scratch::Scratch;

const SCOPE: &str = "/subscriptions/s";

fn made_of(text: &str) -> Result<Vec<Deployed>, Finding> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let folder = Scratch::new(&format!("evaluate-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    folder.with("main.bicep", text);
    let deployment = Deployment { scope: SCOPE.to_owned(), parameters: [("given".to_owned(), json!("x"))].into() };
    Templates::read(&folder.0).unwrap().file("main.bicep").unwrap().makes(&deployment, |kind| kind.starts_with("T/"))
}

/// A resource whose name is an expression.
fn named(expression: &str) -> String {
    match made_of(&format!("param given string\nresource a 'T/a@1' = {{\n  name: {expression}\n}}\n")) {
        Ok(made) => made[0].name.clone(),
        Err(finding) => panic!("{expression}: {finding}"),
    }
}

#[test]
fn guid_is_the_compilers() {
    // Vectors of the compiler's own tests.
    assert_eq!(named("guid('foo', 'bar', 'baz')"), "2ed86837-7c7c-5eaa-9864-dd077fd19b0d");
    assert_eq!(named("guid('asdf')"), "228d27cc-6fdb-5934-b7ac-1efccebade04");
}

#[test]
fn texts_choices_and_ids_are_worked_out() {
    assert_eq!(named("'{${given}, ${'${given}y'}}'"), "{x, xy}");
    assert_eq!(named("given == 'x' ? 'yes' : 'no'"), "yes");
    assert_eq!(named("given != 'x' || !true\n    ? 'yes'\n    : 'no'"), "no");
    assert_eq!(named("null ?? subscription().id"), "/subscriptions/s");
    assert_eq!(named("subscriptionResourceId('A/b', 'c')"), "/subscriptions/s/providers/A/b/c");
    assert_eq!(named("{ a: ['b', 'c'] }.a[1]"), "c");
}

#[test]
fn a_resource_has_its_scope_and_properties() {
    let text = "param size int = 3\nvar word = 'n${size}'\n\
        resource base 'T/base@1' existing = {\n  name: 'b'\n}\n\
        @description('no: { ')\nresource a 'T/a@1' = {\n  scope: base\n  // resource c 'T/c@1' = {}\n  name: word\n\
        properties: {\n    of: base.id\n  }\n  resource inner 'i' = {\n    name: 'i'\n  }\n}\n";
    let made = made_of(text).unwrap();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(made[0].id(), "/subscriptions/s/providers/T/base/b/providers/T/a/n3");
    assert_eq!(made[0].properties, json!({"of": "/subscriptions/s/providers/T/base/b"}));
}

#[test]
fn loops_and_conditions_are_gone_through() {
    let text = "var all = { one: '1', two: '2' }\nresource a 'T/a@1' = [\n  for (item, i) in items(all): {\n    name: '${item.key}${item.value}${i}'\n  }\n]\n\
        resource b 'T/b@1' = if (empty('')) {\n  name: 'there'\n}\nresource c 'T/c@1' = if (empty('x')) {\n  name: 'absent'\n}\n";
    let names: Vec<_> = made_of(text).unwrap().into_iter().map(|made| made.name).collect();
    assert_eq!(names, ["one10", "two21", "there"]);
}

#[test]
fn a_module_is_deployed_where_it_says() {
    let folder = Scratch::new("module");
    folder.with("main.bicep", "param ids string[]\nmodule m 'm/one.bicep' = [\n  for id in ids: {\n    scope: subscription(id)\n    params: {\n      a: id\n    }\n  }\n]\n");
    let deployment = Deployment { scope: SCOPE.to_owned(), parameters: [("ids".to_owned(), json!(["u", "v"]))].into() };
    let modules = Templates::read(&folder.0).unwrap().file("main.bicep").unwrap().modules(&deployment).unwrap();
    let shown: Vec<_> = modules.iter().map(|m| (m.path.as_str(), m.deployment.scope.as_str())).collect();
    assert_eq!(shown, [("m/one.bicep", "/subscriptions/u"), ("m/one.bicep", "/subscriptions/v")]);
    assert_eq!(modules[1].deployment.parameters["a"], "v");
}

#[test]
fn types_are_those_of_nested_resources_too() {
    let folder = Scratch::new("kinds");
    folder.with("main.bicep", "metadata description = 'What it is.'\nresource a 'T/a@1' = {\n  name: 'a'\n\n  resource b 'b' = {\n    name: 'b'\n\n    @batchSize(10)\n    resource c 'c' = [\n      for x in y: {\n        name: x\n      }\n    ]\n  }\n\n  resource d 'd' existing = {\n    name: 'd'\n  }\n}\n");
    let templates = Templates::read(&folder.0).unwrap();
    let file = templates.file("main.bicep").unwrap();
    assert_eq!(file.kinds().unwrap(), ["T/a", "T/a/b", "T/a/b/c"]);
    assert_eq!(file.description(), Some("What it is."));
}

#[test]
fn what_is_not_understood_is_told() {
    for (expression, told) in [
        ("missing", "missing is given no value"),
        ("map(given, a => a)", "Sign('=')"),
        ("unheardOf(given)", "unheardOf with 1 arguments"),
        ("[given]", "is no text"),
        ("given.member", "there is no member"),
        (r"'\${}'", "escaped interpolation"),
    ] {
        let error = made_of(&format!("resource a 'T/a@1' = {{\n  name: {expression}\n}}\n")).unwrap_err();
        assert!(error.what.contains(told), "{expression}: {error}");
    }
}
