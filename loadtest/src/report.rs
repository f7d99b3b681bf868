//! What was measured, beside its goals.

use std::fmt;

use crate::process::machine;

/// The figures of one command.
#[derive(Debug)]
pub struct Report {
    title: String,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    figure: String,
    goal: Option<Goal>,
}

#[derive(Debug)]
struct Goal {
    text: String,
    met: bool,
}

impl Report {
    /// An empty one.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new() }
    }

    /// A figure without a goal.
    pub fn fact(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        self.rows.push(Row { what: what.into(), figure: figure.into(), goal: None });
    }

    /// A figure that must be `goal` or more. `detail` says what it is made of.
    pub fn at_least(&mut self, what: impl Into<String>, figure: f64, goal: f64, detail: impl fmt::Display) {
        self.goal(what.into(), figure, figure >= goal, format!("at least {}", short(goal)), &detail);
    }

    /// A figure that must be `goal` or less. `detail` says what it is made of.
    pub fn at_most(&mut self, what: impl Into<String>, figure: f64, goal: f64, detail: impl fmt::Display) {
        self.goal(what.into(), figure, figure <= goal, format!("at most {}", short(goal)), &detail);
    }

    fn goal(&mut self, what: String, figure: f64, met: bool, text: String, detail: &dyn fmt::Display) {
        let figure = format!("{}  {detail}", short(figure));
        self.rows.push(Row { what, figure, goal: Some(Goal { text, met }) });
    }

    /// Whether all goals are met.
    pub fn is_met(&self) -> bool {
        self.rows.iter().filter_map(|row| row.goal.as_ref()).all(|goal| goal.met)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.title, machine())?;
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        for Row { what, figure, goal } in &self.rows {
            write!(f, "  {what:width$}  {figure}")?;
            if let Some(Goal { text, met }) = goal {
                write!(f, "  [goal: {text}; {}]", if *met { "met" } else { "NOT MET" })?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A figure with three digits that tell something.
pub fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 1e6 => format!("{:.2} M", figure / 1e6),
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

/// The median and the ends of figures that were measured several times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The lowest.
    pub min: f64,
    /// The one in the middle; the mean of both where two are.
    pub median: f64,
    /// The highest.
    pub max: f64,
}

impl Spread {
    /// Of these figures, of which there must be one.
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let half = figures.len() / 2;
        let upper = *figures.get(half)?;
        let median = if figures.len() % 2 == 1 { upper } else { (upper + *figures.get(half - 1)?) / 2.0 };
        Some(Self { min, median, max })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} to {})", short(self.median), short(self.min), short(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goal_that_is_not_met_fails_the_whole() {
        let mut report = Report::new("x");
        report.fact("a", "1");
        report.at_least("b", 0.8, 0.8, "");
        report.at_most("c", 2.0, 2.0, "");
        assert!(report.is_met());
        report.at_least("d", 0.79, 0.8, "");
        assert!(!report.is_met());
        assert!(report.to_string().contains("[goal: at least 0.80; NOT MET]"), "{report}");
    }

    #[test]
    fn what_was_not_measured_has_met_no_goal() {
        let mut report = Report::new("x");
        report.at_most("a", f64::NAN, 2.0, "");
        assert!(!report.is_met());
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        let spread = |figures: &[f64]| Spread::of(figures.to_vec());
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(Spread { min: 1.0, median: 2.0, max: 3.0 }));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), Some(Spread { min: 1.0, median: 2.5, max: 4.0 }));
    }
}
