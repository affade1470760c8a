//! A condition's tokens.

use super::Malformed;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    OpenBrace,
    CloseBrace,
    Comma,
    Not,
    And,
    Or,
    /// An operator, a function, a GUID.
    Word(String),
    /// `'…'`
    Text(String),
    /// `@Source[path]`
    Attribute(String, String),
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Malformed> {
    let mut rest = text.trim_start();
    let mut tokens = Vec::new();
    while !rest.is_empty() {
        let (token, length) = token(rest)?;
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// The first token, and how many bytes it takes.
fn token(rest: &str) -> Result<(Token, usize), Malformed> {
    for (sign, token) in [("&&", Token::And), ("||", Token::Or)] {
        if rest.starts_with(sign) {
            return Ok((token, 2));
        }
    }
    match rest.chars().next() {
        Some('(') => Ok((Token::Open, 1)),
        Some(')') => Ok((Token::Close, 1)),
        Some('{') => Ok((Token::OpenBrace, 1)),
        Some('}') => Ok((Token::CloseBrace, 1)),
        Some(',') => Ok((Token::Comma, 1)),
        Some('!') => Ok((Token::Not, 1)),
        Some('\'') => quoted(rest),
        Some('@') => attribute(rest),
        _ => word(rest),
    }
}

fn quoted(rest: &str) -> Result<(Token, usize), Malformed> {
    let inner = rest.get(1..).and_then(|r| r.split_once('\'')).map(|(inner, _)| inner);
    let inner = inner.ok_or_else(|| Malformed(format!("a quotation does not end: {rest}")))?;
    Ok((Token::Text(inner.to_owned()), inner.len() + 2))
}

fn attribute(rest: &str) -> Result<(Token, usize), Malformed> {
    let parts =
        rest.get(1..).and_then(|r| r.split_once('[')).and_then(|(source, r)| Some((source, r.split_once(']')?.0)));
    let (source, path) = parts.ok_or_else(|| Malformed(format!("no attribute: {rest}")))?;
    Ok((Token::Attribute(source.to_owned(), path.trim().to_owned()), source.len() + path.len() + 3))
}

fn word(rest: &str) -> Result<(Token, usize), Malformed> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ':' || c == '_';
    let word: String = rest.chars().take_while(|&c| legal(c)).collect();
    let token = match word.to_ascii_uppercase().as_str() {
        "" => return Err(Malformed(format!("not understood: {rest}"))),
        "AND" => Token::And,
        "OR" => Token::Or,
        "NOT" => Token::Not,
        _ => Token::Word(word.clone()),
    };
    Ok((token, word.len()))
}
