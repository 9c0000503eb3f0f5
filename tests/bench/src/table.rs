//! Markdown tables with aligned columns.

use std::fmt;
use std::time::Duration;

/// A head and rows: one column of text, then columns of figures.
#[derive(Debug, Clone)]
pub(super) struct Table(Vec<Vec<String>>);

impl Table {
    pub(super) fn new<const COLUMNS: usize>(head: [&str; COLUMNS]) -> Self {
        Self(vec![head.map(str::to_owned).to_vec()])
    }

    pub(super) fn add(&mut self, row: impl IntoIterator<Item = String>) {
        self.0.push(row.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = 0..self.0[0].len();
        let widths = columns.map(|column| {
            let cells = self.0.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0).max(3)
        });
        let widths: Vec<usize> = widths.collect();
        for (line, row) in self.0.iter().enumerate() {
            write!(f, "| {:1$} |", row[0], widths[0])?;
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                write!(f, " {cell:>width$} |")?;
            }
            writeln!(f)?;
            if line == 0 {
                write!(f, "| {:-<1$} |", "", widths[0])?;
                for width in widths.iter().skip(1) {
                    write!(f, " {:->1$}: |", "", width - 1)?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// A time in milliseconds, without its unit.
pub(super) fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}
