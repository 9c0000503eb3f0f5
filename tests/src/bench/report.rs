//! The table: each figure beside its floor, and whether it is as near as it is meant to be.

use std::fmt;
use std::time::Duration;

use super::table::Table;

/// All figures, in the order they were taken.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: Vec<Row>,
}

/// A figure beside its floor.
#[derive(Debug)]
pub(super) struct Row {
    what: String,
    measured: Quantity,
    floor: Quantity,
    floor_is: &'static str,
    compared: Compared,
    target: Option<f64>,
}

/// How a figure is compared with its floor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Compared {
    /// How many times the floor it is.
    Ratio,
    /// How much more it is.
    Excess,
    /// How much it is off, either way, in percent of the floor.
    Deviation,
}

/// What there is to compare.
#[derive(Debug, Clone, Copy)]
pub(super) enum Quantity {
    /// A time.
    Milliseconds(f64),
    /// A number of instructions.
    Instructions(u64),
}

impl Report {
    /// Adds a figure.
    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }
}

impl Row {
    /// A figure and its floor.
    pub(super) fn new(
        what: impl Into<String>,
        measured: impl Into<Quantity>,
        floor_is: &'static str,
        floor: impl Into<Quantity>,
        compared: Compared,
    ) -> Self {
        Self {
            what: what.into(),
            measured: measured.into(),
            floor: floor.into(),
            floor_is,
            compared,
            target: None,
        }
    }

    /// This figure, meant to be no further from its floor than this.
    pub(super) fn at_most(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }

    fn apart(&self) -> f64 {
        let (measured, floor) = (self.measured.number(), self.floor.number());
        match self.compared {
            Compared::Ratio => measured / floor,
            Compared::Excess => measured - floor,
            Compared::Deviation => (measured / floor - 1.0).abs() * 100.0,
        }
    }

    fn apart_text(&self, apart: f64) -> String {
        match self.compared {
            Compared::Ratio if apart < 0.1 => format!("{apart:.4} x"),
            Compared::Ratio => format!("{apart:.2} x"),
            Compared::Excess => format!("{apart:+.2} {}", self.measured.unit()),
            Compared::Deviation => format!("{apart:.1} %"),
        }
    }

    /// Whether the target is reached; `None` if there is none.
    fn is_reached(&self) -> Option<bool> {
        self.target.map(|target| self.apart() <= target)
    }

    fn cells(&self) -> [String; 6] {
        let verdict = match self.is_reached() {
            Some(true) => "reached",
            Some(false) => "missed",
            None => "",
        };
        let target = self.target.map(|target| self.apart_text(target));
        [
            self.what.clone(),
            self.measured.to_string(),
            format!("{} {}", self.floor_is, self.floor),
            self.apart_text(self.apart()),
            target
                .map(|target| format!("at most {target}"))
                .unwrap_or_default(),
            verdict.to_owned(),
        ]
    }
}

impl Quantity {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a billion instructions are no loss"
    )]
    fn number(self) -> f64 {
        match self {
            Self::Milliseconds(number) => number,
            Self::Instructions(number) => number as f64,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Milliseconds(_) => "ms",
            Self::Instructions(_) => "instructions",
        }
    }
}

impl From<Duration> for Quantity {
    fn from(time: Duration) -> Self {
        Self::Milliseconds(time.as_secs_f64() * 1000.0)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Milliseconds(number) => write!(f, "{number:.2} ms"),
            Self::Instructions(number) => write!(f, "{number}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["figure", "measured", "floor", "apart", "target", ""]);
        for row in &self.rows {
            table.add(row.cells());
        }
        let verdicts = self.rows.iter().filter_map(Row::is_reached);
        let targets = verdicts.clone().count();
        let reached = verdicts.filter(|is_reached| *is_reached).count();
        write!(f, "{table}\n{reached} of {targets} targets reached.")
    }
}
