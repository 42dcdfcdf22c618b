//! Owns what is open while a letter is rendered: the records, the rows around the current place, bookmarks that were set,
//! and tables that formulas refer to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::DateTime;
use rust_decimal::Decimal;

use super::format::{FormatContext, write_plain};
use super::formula::TableCells;
use super::picture::Pictures;
use super::related::Related;
use super::scope::{NameNo, Slot};
use super::show::{self, TextPart};
use super::tag::call::RowHelper;
use super::tag::{Expression, result};
use super::template::Moment;
use super::value::{Frame, Value};

/// What holds for a whole letter beside its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'f> {
    pub(crate) moment: &'f Moment,
    /// By the number of a language; the first is that of the moment.
    pub(crate) contexts: &'f [FormatContext],
    pub(crate) pictures: &'f Pictures,
}

/// The frames that are open while a letter is rendered: the letter's, then those of the rows around the current place.
pub(crate) struct Frames<'f> {
    slots: &'f [Slot],
    levels: Vec<Level<'f>>,
    records: &'f [Frame],
    record: usize,
    is_skipped: bool,
    circumstances: Circumstances<'f>,
    /// By name in upper case.
    bookmarks: BTreeMap<String, Value>,
    grids: Vec<Grid>,
    related: Related<'f>,
}

#[derive(Clone, Copy)]
struct Level<'f> {
    frame: &'f Frame,
    index: usize,
    n_rows: usize,
}

/// The texts of a table's cells as far as they are known. Rows and cells are counted from 1, so 0 is before the first.
#[derive(Default)]
pub(crate) struct Grid {
    cells: Vec<Vec<String>>,
    row: usize,
    cell: usize,
}

const NO_RECORD: &Frame = &Frame(Vec::new());

impl<'f> Frames<'f> {
    /// Opens the records that a letter may show; only NEXT goes beyond the first.
    pub(crate) fn new(
        records: &'f [Frame],
        slots: &'f [Slot],
        circumstances: Circumstances<'f>,
    ) -> Frames<'f> {
        let frame = records.first().unwrap_or(NO_RECORD);
        Frames {
            slots,
            levels: vec![Level { frame, index: 0, n_rows: 1 }],
            records,
            record: 0,
            is_skipped: false,
            circumstances,
            bookmarks: BTreeMap::new(),
            grids: Vec::new(),
            related: Related::new(circumstances.pictures),
        }
    }

    /// Returns what the letter refers to.
    pub(crate) fn related(&mut self) -> &mut Related<'f> {
        &mut self.related
    }

    /// Returns the position of the record that is shown.
    pub(crate) fn record(&self) -> usize {
        self.record
    }

    /// Goes on to the next record; after the last one, all values are blank.
    pub(crate) fn next_record(&mut self) {
        self.return_to(self.record + 1);
    }

    /// Shows the record at this position again.
    pub(crate) fn return_to(&mut self, record: usize) {
        self.record = record;
        if let Some(level) = self.levels.first_mut() {
            level.frame = self.records.get(record).unwrap_or(NO_RECORD);
        }
    }

    /// Leaves the letter out.
    pub(crate) fn skip_record(&mut self) {
        self.is_skipped = true;
    }

    /// Tells whether the letter is left out.
    pub(crate) fn is_skipped(&self) -> bool {
        self.is_skipped
    }

    /// Returns how many records the letter has taken, at least one.
    pub(crate) fn n_records(&self) -> usize {
        (self.record + 1).min(self.records.len().max(1))
    }

    /// Returns the number of the record that is shown in the data, from 1.
    pub(crate) fn record_number(&self) -> u64 {
        self.circumstances.moment.record.saturating_add(self.record as u64)
    }

    /// Returns the number of the record that is shown among those that are merged, from 1.
    pub(crate) fn sequence_number(&self) -> u64 {
        self.circumstances.moment.sequence.saturating_add(self.record as u64)
    }

    /// Returns the clock of the run.
    pub(crate) fn now(&self) -> DateTime {
        self.circumstances.moment.now
    }

    /// Returns the signs and names of a language, by its number.
    pub(crate) fn context(&self, language: usize) -> &'f FormatContext {
        let contexts = self.circumstances.contexts;
        contexts
            .get(language)
            .or_else(|| contexts.first())
            .expect("the moment's own language is always there")
    }

    /// Gives a bookmark a text.
    pub(crate) fn set_bookmark(&mut self, name: &str, text: &'f [TextPart]) {
        let value = show::operand(text, self);
        self.bookmarks.insert(name.to_uppercase(), value);
    }

    /// Returns what a bookmark was set to.
    pub(crate) fn bookmark(&self, name: &str) -> Option<&Value> {
        self.bookmarks.get(&name.to_uppercase())
    }

    /// Begins a table that formulas refer to.
    pub(crate) fn open_grid(&mut self) {
        self.grids.push(Grid::default());
    }

    /// Goes back to the start of the table; the texts of its cells stay known.
    pub(crate) fn rewind_grid(&mut self) {
        if let Some(grid) = self.grids.last_mut() {
            (grid.row, grid.cell) = (0, 0);
        }
    }

    /// Ends the table.
    pub(crate) fn close_grid(&mut self) {
        self.grids.pop();
    }

    /// Begins the next row of the table.
    pub(crate) fn next_row(&mut self) {
        if let Some(grid) = self.grids.last_mut() {
            grid.row += 1;
            grid.cell = 0;
            if grid.cells.len() < grid.row {
                grid.cells.push(Vec::new());
            }
        }
    }

    /// Begins the next cell of the table, whose text is then written anew.
    pub(crate) fn next_cell(&mut self) {
        let Some(grid) = self.grids.last_mut() else { return };
        grid.cell += 1;
        let cell = grid.cell;
        if let Some(row) = grid.row.checked_sub(1).and_then(|row| grid.cells.get_mut(row)) {
            match row.get_mut(cell - 1) {
                Some(text) => text.clear(),
                None => row.push(String::new()),
            }
        }
    }

    /// Tells whether the current place is in a table that formulas refer to.
    pub(crate) fn is_in_grid(&self) -> bool {
        !self.grids.is_empty()
    }

    /// Adds to the text of the current cell.
    pub(crate) fn note_cell_text(&mut self, text: &str) {
        let Some(grid) = self.grids.last_mut() else { return };
        let row = grid.row.checked_sub(1).and_then(|row| grid.cells.get_mut(row));
        if let (Some(row), Some(cell)) = (row, grid.cell.checked_sub(1))
            && let Some(cell) = row.get_mut(cell)
        {
            cell.push_str(text);
        }
    }

    /// Returns the innermost table that formulas refer to.
    pub(crate) fn grid(&self) -> Option<&Grid> {
        self.grids.last()
    }

    /// Opens a row's frame.
    pub(crate) fn push(&mut self, frame: &'f Frame, index: usize, n_rows: usize) {
        self.levels.push(Level { frame, index, n_rows });
    }

    /// Closes the row's frame that was opened last.
    /// Whether nothing of what is being written has been written before: the row is the first, as are all around it.
    pub(crate) fn is_first_time(&self) -> bool {
        self.levels.iter().all(|level| level.index == 0)
    }

    pub(crate) fn pop(&mut self) {
        self.levels.pop();
    }

    /// Returns the value of a name.
    pub(crate) fn value(&self, name: NameNo) -> &'f Value {
        const BLANK: &Value = &Value::Blank;
        let Some(slot) = self.slots.get(name) else { return BLANK };
        self.level(slot.up).map_or(BLANK, |level| level.frame.get(slot.position))
    }

    /// Returns the rows of a name; none for anything else.
    pub(crate) fn rows(&self, name: NameNo) -> &'f [Frame] {
        match self.value(name) {
            Value::Rows(rows) => rows,
            _ => &[],
        }
    }

    fn level(&self, up: usize) -> Option<Level<'f>> {
        self.levels.len().checked_sub(up + 1).map(|position| self.levels[position])
    }

    /// Returns a value as text without switches, by the customs of the moment's locale.
    pub(crate) fn text(&self, value: &Value) -> String {
        let mut text = String::new();
        write_plain(value, self.context(0), &mut text);
        text
    }

    /// Computes an expression.
    pub(crate) fn evaluate(&self, expression: &'f Expression<NameNo>) -> Cow<'f, Value> {
        match expression {
            Expression::Name(name) => Cow::Borrowed(self.value(*name)),
            Expression::Literal(value) => Cow::Borrowed(value),
            Expression::Index(up) => {
                Cow::Owned(self.level(*up).map_or(Value::Blank, |it| Value::Number(Decimal::from(it.index))))
            }
            Expression::First(up) => Cow::Owned(Value::Bool(self.level(*up).is_some_and(|it| it.index == 0))),
            Expression::Last(up) => {
                Cow::Owned(Value::Bool(self.level(*up).is_some_and(|it| it.index + 1 == it.n_rows)))
            }
            Expression::Call(helper, arguments) => {
                let arguments: Vec<_> = arguments.iter().map(|it| self.evaluate(it)).collect();
                result::of(*helper, &arguments, self.context(0))
            }
            Expression::Rows { helper, rows, item, separator } => {
                let values = self.row_values(*rows, *item);
                Cow::Owned(match helper {
                    RowHelper::Count => Value::Number(values.len().into()),
                    RowHelper::Sum => result::sum(&values, self.context(0)),
                    RowHelper::Join => result::joined(&values, separator.as_deref(), self.context(0)),
                })
            }
        }
    }

    fn row_values(&self, rows: NameNo, item: Option<NameNo>) -> Vec<&'f Value> {
        let position = item.and_then(|item| self.slots.get(item)).map_or(usize::MAX, |slot| slot.position);
        self.rows(rows).iter().map(|row| row.get(position)).collect()
    }
}

impl TableCells for Grid {
    fn position(&self) -> (usize, usize) {
        (self.row.saturating_sub(1), self.cell.saturating_sub(1))
    }

    fn n_rows(&self) -> usize {
        self.cells.len()
    }

    fn n_columns(&self, row: usize) -> usize {
        self.cells.get(row).map_or(0, Vec::len)
    }

    fn value(&self, row: usize, column: usize) -> Value {
        let text = self.cells.get(row).and_then(|row| row.get(column));
        text.map_or(Value::Blank, |text| Value::text(text.trim()))
    }
}
