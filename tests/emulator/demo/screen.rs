//! The terminal: lines that stay, and below them, on a terminal only, a few that are drawn anew.

use std::io::{IsTerminal as _, Write as _, stdout};

use crate::words::{cut, wrap};

/// Width of what stays, in characters, whatever the terminal's.
pub const WIDTH: usize = 80;
/// Where the text of a fact begins.
const FACT: usize = 14;

/// How a line is to look on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As it is.
    Plain,
    /// Something to be seen first.
    Strong,
    /// Something to be overlooked.
    Faint,
    /// It went well.
    Good,
    /// It did not.
    Bad,
}

impl Look {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
        }
    }
}

/// The terminal, or whatever stdout is.
#[derive(Debug)]
pub struct Screen {
    terminal: bool,
    colour: bool,
    below: Vec<String>,
    /// The last progress told where nothing can be drawn anew.
    told: String,
}

impl Screen {
    /// Stdout; in colour if it is a terminal and `NO_COLOR` is not set (no-color.org).
    pub fn new() -> Self {
        let terminal = stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { terminal, colour: terminal && !no_colour, below: Vec::new(), told: String::new() }
    }

    /// A line that stays.
    pub fn line(&mut self, look: Look, text: &str) {
        let below = std::mem::take(&mut self.below);
        let mut out = erasing(below.len());
        out.push_str(&self.looking(look, text));
        out.push('\n');
        self.draw(out, below);
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.line(Look::Plain, "");
    }

    /// The first line.
    pub fn title(&mut self, text: &str) {
        self.line(Look::Strong, text);
        self.blank();
    }

    /// A name and what is to be said of it.
    pub fn fact(&mut self, name: &str, text: &str) {
        self.clear();
        for (index, line) in wrap(text, WIDTH - FACT - 2).iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            self.line(Look::Plain, &format!("  {name:FACT$}{line}"));
        }
    }

    /// What goes on at the moment. Where nothing can be drawn anew, only a new `text` is told, without the details.
    pub fn progress(&mut self, text: &str, details: &[String]) {
        if self.terminal {
            let lines = std::iter::once(text.to_owned()).chain(details.iter().map(|line| format!("  {line}")));
            self.below(lines.map(|line| (Look::Faint, line)).collect());
        } else if self.told != text {
            text.clone_into(&mut self.told);
            self.line(Look::Plain, &format!("  {text} ..."));
        }
    }

    /// Replaces the lines that are drawn anew; does nothing where that cannot be done.
    pub fn below(&mut self, lines: Vec<(Look, String)>) {
        if !self.terminal {
            return;
        }
        let width = width();
        let lines = lines.iter().map(|(look, text)| self.looking(*look, &cut(text, width))).collect();
        let out = erasing(self.below.len());
        self.draw(out, lines);
    }

    /// Takes away the lines that are drawn anew.
    pub fn clear(&mut self) {
        self.below(Vec::new());
    }

    /// What went wrong, on stderr.
    pub fn error(&mut self, why: &str) {
        self.clear();
        eprintln!("\n{}", self.looking(Look::Bad, why));
    }

    fn looking(&self, look: Look, text: &str) -> String {
        if self.colour && look != Look::Plain { format!("{}{text}\x1b[0m", look.code()) } else { text.to_owned() }
    }

    fn draw(&mut self, mut out: String, below: Vec<String>) {
        for line in &below {
            out.push_str(line);
            out.push('\n');
        }
        self.below = below;
        // A reader who has gone away is no reason to stop: the exit status still tells.
        let _ = stdout().write_all(out.as_bytes()).and_then(|()| stdout().flush());
    }
}

/// Goes up over the lines that are drawn anew, and erases them.
fn erasing(lines: usize) -> String {
    if lines == 0 { String::new() } else { format!("\x1b[{lines}A\r\x1b[J") }
}

/// The terminal's width less one: a full line would wrap, and be two when it is erased.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(stdout()).ok();
    size.map_or(WIDTH, |size| usize::from(size.ws_col)).clamp(21, 121) - 1
}
