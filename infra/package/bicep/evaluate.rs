//! What a template makes: its resources with every name, id and text worked out, as the deployment would.
//!
//! Enough of the language for the resources that give rights. What goes beyond it is told, so that nothing is overlooked.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::syntax::{self, Expression, Resource};
use super::{Template, Token, expression as statement};
use crate::Finding;

/// Where a template is deployed, and with what.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Id of the subscription or resource group.
    pub scope: String,
    /// Values of its parameters; those left out have their defaults.
    pub parameters: BTreeMap<String, Value>,
}

/// A resource that a deployment makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// What the template calls it.
    pub symbol: String,
    /// Its type, without the version.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Id of what it is made in or on.
    pub scope: String,
    /// Its `properties`.
    pub properties: Value,
}

/// A template that a template deploys.
#[derive(Debug, Clone)]
pub struct Module {
    /// What the template calls it.
    pub symbol: String,
    /// Its file, from the folder of the one that deploys it.
    pub path: String,
    /// Where, and with what.
    pub deployment: Deployment,
}

/// Namespace of `guid()` (Bicep's sources).
const NAMESPACE: Uuid = uuid::uuid!("11fb06fb-712d-4ddd-98c7-e71bbd588830");

impl Deployed {
    /// Full id.
    pub fn id(&self) -> String {
        id(&self.scope, &self.kind, &self.name)
    }
}

impl Template {
    /// The resources of some types that it makes where it is deployed; loops are gone through.
    ///
    /// # Errors
    /// Something in them is not understood.
    pub fn makes(&self, deployment: &Deployment, wanted: impl Fn(&str) -> bool) -> Result<Vec<Deployed>, Finding> {
        let scene = Scene { template: self, deployment, locals: Map::new() };
        let mut made = Vec::new();
        for resource in self.resources().map_err(self.finding())? {
            if !resource.existing && wanted(&resource.kind) {
                scene.make(&resource, &resource.body, &mut made).map_err(self.finding())?;
            }
        }
        Ok(made)
    }

    /// The templates that it deploys in turn.
    ///
    /// # Errors
    /// Something in them is not understood.
    pub fn modules(&self, deployment: &Deployment) -> Result<Vec<Module>, Finding> {
        let scene = Scene { template: self, deployment, locals: Map::new() };
        let mut found = Vec::new();
        // A module reads as a resource does, its file in the place of the type.
        for module in self.statements("module").map_err(self.finding())? {
            scene.module(&module, &module.body, &mut found).map_err(self.finding())?;
        }
        Ok(found)
    }

    /// The types of all resources that it makes, nested ones included.
    ///
    /// # Errors
    /// A resource cannot be read.
    pub fn kinds(&self) -> Result<Vec<String>, Finding> {
        let mut kinds = Vec::new();
        for resource in self.resources().map_err(self.finding())? {
            kinds_of(&resource, "", &mut kinds);
        }
        kinds.sort();
        kinds.dedup();
        Ok(kinds)
    }

    /// What it says of itself.
    pub fn description(&self) -> Option<&str> {
        let start = self
            .tokens
            .windows(3)
            .position(|three| three[0].is("metadata") && three[1].is("description") && three[2] == Token::Sign('='))?;
        self.tokens.get(start + 3)?.text()
    }

    fn finding(&self) -> impl Fn(String) -> Finding + use<> {
        let place = self.path.display().to_string();
        move |what| Finding::new(&place, what, "write it more simply, or teach it to infra/package/bicep")
    }

    fn resources(&self) -> Result<Vec<Resource>, String> {
        self.statements("resource")
    }

    /// All statements of the outermost level that begin with a word.
    fn statements(&self, word: &str) -> Result<Vec<Resource>, String> {
        let (mut depth, mut found) = (0_usize, Vec::new());
        for (at, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Sign('(' | '[' | '{') => depth += 1,
                Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
                token if depth == 0 && token.is(word) && (at == 0 || self.tokens[at - 1] == Token::Line) => {
                    found.push(syntax::resource(&self.tokens[at + 1..])?);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// The default of a parameter.
    fn default(&self, name: &str) -> Option<&[Token]> {
        let at = self.tokens.windows(2).position(|pair| pair[0].is("param") && pair[1].is(name))?;
        let line = statement(&self.tokens[at..]);
        let equals = line.iter().position(|token| *token == Token::Sign('='))?;
        Some(statement(&self.tokens[at + equals + 1..]))
    }
}

fn kinds_of(resource: &Resource, parent: &str, kinds: &mut Vec<String>) {
    let kind = if parent.is_empty() { resource.kind.clone() } else { format!("{parent}/{}", resource.kind) };
    let mut body = &resource.body;
    while let Expression::For(_, _, _, inner) | Expression::If(_, inner) = body {
        body = inner;
    }
    if let Expression::Object(_, nested) = body {
        nested.iter().for_each(|nested| kinds_of(nested, &kind, kinds));
    }
    if !resource.existing {
        kinds.push(kind);
    }
}

type Worked<T> = Result<T, String>;

/// What names mean at a place in a template.
#[derive(Clone)]
struct Scene<'a> {
    template: &'a Template,
    deployment: &'a Deployment,
    /// Variables of loops.
    locals: Map<String, Value>,
}

impl Scene<'_> {
    fn make(&self, resource: &Resource, body: &Expression, made: &mut Vec<Deployed>) -> Worked<()> {
        self.each(body, &mut |scene, body| {
            let scope = match member(body, "scope") {
                Some(scope) => text(&scene.value(scope)?["id"])?,
                None => scene.deployment.scope.clone(),
            };
            let name = member(body, "name").ok_or_else(|| format!("{} has no name", resource.symbol))?;
            let properties = member(body, "properties").map(|properties| scene.value(properties)).transpose()?;
            made.push(Deployed {
                symbol: resource.symbol.clone(),
                kind: resource.kind.clone(),
                name: text(&scene.value(name)?)?,
                scope,
                properties: properties.unwrap_or_default(),
            });
            Ok(())
        })
    }

    fn module(&self, module: &Resource, body: &Expression, found: &mut Vec<Module>) -> Worked<()> {
        self.each(body, &mut |scene, body| {
            let scope = match member(body, "scope") {
                Some(scope) => text(&scene.value(scope)?["id"])?,
                None => scene.deployment.scope.clone(),
            };
            let parameters = match member(body, "params") {
                Some(parameters) => scene.value(parameters)?,
                None => json!({}),
            };
            let Value::Object(parameters) = parameters else { return Err("params are no object".to_owned()) };
            let deployment = Deployment { scope, parameters: parameters.into_iter().collect() };
            found.push(Module { symbol: module.symbol.clone(), path: module.kind.clone(), deployment });
            Ok(())
        })
    }

    /// Each body of a loop, or the one that there is; none if its condition is not met.
    fn each(&self, body: &Expression, work: &mut dyn FnMut(&Self, &Expression) -> Worked<()>) -> Worked<()> {
        match body {
            Expression::For(item, index, all, inner) => {
                let Value::Array(all) = self.value(all)? else { return Err(format!("{item} is in no list")) };
                for (n, value) in all.into_iter().enumerate() {
                    let mut scene = self.clone();
                    scene.locals.insert(item.clone(), value);
                    if let Some(index) = index {
                        scene.locals.insert(index.clone(), n.into());
                    }
                    scene.each(inner, work)?;
                }
                Ok(())
            }
            Expression::If(condition, inner) => match self.value(condition)? {
                Value::Bool(true) => self.each(inner, work),
                Value::Bool(false) => Ok(()),
                other => Err(format!("{other} is no condition")),
            },
            body => work(self, body),
        }
    }

    fn value(&self, expression: &Expression) -> Worked<Value> {
        match expression {
            Expression::Text(pieces, holes) => {
                let mut all = pieces.first().cloned().unwrap_or_default();
                for (hole, piece) in holes.iter().zip(&pieces[1..]) {
                    all += &text(&self.value(hole)?)?;
                    all += piece;
                }
                Ok(all.into())
            }
            Expression::Number(number) => Ok((*number).into()),
            Expression::Name(name) => self.name(name),
            Expression::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Expression::Object(members, _) => {
                let members = members.iter().map(|(key, value)| Ok((text(&self.value(key)?)?, self.value(value)?)));
                Ok(Value::Object(members.collect::<Worked<_>>()?))
            }
            Expression::For(..) | Expression::If(..) => {
                let mut all = Vec::new();
                self.each(expression, &mut |scene, body| {
                    all.push(scene.value(body)?);
                    Ok(())
                })?;
                Ok(all.into())
            }
            Expression::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| self.value(argument)).collect::<Worked<Vec<_>>>()?;
                self.call(function, &arguments)
            }
            Expression::Member(of, name) => there(self.value(of)?.get(name), name),
            Expression::Index(of, at) => match self.value(at)? {
                Value::String(key) => there(self.value(of)?.get(&key), &key),
                at => there(self.value(of)?.get(at.as_u64().map_or(usize::MAX, |at| at as usize)), &at.to_string()),
            },
            Expression::Not(of) => Ok((!truth(&self.value(of)?)?).into()),
            Expression::Two(operator, left, right) => self.two(operator, left, right),
            Expression::Choice(condition, yes, no) => {
                self.value(if truth(&self.value(condition)?)? { yes } else { no })
            }
        }
    }

    fn two(&self, operator: &str, left: &Expression, right: &Expression) -> Worked<Value> {
        let left = self.value(left)?;
        Ok(match operator {
            "==" => (left == self.value(right)?).into(),
            "!=" => (left != self.value(right)?).into(),
            "&&" => (truth(&left)? && truth(&self.value(right)?)?).into(),
            "||" => (truth(&left)? || truth(&self.value(right)?)?).into(),
            _ if left.is_null() => self.value(right)?,
            _ => left,
        })
    }

    fn name(&self, name: &str) -> Worked<Value> {
        if let Some(value) = self.locals.get(name).or_else(|| self.deployment.parameters.get(name)) {
            return Ok(value.clone());
        }
        match name {
            "true" => return Ok(true.into()),
            "false" => return Ok(false.into()),
            "null" => return Ok(Value::Null),
            _ => {}
        }
        if let Some(tokens) = self.template.variable(name).or_else(|| self.template.default(name)) {
            let outside = Scene { locals: Map::new(), ..self.clone() };
            return outside.value(&syntax::expression(tokens)?);
        }
        let resource = self.template.resources()?.into_iter().find(|resource| resource.symbol == name);
        self.reference(&resource.ok_or_else(|| format!("{name} is given no value"))?)
    }

    /// What another resource can be asked for before it is made.
    fn reference(&self, resource: &Resource) -> Worked<Value> {
        let name = member(&resource.body, "name").ok_or_else(|| format!("{} has no name", resource.symbol))?;
        let name = text(&self.value(name)?)?;
        Ok(json!({"id": id(&self.deployment.scope, &resource.kind, &name), "name": name, "type": resource.kind}))
    }

    fn call(&self, function: &str, arguments: &[Value]) -> Worked<Value> {
        let subscription = || self.deployment.scope.split('/').nth(2).unwrap_or_default();
        Ok(match (function, arguments) {
            ("subscription", []) => of_subscription(subscription()),
            ("subscription", [id]) => of_subscription(&text(id)?),
            ("subscriptionResourceId", [kind, name]) => {
                id(&format!("/subscriptions/{}", subscription()), &text(kind)?, &text(name)?).into()
            }
            ("guid", parts) => {
                let parts = parts.iter().map(text).collect::<Worked<Vec<_>>>()?;
                Uuid::new_v5(&NAMESPACE, parts.join("-").as_bytes()).to_string().into()
            }
            ("items", [Value::Object(members)]) => {
                members.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
            }
            ("empty", [Value::String(text)]) => text.is_empty().into(),
            ("empty", [Value::Array(items)]) => items.is_empty().into(),
            _ => return Err(format!("{function} with {} arguments is not understood", arguments.len())),
        })
    }
}

fn of_subscription(id: &str) -> Value {
    json!({"id": format!("/subscriptions/{id}"), "subscriptionId": id})
}

fn id(scope: &str, kind: &str, name: &str) -> String {
    format!("{scope}/providers/{kind}/{name}")
}

/// A member of an object, by its plain key.
fn member<'a>(object: &'a Expression, name: &str) -> Option<&'a Expression> {
    let Expression::Object(members, _) = object else { return None };
    let is = |key: &Expression| matches!(key, Expression::Text(pieces, _) if pieces.as_slice() == [name]);
    members.iter().find(|(key, _)| is(key)).map(|(_, value)| value)
}

fn there(value: Option<&Value>, name: &str) -> Worked<Value> {
    value.cloned().ok_or_else(|| format!("there is no {name}"))
}

fn text(value: &Value) -> Worked<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(format!("{other} is no text")),
    }
}

fn truth(value: &Value) -> Worked<bool> {
    value.as_bool().ok_or_else(|| format!("{value} is neither true nor false"))
}

#[cfg(test)]
mod tests;
