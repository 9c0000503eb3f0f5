//! A table, in Markdown, that can be read as it is.

use std::fmt;

/// Rows under a head. The first columns are text, all others are figures.
#[derive(Debug, Clone)]
pub(super) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    texts: usize,
}

impl Table {
    /// A table without rows, of figures behind a column of text.
    pub(super) fn new<const COLUMNS: usize>(head: [&str; COLUMNS]) -> Self {
        Self {
            head: head.map(str::to_owned).to_vec(),
            rows: Vec::new(),
            texts: 1,
        }
    }

    /// The same, with text in more columns.
    pub(super) fn with_texts(mut self, texts: usize) -> Self {
        self.texts = texts;
        self
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = std::iter::once(&self.head).chain(&self.rows);
        let widths = cells.filter_map(|row| row.get(column).map(|cell| cell.chars().count()));
        widths.max().unwrap_or(0).max(3)
    }

    fn line(&self, row: &[String]) -> String {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = self.width(column);
            if column < self.texts {
                format!("| {cell:width$} ")
            } else {
                format!("| {cell:>width$} ")
            }
        });
        cells.collect::<String>() + "|"
    }

    fn rule(&self) -> String {
        let cells = (0..self.head.len()).map(|column| {
            let dashes = "-".repeat(self.width(column));
            if column < self.texts {
                format!("| {dashes} ")
            } else {
                format!("| {}: ", dashes.get(1..).unwrap_or_default())
            }
        });
        cells.collect::<String>() + "|"
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.line(&self.head))?;
        writeln!(f, "{}", self.rule())?;
        for row in &self.rows {
            writeln!(f, "{}", self.line(row))?;
        }
        Ok(())
    }
}

/// A time in milliseconds, without its unit.
pub(super) fn ms(time: std::time::Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}
