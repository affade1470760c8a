//! The table: what was measured, its goal, whether it is met; and the details behind it.

use crate::ledger::Ran;

/// Everything to print, in order.
pub struct Report {
    rows: Vec<Row>,
    details: Vec<String>,
    calls: bool,
}

struct Row {
    what: String,
    figure: String,
    goal: String,
    met: Option<bool>,
}

impl Report {
    /// An empty one; `calls` adds every call and request to the details.
    pub fn new(calls: bool) -> Self {
        Self { rows: Vec::new(), details: Vec::new(), calls }
    }

    /// A figure that must not exceed its goal.
    pub fn at_most(&mut self, what: impl Into<String>, figure: f64, goal: f64, unit: &str) {
        let (what, met) = (what.into(), Some(figure <= goal));
        let goal = format!("≤ {}{unit}", number(goal));
        self.rows.push(Row { what, figure: format!("{}{unit}", number(figure)), goal, met });
    }

    /// A figure without a goal.
    pub fn plain(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        self.rows.push(Row { what: what.into(), figure: figure.into(), goal: String::new(), met: None });
    }

    /// A line of the details.
    pub fn detail(&mut self, line: impl Into<String>) {
        self.details.push(line.into());
    }

    /// What each function did, a line each.
    pub fn functions(&mut self, title: &str, ran: &[Ran]) {
        self.detail(format!(
            "\n{title}\n  {:<26}{:>6}{:>9}{:>10}{:>7}{:>6}{:>7}{:>9}{:>8}",
            "function", "runs", "storage", "most/run", "graph", "arm", "aiven", "polling", "tokens"
        ));
        for of in ran {
            let calls = of.api();
            self.detail(format!(
                "  {:<26}{:>6}{:>9}{:>10}{:>7}{:>6}{:>7}{:>9}{:>8}",
                of.function,
                of.runs,
                of.storage.len(),
                of.most,
                calls.graph,
                calls.arm,
                calls.aiven,
                calls.polling,
                calls.tokens
            ));
            if self.calls {
                let lines = of.calls.iter().map(|call| format!("{:?} {} {}", call.service, call.method, call.path));
                let lines: Vec<String> = lines.chain(of.storage.iter().map(ToString::to_string)).collect();
                self.details.extend(lines.into_iter().map(|line| format!("      {line}")));
            }
        }
    }

    /// Prints the details, then the table.
    pub fn print(&self) {
        for line in &self.details {
            println!("{line}");
        }
        println!("\n{:<84}{:>20}  {:<10}", "figure", "measured", "goal");
        for Row { what, figure, goal, met } in &self.rows {
            let verdict = met.map_or("", |met| if met { "met" } else { "MISSED" });
            println!("{what:<84}{figure:>20}  {goal:<10}{verdict}");
        }
        let missed: Vec<&str> =
            self.rows.iter().filter(|row| row.met == Some(false)).map(|row| row.what.as_str()).collect();
        if missed.is_empty() {
            println!("\nAll goals are met.");
        } else {
            println!("\nMISSED: {}", missed.join("; "));
        }
    }
}

/// Whole numbers whole, others with a decimal place.
fn number(value: f64) -> String {
    if (value - value.round()).abs() < 0.005 { format!("{value:.0}") } else { format!("{value:.2}") }
}
