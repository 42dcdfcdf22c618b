//! Owns values by name, for whoever makes a single letter.

use jiff::civil::DateTime;

use super::super::name::{Namespace, Need};
use super::super::picture::Picture;
use super::super::value::{Frame, Value};
use super::Moment;

/// Values by name, for a single letter.
#[derive(Clone, Debug)]
pub struct Values {
    pub(super) moment: Moment,
    entries: Vec<(String, Entry)>,
    pub(super) pictures: Vec<(String, Picture)>,
}

#[derive(Clone, Debug)]
enum Entry {
    Value(Value),
    Rows(Vec<Values>),
}

impl Default for Values {
    fn default() -> Values {
        Values::new()
    }
}

impl Values {
    /// Returns a set without values; its clock stands at the start of 1970, its locale is `en-US`.
    pub fn new() -> Values {
        let now = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        Values::at(Moment { now, locale: "en-US".to_owned(), record: 1, sequence: 1 })
    }

    /// Returns a set without values for a letter made at this moment.
    pub fn at(moment: Moment) -> Values {
        Values { moment, entries: Vec::new(), pictures: Vec::new() }
    }

    /// Gives `name` a value.
    pub fn set(&mut self, name: &str, value: Value) {
        self.entries.push((name.to_owned(), Entry::Value(value)));
    }

    /// Gives `name` the rows of a child table.
    pub fn set_rows(&mut self, name: &str, rows: Vec<Values>) {
        self.entries.push((name.to_owned(), Entry::Rows(rows)));
    }

    /// Gives a file name, as it stands in a value, its picture.
    pub fn set_picture(&mut self, file: &str, picture: Picture) {
        self.pictures.push((file.to_owned(), picture));
    }

    /// What the template can be bound to: the names of all of them.
    pub(super) fn namespace(rows: &[&Values]) -> Namespace {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in rows.iter().flat_map(|row| &row.entries) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let mut namespace = Namespace::new();
        for name in names {
            let children: Vec<&Values> = rows
                .iter()
                .filter_map(|row| match row.entry(name) {
                    Some(Entry::Rows(children)) => Some(children),
                    _ => None,
                })
                .flatten()
                .collect();
            let is_table = rows.iter().any(|row| matches!(row.entry(name), Some(Entry::Rows(_))));
            if is_table {
                namespace.rows(name, Values::namespace(&children));
            } else {
                namespace.column(name, name);
            }
        }
        namespace
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|(entry, _)| entry == name).map(|(_, entry)| entry)
    }

    /// The values in the order in which a template wants them.
    pub(super) fn frame(&self, needs: &[Need], namespace: &Namespace) -> Frame {
        let fill = |need: &Need| {
            let (Need::Value(entry) | Need::Rows(entry, _)) = need;
            match (need, namespace.path(*entry).and_then(|name| self.entry(name))) {
                (Need::Value(_), Some(Entry::Value(value))) => value.clone(),
                (Need::Rows(entry, needs), Some(Entry::Rows(rows))) => match namespace.rows_of(*entry) {
                    Some(inside) => Value::Rows(rows.iter().map(|row| row.frame(needs, inside)).collect()),
                    None => Value::Blank,
                },
                _ => Value::Blank,
            }
        };
        Frame(needs.iter().map(fill).collect())
    }
}
