//! Words, texts and signs of a Bicep file; comments are left out, line ends stay, because they end statements.

/// What stands in a text for an interpolation: `'${queue}-poison'` is read as `${}-poison`.
pub const HOLE: &str = "${}";

/// A piece of Bicep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A name, a keyword or a number.
    Word(String),
    /// A text, unescaped.
    Text(String),
    /// Any other character.
    Sign(char),
    /// The end of a line.
    Line,
}

impl Token {
    /// Whether it is this word.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(name) if name == word)
    }

    /// The text that it is.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The name that it is, as a key: with or without quotes.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Text(name) => Some(name),
            Self::Sign(_) | Self::Line => None,
        }
    }
}

/// All tokens of a file.
///
/// # Errors
/// A text or a comment does not end; the error names its line.
pub(super) fn read(text: &str) -> Result<Vec<Token>, String> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut tokens = Vec::new();
    while let Some(next) = reader.rest.chars().next() {
        if let Some(token) = reader.token(next)? {
            tokens.push(token);
        }
    }
    Ok(tokens)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn token(&mut self, next: char) -> Result<Option<Token>, String> {
        Ok(match next {
            // A directive (`#disable-next-line`) is to us what a comment is.
            '/' | '#' if next == '#' || self.rest.starts_with("//") => {
                self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
                None
            }
            '/' if self.rest.starts_with("/*") => {
                self.take(2);
                self.past("*/", "comment")?;
                None
            }
            '\n' => {
                self.take(1);
                Some(Token::Line)
            }
            '\'' if self.rest.starts_with("'''") => {
                self.take(3);
                Some(Token::Text(self.past("'''", "text")?.to_owned()))
            }
            '\'' => Some(Token::Text(self.string()?)),
            _ if next.is_whitespace() => {
                self.take(next.len_utf8());
                None
            }
            _ if is_word(next) => {
                let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                Some(Token::Word(self.take(end).to_owned()))
            }
            _ => {
                self.take(next.len_utf8());
                Some(Token::Sign(next))
            }
        })
    }

    /// A text in single quotes, which lies on one line.
    fn string(&mut self) -> Result<String, String> {
        let open = format!("a text that begins in line {} does not end", self.line);
        self.take(1);
        let mut text = String::new();
        loop {
            match self.rest.chars().next() {
                Some('\'') => {
                    self.take(1);
                    return Ok(text);
                }
                Some('\\') => {
                    let escaped = self.rest[1..].chars().next().ok_or_else(|| open.clone())?;
                    self.take(1 + escaped.len_utf8());
                    text.push(escaped);
                }
                Some('$') if self.rest.starts_with("${") => {
                    self.take(2);
                    self.hole().ok_or_else(|| open.clone())??;
                    text.push_str(HOLE);
                }
                None | Some('\n') => return Err(open),
                Some(next) => text.push_str(self.take(next.len_utf8())),
            }
        }
    }

    /// Past the `}` that ends an interpolation, which may hold texts and braces of its own.
    fn hole(&mut self) -> Option<Result<(), String>> {
        let mut depth = 1;
        while depth > 0 {
            match self.token(self.rest.chars().next()?) {
                Ok(Some(Token::Sign('{'))) => depth += 1,
                Ok(Some(Token::Sign('}'))) => depth -= 1,
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(()))
    }

    /// What lies before the next `end`, which is passed, too.
    fn past(&mut self, end: &str, what: &str) -> Result<&'a str, String> {
        let at = self.rest.find(end).ok_or(format!("a {what} that begins in line {} does not end", self.line))?;
        let text = self.take(at);
        self.take(end.len());
        Ok(text)
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bicep: &str) -> Vec<String> {
        read(bicep).unwrap().iter().filter_map(Token::text).map(str::to_owned).collect()
    }

    #[test]
    fn interpolations_are_holes_however_they_nest() {
        assert_eq!(texts("map(queues, q => '${q}-poison')"), ["${}-poison"]);
        assert_eq!(texts("'a${empty(x) ? 'none' : '${y}}'}b' 'c'"), ["a${}b", "c"]);
    }

    #[test]
    fn escapes_comments_and_texts_of_many_lines_are_understood() {
        assert_eq!(texts(r"'it\'s' // 'no'"), ["it's"]);
        assert_eq!(texts("/* 'no' */ '''\ntwo 'quoted'\nlines''' 'x'"), ["\ntwo 'quoted'\nlines", "x"]);
        assert_eq!(texts("'''''' 'x'"), ["", "x"]);
        assert_eq!(texts("#disable-next-line 'no'\n'x'"), ["x"]);
        assert_eq!(texts(r"'\${q}'"), ["${q}"]);
    }

    #[test]
    fn what_does_not_end_is_told_with_its_line() {
        assert!(read("\n'open\n'").unwrap_err().contains("line 2"));
        assert!(read("/* open").unwrap_err().contains("comment"));
        assert!(read("'${a'").is_err());
    }
}
