//! Bicep's statements and expressions, as far as our templates use them; what is not understood is told, never skipped.

use super::tokens::{HOLE, Token};

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// A text in pieces, with an expression between each two.
    Text(Vec<String>, Vec<Expression>),
    Number(i64),
    /// A variable, a parameter, a resource, or a word of the language.
    Name(String),
    List(Vec<Expression>),
    /// Keys and values; then the resources declared inside.
    Object(Vec<(Expression, Expression)>, Vec<Resource>),
    /// Names of item and index, what is gone through, and what becomes of each.
    For(String, Option<String>, Box<Expression>, Box<Expression>),
    /// `if (…)` before a body.
    If(Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
    Member(Box<Expression>, String),
    Index(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    /// `==`, `!=`, `&&`, `||`, `??`
    Two(&'static str, Box<Expression>, Box<Expression>),
    Choice(Box<Expression>, Box<Expression>, Box<Expression>),
}

/// `resource symbol 'type@version' = body`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resource {
    pub(super) symbol: String,
    /// Without the version.
    pub(super) kind: String,
    pub(super) existing: bool,
    pub(super) body: Expression,
}

type Parsed<T> = Result<T, String>;

/// Reads one expression, which is all of `tokens`.
pub(super) fn expression(tokens: &[Token]) -> Parsed<Expression> {
    let mut parser = Parser { tokens, at: 0 };
    let found = parser.value()?;
    parser.lines();
    match parser.peek() {
        None => Ok(found),
        Some(more) => Err(format!("{more:?} follows an expression")),
    }
}

/// Reads a resource, or a module, from what follows that word.
pub(super) fn resource(tokens: &[Token]) -> Parsed<Resource> {
    Parser { tokens, at: 0 }.resource()
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

/// Operators of two operands, the loosest first.
const TWO: [&[&str]; 4] = [&["??"], &["||"], &["&&"], &["==", "!="]];

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn lines(&mut self) {
        while self.peek() == Some(&Token::Line) {
            self.at += 1;
        }
    }

    /// Passes these characters, if they come next without anything between.
    fn sign(&mut self, signs: &str) -> bool {
        let here = &self.tokens[self.at..];
        let count = signs.chars().count();
        let fits = here.len() >= count && signs.chars().zip(here).all(|(c, token)| *token == Token::Sign(c));
        self.at += if fits { count } else { 0 };
        fits
    }

    fn need(&mut self, sign: &str) -> Parsed<()> {
        if self.sign(sign) { Ok(()) } else { Err(format!("{:?} where {sign} was expected", self.peek())) }
    }

    fn word(&mut self, word: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(is);
        is
    }

    fn name(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(Token::Word(name)) => {
                self.at += 1;
                Ok(name.clone())
            }
            other => Err(format!("{other:?} where a name was expected")),
        }
    }

    fn resource(&mut self) -> Parsed<Resource> {
        let symbol = self.name()?;
        let kind = self.peek().and_then(Token::text).ok_or("a resource without a type")?;
        self.at += 1;
        let existing = self.word("existing");
        self.need("=")?;
        let kind = kind.split('@').next().unwrap_or_default().to_owned();
        Ok(Resource { symbol, kind, existing, body: self.value()? })
    }

    fn value(&mut self) -> Parsed<Expression> {
        self.lines();
        if self.word("if") {
            self.need("(")?;
            let condition = self.value()?;
            self.need(")")?;
            return Ok(Expression::If(Box::new(condition), Box::new(self.value()?)));
        }
        let first = self.two(0)?;
        let before = self.at;
        self.lines();
        // `?` of a choice; `??` was an operator.
        if !self.sign("?") {
            self.at = before;
            return Ok(first);
        }
        let yes = self.value()?;
        self.lines();
        self.need(":")?;
        Ok(Expression::Choice(Box::new(first), Box::new(yes), Box::new(self.value()?)))
    }

    fn two(&mut self, level: usize) -> Parsed<Expression> {
        let Some(operators) = TWO.get(level) else { return self.one() };
        let mut left = self.two(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.sign(operator)) {
            self.lines();
            left = Expression::Two(operator, Box::new(left), Box::new(self.two(level + 1)?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Parsed<Expression> {
        if self.sign("!") {
            return Ok(Expression::Not(Box::new(self.one()?)));
        }
        let mut value = self.primary()?;
        loop {
            // `!` of `network!.outputs`: it is not null. But `!=` compares.
            let forced = !self.tokens[self.at..].starts_with(&[Token::Sign('!'), Token::Sign('=')]) && self.sign("!");
            if self.sign(".") || self.sign("::") {
                let name = self.name()?;
                value = if self.sign("(") {
                    Expression::Call(name, self.items(")")?)
                } else {
                    Expression::Member(Box::new(value), name)
                };
            } else if self.sign("[") {
                let index = self.value()?;
                self.need("]")?;
                value = Expression::Index(Box::new(value), Box::new(index));
            } else if !forced {
                return Ok(value);
            }
        }
    }

    fn primary(&mut self) -> Parsed<Expression> {
        match self.peek() {
            Some(Token::Text(text, holes)) => {
                self.at += 1;
                let pieces: Vec<String> = text.split(HOLE).map(str::to_owned).collect();
                if pieces.len() != holes.len() + 1 {
                    return Err(format!("{text:?} has an escaped interpolation, which is not understood"));
                }
                let holes = holes.iter().map(|hole| expression(hole));
                Ok(Expression::Text(pieces, holes.collect::<Parsed<_>>()?))
            }
            Some(Token::Word(word)) => {
                self.at += 1;
                if let Ok(number) = word.parse() {
                    return Ok(Expression::Number(number));
                }
                if self.sign("(") {
                    Ok(Expression::Call(word.clone(), self.items(")")?))
                } else {
                    Ok(Expression::Name(word.clone()))
                }
            }
            Some(Token::Sign('(')) => {
                self.at += 1;
                let value = self.value()?;
                self.lines();
                self.need(")")?;
                Ok(value)
            }
            Some(Token::Sign('[')) => {
                self.at += 1;
                self.list()
            }
            Some(Token::Sign('{')) => {
                self.at += 1;
                self.object()
            }
            other => Err(format!("{other:?} where an expression was expected")),
        }
    }

    fn list(&mut self) -> Parsed<Expression> {
        self.lines();
        if !self.word("for") {
            return Ok(Expression::List(self.items("]")?));
        }
        let (item, index) = if self.sign("(") {
            let item = self.name()?;
            self.need(",")?;
            let index = self.name()?;
            self.need(")")?;
            (item, Some(index))
        } else {
            (self.name()?, None)
        };
        if !self.word("in") {
            return Err("a `for` without `in`".to_owned());
        }
        let all = self.value()?;
        self.need(":")?;
        let each = self.value()?;
        self.lines();
        self.need("]")?;
        Ok(Expression::For(item, index, Box::new(all), Box::new(each)))
    }

    /// Expressions between commas or line ends, and the sign that ends them.
    fn items(&mut self, end: &str) -> Parsed<Vec<Expression>> {
        let mut items = Vec::new();
        loop {
            while self.sign(",") || self.peek() == Some(&Token::Line) {
                self.lines();
            }
            if self.sign(end) {
                return Ok(items);
            }
            items.push(self.value()?);
        }
    }

    fn object(&mut self) -> Parsed<Expression> {
        let (mut members, mut resources) = (Vec::new(), Vec::new());
        loop {
            while self.sign(",") || self.peek() == Some(&Token::Line) {
                self.lines();
            }
            if self.sign("}") {
                return Ok(Expression::Object(members, resources));
            }
            if self.sign("@") {
                // A decorator: it says nothing about the value.
                self.one()?;
            } else if matches!(self.tokens.get(self.at + 1), Some(Token::Word(_))) && self.word("resource") {
                resources.push(self.resource()?);
            } else {
                let key = self.key()?;
                self.need(":")?;
                members.push((key, self.value()?));
            }
        }
    }

    /// A name, or a text.
    fn key(&mut self) -> Parsed<Expression> {
        match self.peek() {
            Some(Token::Word(name)) => {
                self.at += 1;
                Ok(Expression::Text(vec![name.clone()], Vec::new()))
            }
            _ => self.primary(),
        }
    }
}
