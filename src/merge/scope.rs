//! Owns which names a template uses at which level of rows, and their resolution to positions in frames.

use std::ops::Range;

use super::name::{FieldMap, Namespace, Need, NoMatch};
use super::problem::Fault;
use super::tag::{Expression, Path};
use super::value::{Frame, Value};

/// The number of a use of a name within its template.
pub(crate) type NameNo = usize;
/// The number of a level of rows within its template; 0 is the letter itself.
pub(crate) type ScopeNo = usize;

/// What a name is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One value, to be shown.
    Value,
    /// Anything that may be blank: a value or rows.
    Test,
    /// Rows, to be repeated.
    Rows,
}

/// A use of a name.
#[derive(Clone, Debug)]
pub(crate) struct NameUse {
    pub(crate) scope: ScopeNo,
    pub(crate) path: Path,
    /// The path of the enclosing `{{#with}}`, tried before the name alone.
    pub(crate) within: Option<String>,
    pub(crate) wanted: Wanted,
    pub(crate) is_tag: bool,
    /// Whether it may have no value at all: it is then blank.
    pub(crate) is_optional: bool,
    /// Other names for it, asked in turn after its own; the map is asked about all of them first.
    pub(crate) candidates: Vec<String>,
}

/// The names of a template, as collected while it is compiled.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    uses: Vec<NameUse>,
    /// Per scope its parent and the name that its rows come from; the first is the letter, which has neither.
    scopes: Vec<Option<(ScopeNo, NameNo)>>,
    /// The optional names of each address block or greeting, with its keyword: one of them must have a value.
    groups: Vec<(Range<NameNo>, String)>,
}

/// Where a name's value is found while a letter is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// How many levels of rows up, from where the name is used.
    pub(crate) up: usize,
    /// The position in the frame of that level.
    pub(crate) position: usize,
}

/// Where in a template a name is used: at which level of rows, inside which `{{#with}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Enclosing {
    pub(crate) scope: ScopeNo,
    pub(crate) within: Option<String>,
}

impl Enclosing {
    /// The inside of `{{#with path}}`.
    pub(crate) fn with(&self, path: &Path) -> Enclosing {
        let within = match &self.within {
            Some(outer) if !path.is_this => format!("{outer}.{}", path.name),
            _ => path.name.clone(),
        };
        Enclosing { scope: self.scope, within: Some(within) }
    }
}

/// All names of a template resolved: what it needs, and a slot for each name's number.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) needs: Vec<Need>,
    pub(crate) slots: Vec<Slot>,
}

/// The needs of one level of rows while they are collected.
struct Level<'n> {
    namespace: &'n Namespace,
    /// Entries wanted, in the order of their positions, with the level of their rows.
    wanted: Vec<(usize, Option<usize>)>,
}

impl Default for Names {
    fn default() -> Names {
        Names { uses: Vec::new(), scopes: vec![None], groups: Vec::new() }
    }
}

impl Names {
    pub(crate) fn new() -> Names {
        Names::default()
    }

    /// Notes a use of a name.
    pub(crate) fn add(&mut self, name_use: NameUse) -> NameNo {
        self.uses.push(name_use);
        self.uses.len() - 1
    }

    /// Notes that of the names from this one to the last, one must have a value.
    pub(crate) fn close_group(&mut self, first: NameNo, keyword: String) {
        self.groups.push((first..self.uses.len(), keyword));
    }

    /// Notes the names of a tag's expression and returns it with their numbers.
    pub(crate) fn add_expression(
        &mut self,
        expression: Expression<Path>,
        enclosing: &Enclosing,
        wanted: Wanted,
    ) -> Expression<NameNo> {
        match expression {
            Expression::Name(path) => {
                let (scope, within) = (enclosing.scope, enclosing.within.clone());
                Expression::Name(self.add(NameUse {
                    scope,
                    path,
                    within,
                    wanted,
                    is_tag: true,
                    is_optional: false,
                    candidates: Vec::new(),
                }))
            }
            Expression::Literal(value) => Expression::Literal(value),
            Expression::Index(up) => Expression::Index(up),
            Expression::First(up) => Expression::First(up),
            Expression::Last(up) => Expression::Last(up),
            Expression::Call(helper, arguments) => {
                let wanted =
                    |position| if helper.takes_rows(position) { Wanted::Test } else { Wanted::Value };
                let arguments = arguments
                    .into_iter()
                    .enumerate()
                    .map(|(position, it)| self.add_expression(it, enclosing, wanted(position)))
                    .collect();
                Expression::Call(helper, arguments)
            }
            Expression::Rows { helper, rows, item, separator } => {
                let name_use = |scope, path, within, wanted| NameUse {
                    scope,
                    path,
                    within,
                    wanted,
                    is_tag: true,
                    is_optional: false,
                    candidates: Vec::new(),
                };
                let scope = enclosing.scope;
                let rows = self.add(name_use(scope, rows, enclosing.within.clone(), Wanted::Rows));
                let inside = self.add_scope(scope, rows);
                let item = item.map(|item| self.add(name_use(inside, item, None, Wanted::Value)));
                Expression::Rows { helper, rows, item, separator }
            }
        }
    }

    /// Begins a level of rows that come from `rows`, a name used in `parent`.
    pub(crate) fn add_scope(&mut self, parent: ScopeNo, rows: NameNo) -> ScopeNo {
        self.scopes.push(Some((parent, rows)));
        self.scopes.len() - 1
    }

    /// Returns the uses in the order of their numbers.
    pub(crate) fn uses(&self) -> &[NameUse] {
        &self.uses
    }

    /// Returns the values of a name in a record: one, or that of each row around it.
    pub(crate) fn values<'f>(&self, name: NameNo, slots: &[Slot], record: &'f Frame) -> Vec<&'f Value> {
        let (Some(name_use), Some(slot)) = (self.uses.get(name), slots.get(name)) else { return Vec::new() };
        let frames = self.frames(self.above(name_use.scope, slot.up), slots, record);
        frames.into_iter().map(|frame| frame.get(slot.position)).collect()
    }

    /// The level of rows that is so many levels above another.
    fn above(&self, scope: ScopeNo, up: usize) -> ScopeNo {
        (0..up).fold(scope, |scope, _| self.scopes[scope].map_or(scope, |(parent, _)| parent))
    }

    /// The frames of all rows of a level in a record.
    fn frames<'f>(&self, scope: ScopeNo, slots: &[Slot], record: &'f Frame) -> Vec<&'f Frame> {
        let Some((parent, rows)) = self.scopes[scope] else { return vec![record] };
        let Some(slot) = slots.get(rows) else { return Vec::new() };
        let around = self.frames(self.above(parent, slot.up), slots, record);
        let rows = around.into_iter().map(|frame| match frame.get(slot.position) {
            Value::Rows(rows) => rows.as_slice(),
            _ => &[],
        });
        rows.flatten().collect()
    }

    /// Resolves all names, or reports every use that fails, by its number.
    pub(crate) fn bind(
        &self,
        namespace: &Namespace,
        map: &FieldMap,
    ) -> Result<Binding, Vec<(NameNo, Fault)>> {
        let mut levels = vec![Level { namespace, wanted: Vec::new() }];
        // The level of each scope; none where its rows could not be resolved: names inside it are then not judged.
        let mut scope_levels: Vec<Option<usize>> = vec![Some(0)];
        let mut slots = vec![Slot { up: 0, position: 0 }; self.uses.len()];
        let mut faults = Vec::new();
        for scope in &self.scopes {
            let Some((parent, rows)) = *scope else { continue };
            let level = match scope_levels[parent] {
                None => None,
                Some(_) => match self.resolve(rows, &mut levels, &scope_levels, map) {
                    Ok((slot, level)) => {
                        slots[rows] = slot;
                        level
                    }
                    Err(fault) => {
                        faults.push((rows, fault));
                        None
                    }
                },
            };
            scope_levels.push(level);
        }
        for (number, name_use) in self.uses.iter().enumerate() {
            if name_use.wanted == Wanted::Rows || scope_levels[name_use.scope].is_none() {
                continue;
            }
            match self.resolve(number, &mut levels, &scope_levels, map) {
                Ok((slot, _)) => slots[number] = slot,
                Err(Fault::UnknownName { .. } | Fault::AmbiguousName { .. }) if name_use.is_optional => {
                    // No frame is that long, so the value is blank.
                    slots[number] = Slot { up: 0, position: usize::MAX };
                }
                Err(fault) => faults.push((number, fault)),
            }
        }
        for (group, keyword) in &self.groups {
            let is_blank = |number: NameNo| slots[number].position == usize::MAX;
            if !group.is_empty() && group.clone().all(is_blank) {
                faults.push((group.start, Fault::NoAddressNames { keyword: keyword.clone() }));
            }
        }
        if !faults.is_empty() {
            faults.sort_by_key(|(number, _)| *number);
            return Err(faults);
        }
        Ok(Binding { needs: needs_of(&levels, 0), slots })
    }

    /// Finds the level and entry of one use and notes the need; for rows also their level.
    fn resolve<'n>(
        &self,
        number: NameNo,
        levels: &mut Vec<Level<'n>>,
        scope_levels: &[Option<usize>],
        map: &FieldMap,
    ) -> Result<(Slot, Option<usize>), Fault> {
        let name_use = &self.uses[number];
        let shown =
            || if name_use.path.name.is_empty() { "this".to_owned() } else { name_use.path.name.clone() };
        let unknown = |nearest| Fault::UnknownName { name: shown(), is_tag: name_use.is_tag, nearest };
        let mut scope = name_use.scope;
        let mut up = 0;
        for _ in 0..name_use.path.up {
            let Some((parent, _)) = self.scopes[scope] else { return Err(unknown(None)) };
            scope = parent;
            up += 1;
        }
        let mut nearest = None;
        loop {
            let Some(level) = scope_levels[scope] else { return Err(unknown(None)) };
            match find(levels[level].namespace, name_use, map) {
                Ok(entry) => {
                    return note(levels, level, entry, name_use.wanted, shown)
                        .map(|(position, rows)| (Slot { up, position }, rows));
                }
                Err(NoMatch::Ambiguous(paths)) => return Err(Fault::AmbiguousName { name: shown(), paths }),
                Err(NoMatch::Unknown(near)) => nearest = nearest.or(near),
            }
            match self.scopes[scope] {
                Some((parent, _)) if !name_use.path.is_this => {
                    scope = parent;
                    up += 1;
                }
                _ => return Err(unknown(nearest)),
            }
        }
    }
}

fn find(namespace: &Namespace, name_use: &NameUse, map: &FieldMap) -> Result<usize, NoMatch> {
    let name = &name_use.path.name;
    if name.is_empty() {
        // `this` as a value: rows of single values have one column.
        return if namespace.len() == 1 { Ok(0) } else { Err(NoMatch::Unknown(None)) };
    }
    if let Some(within) = &name_use.within
        && let Ok(entry) = namespace.find(&format!("{within}.{name}"), map)
    {
        return Ok(entry);
    }
    let candidates = || std::iter::once(name).chain(&name_use.candidates);
    if let Some(mapped) = candidates().find(|name| map.names(name)) {
        return namespace.find(mapped, map);
    }
    let own = namespace.find(name, map);
    match own {
        Ok(entry) => Ok(entry),
        Err(_) => {
            let found = name_use.candidates.iter().find_map(|name| namespace.find(name, map).ok());
            found.map_or(own, Ok)
        }
    }
}

/// Notes that a level needs an entry, and returns its position there and the level of its rows.
fn note(
    levels: &mut Vec<Level<'_>>,
    level: usize,
    entry: usize,
    wanted: Wanted,
    shown: impl Fn() -> String,
) -> Result<(usize, Option<usize>), Fault> {
    let rows = levels[level].namespace.rows_of(entry);
    match (wanted, rows) {
        (Wanted::Value, Some(_)) => return Err(Fault::RowsAsValue { name: shown() }),
        (Wanted::Rows, None) => return Err(Fault::NoRows { name: shown() }),
        _ => {}
    }
    if let Some(position) = levels[level].wanted.iter().position(|(wanted, _)| *wanted == entry) {
        return Ok((position, levels[level].wanted[position].1));
    }
    let rows_level = rows.map(|namespace| {
        levels.push(Level { namespace, wanted: Vec::new() });
        levels.len() - 1
    });
    levels[level].wanted.push((entry, rows_level));
    Ok((levels[level].wanted.len() - 1, rows_level))
}

fn needs_of(levels: &[Level<'_>], level: usize) -> Vec<Need> {
    levels[level]
        .wanted
        .iter()
        .map(|(entry, rows)| match rows {
            None => Need::Value(*entry),
            Some(rows) => Need::Rows(*entry, needs_of(levels, *rows)),
        })
        .collect()
}
