//! Reads names out of Bicep templates: enough of the language to find a variable and tell what it holds, and to say so when it cannot.

use std::path::{Path, PathBuf};

use crate::Finding;

mod tokens;

pub use tokens::Token;

/// All templates below a folder.
#[derive(Debug)]
pub struct Templates {
    folder: PathBuf,
    files: Vec<Template>,
}

/// One file.
#[derive(Debug)]
pub struct Template {
    /// Where it is.
    pub path: PathBuf,
    tokens: Vec<Token>,
}

impl Templates {
    /// Reads every `.bicep` file below `folder`.
    ///
    /// # Errors
    /// There is none, or one cannot be read to its end.
    pub fn read(folder: &Path) -> Result<Self, Finding> {
        let mut paths = Vec::new();
        visit(folder, &mut paths)?;
        paths.sort();
        if paths.is_empty() {
            return Err(Finding::new(folder.display(), "holds no Bicep file", "restore the templates there"));
        }
        let files = paths.into_iter().map(|path| {
            let text = std::fs::read_to_string(&path).map_err(Finding::io(&path))?;
            let tokens = tokens::read(&text).map_err(|what| Finding::new(path.display(), what, "close it"))?;
            Ok(Template { path, tokens })
        });
        Ok(Self { folder: folder.to_owned(), files: files.collect::<Result<_, Finding>>()? })
    }

    /// The variable of this name and its file, wherever it is declared.
    ///
    /// # Errors
    /// None or several files declare it.
    pub fn variable(&self, name: &str) -> Result<(&Template, &[Token]), Finding> {
        let found: Vec<_> = self.files.iter().filter_map(|file| Some((file, file.variable(name)?))).collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(Finding::new(self.folder.display(), format!("no template declares `var {name}`"), "declare it")),
            [(first, _), (second, _), ..] => Err(Finding::new(
                second.path.display(),
                format!("declares `var {name}`, as {} does", first.path.display()),
                "keep one, and import it",
            )),
        }
    }

    /// The files with a text that `is`.
    pub fn files_with(&self, is: impl Fn(&str) -> bool) -> Vec<&Template> {
        self.files.iter().filter(|file| file.holds(&is)).collect()
    }
}

impl Template {
    /// What `var <name>` is set to: the tokens after its `=`, up to the end of the statement.
    pub fn variable(&self, name: &str) -> Option<&[Token]> {
        let at = self.tokens.windows(2).position(|pair| pair[0].is("var") && pair[1].is(name))?;
        let equals = at + self.tokens[at..].iter().position(|token| *token == Token::Sign('='))?;
        Some(expression(&self.tokens[equals + 1..]))
    }

    /// Whether it holds a text that `is`.
    pub fn holds(&self, is: impl Fn(&str) -> bool) -> bool {
        self.tokens.iter().filter_map(Token::text).any(is)
    }

    /// What a property of this name is set to, each time that one is.
    pub fn property(&self, name: &str) -> Vec<&[Token]> {
        let starts = self.tokens.windows(2).enumerate();
        let starts = starts.filter(|(_, pair)| pair[0].is(name) && pair[1] == Token::Sign(':'));
        starts.map(|(at, _)| expression(&self.tokens[at + 2..])).collect()
    }
}

/// The tokens of the expression that `tokens` begin with: to the end of the line, or of the brackets that it is in.
fn expression(tokens: &[Token]) -> &[Token] {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') if depth == 0 => return &tokens[..at],
            Token::Sign(')' | ']' | '}') => depth -= 1,
            Token::Line | Token::Sign(',') if depth == 0 => return &tokens[..at],
            _ => {}
        }
    }
    tokens
}

/// The texts of a list of plain texts; nothing if it is anything else.
pub fn texts(expression: &[Token]) -> Option<Vec<&str>> {
    let [Token::Sign('['), items @ .., Token::Sign(']')] = expression else { return None };
    let items = items.iter().filter(|token| !matches!(token, Token::Line | Token::Sign(',')));
    items.map(|item| item.text().filter(|text| !text.contains(tokens::HOLE))).collect()
}

/// The keys of every object in an expression, in order.
pub fn keys(expression: &[Token]) -> Vec<&str> {
    let opens = |token: &Token| matches!(token, Token::Sign('{' | ',') | Token::Line);
    let threes = expression.windows(3).filter(|three| opens(&three[0]) && three[2] == Token::Sign(':'));
    threes.filter_map(|three| three[1].name()).collect()
}

fn visit(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Finding> {
    for entry in std::fs::read_dir(folder).map_err(Finding::io(folder))? {
        let path = entry.map_err(Finding::io(folder))?.path();
        if path.is_dir() {
            visit(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "bicep") {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_variable_is_found_whatever_is_written_around_it() {
        let folder = Scratch::new("bicep");
        folder.with("main.bicep", "// var queues = ['not-this']\nparam queues string\nmodule m 'a.bicep' = { }\n").with(
            "modules/names.bicep",
            "@export()\n@description('var queues = 1')\nvar queues nameType[] = [ // why\n  'a' /* x */\n  'it\\'s', 'c'\n]\nvar more = 2\n",
        );
        let templates = Templates::read(&folder.0).unwrap();
        let (file, value) = templates.variable("queues").unwrap();
        assert!(file.path.ends_with("modules/names.bicep"));
        assert_eq!(texts(value), Some(vec!["a", "it's", "c"]));
        assert_eq!(texts(templates.variable("more").unwrap().1), None);
    }

    #[test]
    fn a_list_that_is_computed_is_not_taken_for_a_list_of_names() {
        for list in ["[for q in names: q]", "['a', ...more]", "concat(['a'], more)", "['${prefix}-a']"] {
            let folder = Scratch::new("computed");
            folder.with("main.bicep", format!("var queues = {list}\n"));
            assert_eq!(texts(Templates::read(&folder.0).unwrap().variable("queues").unwrap().1), None, "{list}");
        }
    }

    #[test]
    fn a_variable_that_is_missing_or_declared_twice_is_told() {
        let folder = Scratch::new("twice");
        folder.with("a.bicep", "var queues = []\n").with("b.bicep", "var queues = []\n");
        let templates = Templates::read(&folder.0).unwrap();
        assert!(templates.variable("queues").unwrap_err().what.contains("as "));
        assert!(templates.variable("tables").unwrap_err().what.contains("no template declares `var tables`"));
    }

    #[test]
    fn keys_are_those_of_all_objects_of_the_expression() {
        let folder = Scratch::new("keys");
        let text = "var settings = union({\n  A: x\n  'B': y ? 'C: no' : z\n}, empty(v) ? {} : { D: v }, more)\n";
        folder.with("main.bicep", text);
        let templates = Templates::read(&folder.0).unwrap();
        assert_eq!(keys(templates.variable("settings").unwrap().1), ["A", "B", "D"]);
    }

    #[test]
    fn a_text_that_never_ends_and_a_folder_without_templates_are_told() {
        let folder = Scratch::new("open");
        assert!(Templates::read(&folder.0).unwrap_err().what.contains("no Bicep file"));
        folder.with("main.bicep", "var a = 'open\n");
        assert!(Templates::read(&folder.0).unwrap_err().what.contains("line 1"));
    }
}
