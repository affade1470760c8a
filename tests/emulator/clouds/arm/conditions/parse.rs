//! A condition's expression, by recursive descent: `!` binds closest, then `AND`, then `OR`.

use super::lex::Token;
use super::{Attribute, Comparison, Expression, Malformed, Source};

/// Deepest nesting of parentheses and negations: far beyond any real condition, and no danger to the stack.
const DEEPEST: usize = 64;

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

type Parsed<T = Expression> = Result<T, Malformed>;

pub(super) fn expression(tokens: &[Token]) -> Parsed {
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let expression = parser.any()?;
    match parser.next() {
        None => Ok(expression),
        Some(token) => Err(Malformed(format!("more than one expression: {token:?}"))),
    }
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token
    }

    /// Takes the next token if it is this one.
    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.tokens.get(self.at) == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, wanted: &Token) -> Parsed<()> {
        match self.next() {
            Some(token) if token == wanted => Ok(()),
            other => Err(Malformed(format!("{wanted:?} expected instead of {other:?}"))),
        }
    }

    fn any(&mut self) -> Parsed {
        let mut all = vec![self.all()?];
        while self.take(&Token::Or) {
            all.push(self.all()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::Any(all) })
    }

    fn all(&mut self) -> Parsed {
        let mut all = vec![self.negation()?];
        while self.take(&Token::And) {
            all.push(self.negation()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::All(all) })
    }

    fn negation(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Malformed(format!("it is nested more than {DEEPEST} deep")));
        }
        let parsed = if self.take(&Token::Not) {
            self.negation().map(|inner| Expression::Not(Box::new(inner)))
        } else {
            self.primary()
        };
        self.depth -= 1;
        parsed
    }

    fn primary(&mut self) -> Parsed {
        match self.next() {
            Some(Token::Open) => {
                let inner = self.any()?;
                self.need(&Token::Close)?;
                Ok(inner)
            }
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("ActionMatches") => {
                self.need(&Token::OpenBrace)?;
                let Some(Token::Text(action)) = self.next() else {
                    return Err(Malformed("ActionMatches takes an action in quotation marks".to_owned()));
                };
                self.need(&Token::CloseBrace)?;
                Ok(Expression::ActionMatches(action.clone()))
            }
            Some(Token::Attribute(source, path)) => self.comparison(source, path),
            other => Err(Malformed(format!("no expression: {other:?}"))),
        }
    }

    fn comparison(&mut self, source: &str, path: &str) -> Parsed {
        let (source, attribute) = (self::source(source)?, self::attribute(path)?);
        let Some(Token::Word(operator)) = self.next() else {
            return Err(Malformed(format!("an operator is missing after {path}")));
        };
        let (quantifier, function) = match operator.split_once(':') {
            Some((quantifier, function)) => (Some(quantifier), function),
            None => (None, operator.as_str()),
        };
        let every = quantifier.map(self::every).transpose()?;
        let (text, negated, ignore_case) = self::function(function)?;
        if text != (attribute == Attribute::PrincipalType) {
            return Err(Malformed(format!("{function} does not go with {path}")));
        }
        let values = if every.is_some() { self.set(text)? } else { vec![self.value(text)?] };
        Ok(Expression::Compare(Comparison {
            source,
            attribute,
            every: every.unwrap_or(false),
            negated,
            ignore_case,
            values,
        }))
    }

    fn set(&mut self, text: bool) -> Parsed<Vec<String>> {
        self.need(&Token::OpenBrace)?;
        let mut values = vec![self.value(text)?];
        while self.take(&Token::Comma) {
            values.push(self.value(text)?);
        }
        self.need(&Token::CloseBrace)?;
        Ok(values)
    }

    /// Texts are quoted, GUIDs are not.
    fn value(&mut self, text: bool) -> Parsed<String> {
        match self.next() {
            Some(Token::Text(value)) if text => Ok(value.clone()),
            Some(Token::Word(value)) if !text && uuid::Uuid::try_parse(value).is_ok() => Ok(value.clone()),
            other => Err(Malformed(format!("a {} expected instead of {other:?}", if text { "text" } else { "GUID" }))),
        }
    }
}

fn source(name: &str) -> Parsed<Source> {
    match name.to_ascii_lowercase().as_str() {
        "request" => Ok(Source::Request),
        "resource" => Ok(Source::Resource),
        _ => Err(Malformed(format!("no source of attributes here: @{name}"))),
    }
}

fn attribute(path: &str) -> Parsed<Attribute> {
    let (resource, name) = path.split_once(':').unwrap_or((path, ""));
    let known = resource.eq_ignore_ascii_case("Microsoft.Authorization/roleAssignments");
    match name.to_ascii_lowercase().as_str() {
        "roledefinitionid" if known => Ok(Attribute::RoleDefinitionId),
        "principalid" if known => Ok(Attribute::PrincipalId),
        "principaltype" if known => Ok(Attribute::PrincipalType),
        _ => Err(Malformed(format!("no attribute of role assignments: {path}"))),
    }
}

/// Left of an operator stands one value, so that only its second half says anything: one on the right, or every one.
fn every(quantifier: &str) -> Parsed<bool> {
    match quantifier.to_ascii_lowercase().as_str() {
        "foranyofanyvalues" | "forallofanyvalues" => Ok(false),
        "foranyofallvalues" | "forallofallvalues" => Ok(true),
        _ => Err(Malformed(format!("no quantifier: {quantifier}"))),
    }
}

/// Whether it compares texts, is a negation, ignores case.
fn function(name: &str) -> Parsed<(bool, bool, bool)> {
    match name.to_ascii_lowercase().as_str() {
        "guidequals" => Ok((false, false, true)),
        "guidnotequals" => Ok((false, true, true)),
        "stringequals" => Ok((true, false, false)),
        "stringequalsignorecase" => Ok((true, false, true)),
        "stringnotequals" => Ok((true, true, false)),
        "stringnotequalsignorecase" => Ok((true, true, true)),
        _ => Err(Malformed(format!("no function for GUIDs or texts: {name}"))),
    }
}
