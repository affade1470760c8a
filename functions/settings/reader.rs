//! Reads single settings, and collects what is wrong with any of them.

use std::fmt::Display;
use std::str::FromStr;

/// Reads settings and collects what is wrong with them.
pub(super) struct Reader<F> {
    get: F,
    /// What is wrong: a sentence each.
    pub(super) wrong: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    pub(super) fn new(get: F) -> Self {
        Self { get, wrong: Vec::new() }
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        text.parse().map_err(|e| self.wrong.push(format!("{name}: {e}"))).ok()
    }

    pub(super) fn required<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        if self.text(name).is_none() {
            self.wrong.push(format!("{name} is missing"));
        }
        self.parsed(name)
    }

    pub(super) fn or<T: FromStr<Err: Display>>(&mut self, name: &str, default: &str) -> Option<T> {
        match self.text(name) {
            Some(_) => self.parsed(name),
            None => default.parse().ok(),
        }
    }

    pub(super) fn list<T: FromStr<Err: Display>>(&mut self, name: &str) -> Vec<T> {
        let text = self.text(name).unwrap_or_default();
        let mut values = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            match item.parse() {
                Ok(value) => values.push(value),
                Err(error) => self.wrong.push(format!("{name}: {error}")),
            }
        }
        values
    }

    pub(super) fn one_of<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(name).unwrap_or_else(|| choices[0].0.to_owned());
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.wrong.push(format!("{name}: {text:?} is none of {}", words.join(", ")));
        }
        found
    }
}
