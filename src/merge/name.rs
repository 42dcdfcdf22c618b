//! Owns names: what a caller can fill, and which of it a name in a template means. Fails on a name that nothing fits,
//! with the nearest that would.

/// The names a caller can fill. Entries are numbered by order of declaration, from 0, within their namespace.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    entries: Vec<Entry>,
    aliases: Vec<(String, usize)>,
}

#[derive(Clone, Debug)]
struct Entry {
    path: String,
    /// The whole path as it is compared.
    key: String,
    /// The last step of the path as it is compared.
    last_key: String,
    column: Option<String>,
    rows: Option<Namespace>,
}

/// What a bound template wants in its frame, position by position.
///
/// A name that stands inside rows but belongs to the enclosing level is a need of that level: rows hold only their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The value of this entry of the namespace.
    Value(usize),
    /// The rows of this entry; each row is a frame of these needs, numbered in the row's namespace. The needs may be
    /// empty: then only the number of rows counts.
    Rows(usize, Vec<Need>),
}

/// An explicit map of names in a template to names of a namespace; it is asked before all else.
#[derive(Clone, Debug, Default)]
pub struct FieldMap {
    entries: Vec<(String, String)>,
}

impl FieldMap {
    /// Returns a map without entries.
    pub fn new() -> FieldMap {
        FieldMap::default()
    }

    /// Says that `name` in the template means `target`, a path or a column. Case and punctuation of `name` do not count.
    pub fn insert(&mut self, name: &str, target: &str) {
        self.entries.push((key(name), target.to_owned()));
    }

    /// Tells whether the map says what `name` means.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&str> {
        let wanted = key(name);
        self.entries.iter().find(|(name, _)| *name == wanted).map(|(_, target)| target.as_str())
    }
}

/// Why a name means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoMatch {
    /// Nothing fits; the nearest name as it would be written, with its path.
    Unknown(Option<(String, String)>),
    /// The last step fits several paths.
    Ambiguous(Vec<String>),
}

impl Namespace {
    /// Returns a namespace without names.
    pub fn new() -> Namespace {
        Namespace::default()
    }

    /// Declares the value `path`, such as `contact.first_name`, and returns its number.
    pub fn value(&mut self, path: &str) -> usize {
        self.push(path, None, None)
    }

    /// Declares the value `path` that came from the import column `as_written`, and returns its number.
    pub fn column(&mut self, path: &str, as_written: &str) -> usize {
        self.push(path, Some(as_written.to_owned()), None)
    }

    /// Declares the child table `path` with the names of its rows, and returns its number.
    pub fn rows(&mut self, path: &str, rows: Namespace) -> usize {
        self.push(path, None, Some(rows))
    }

    /// Declares another name for an entry, asked last.
    pub fn alias(&mut self, name: &str, entry: usize) {
        self.aliases.push((key(name), entry));
    }

    /// Returns the path of an entry as it was declared.
    pub fn path(&self, entry: usize) -> Option<&str> {
        self.entries.get(entry).map(|entry| entry.path.as_str())
    }

    /// Returns the names of the rows, if the entry is a child table.
    pub fn rows_of(&self, entry: usize) -> Option<&Namespace> {
        self.entries.get(entry).and_then(|entry| entry.rows.as_ref())
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether nothing was declared.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Finds the entry that `name` means.
    ///
    /// Case, spaces and punctuation do not count. Asked in this order: the map, an import column (as written, then
    /// alike), the whole path, the last step of a path where only one fits, the aliases.
    pub(crate) fn find(&self, name: &str, map: &FieldMap) -> Result<usize, NoMatch> {
        let name = map.get(name).unwrap_or(name);
        if let Some(entry) = self.entries.iter().position(|entry| entry.column.as_deref() == Some(name)) {
            return Ok(entry);
        }
        // `company.name` as it stands is the sender's, even if a column `company_name` reads like it.
        if let Some(entry) = self.position(|entry| entry.path == name) {
            return Ok(entry);
        }
        let wanted = key(name);
        if wanted.is_empty() {
            return Err(NoMatch::Unknown(None));
        }
        if let Some(entry) =
            self.position(|entry| entry.column.as_deref().is_some_and(|it| key(it) == wanted))
        {
            return Ok(entry);
        }
        if let Some(entry) = self.position(|entry| entry.key == wanted) {
            return Ok(entry);
        }
        let by_last_step: Vec<usize> =
            (0..self.entries.len()).filter(|entry| self.entries[*entry].last_key == wanted).collect();
        match by_last_step.as_slice() {
            [entry] => return Ok(*entry),
            [] => {}
            several => {
                // An alias may decide; it is the caller's word on what a bare name means.
                if let Some((_, entry)) = self.aliases.iter().find(|(alias, _)| *alias == wanted) {
                    return Ok(*entry);
                }
                let paths = several.iter().map(|entry| self.entries[*entry].path.clone()).collect();
                return Err(NoMatch::Ambiguous(paths));
            }
        }
        if let Some((_, entry)) = self.aliases.iter().find(|(alias, _)| *alias == wanted) {
            return Ok(*entry);
        }
        if let Some(entry) = self.position(|entry| entry.column.as_deref().is_some_and(|it| is_cut(name, it)))
        {
            return Ok(entry);
        }
        Err(NoMatch::Unknown(self.nearest(name)))
    }

    fn push(&mut self, path: &str, column: Option<String>, rows: Option<Namespace>) -> usize {
        let last = path.rsplit('.').next().unwrap_or(path);
        self.entries.push(Entry { path: path.to_owned(), key: key(path), last_key: key(last), column, rows });
        self.entries.len() - 1
    }

    fn position(&self, fits: impl Fn(&Entry) -> bool) -> Option<usize> {
        self.entries.iter().position(fits)
    }

    /// Returns the name that fits, or else the nearest one, as it could be written in place of `name`, with its path.
    pub(crate) fn suggestion(&self, name: &str, map: &FieldMap) -> Option<(String, String)> {
        match self.find(name, map) {
            Ok(entry) => self.entries.get(entry).map(|entry| {
                let written = entry.column.clone().unwrap_or_else(|| written_like(name, &entry.path));
                (written, entry.path.clone())
            }),
            Err(NoMatch::Unknown(nearest)) => nearest,
            Err(NoMatch::Ambiguous(paths)) => paths.first().map(|path| (path.clone(), path.clone())),
        }
    }

    /// The nearest name to a wrong one, written in the manner of the wrong one, with its path.
    fn nearest(&self, name: &str) -> Option<(String, String)> {
        let wanted = key(name);
        let last = key(name.rsplit('.').next().unwrap_or(name));
        let mut best: Option<(usize, &Entry, bool)> = None;
        for entry in &self.entries {
            // What is right of a path may not make up for what is wrong: `contact.vip` is not near `contact.no`.
            let is_near = edit_distance(&last, &entry.last_key) <= limit(&last);
            let keys = [
                (entry.column.as_deref().map(key), false),
                (Some(entry.key.clone()).filter(|_| is_near), false),
            ]
            .into_iter()
            .chain([(Some(entry.last_key.clone()), true)]);
            for (candidate, by_last_step) in keys {
                let Some(candidate) = candidate else { continue };
                let distance = edit_distance(&wanted, &candidate);
                if distance <= limit(&wanted) && best.is_none_or(|(least, ..)| distance < least) {
                    best = Some((distance, entry, by_last_step));
                }
            }
        }
        best.map(|(_, entry, by_last_step)| {
            let written = match (&entry.column, by_last_step) {
                (Some(column), _) => column.clone(),
                (None, true) => written_like(name, entry.path.rsplit('.').next().unwrap_or(&entry.path)),
                (None, false) => written_like(name, &entry.path),
            };
            (written, entry.path.clone())
        })
    }
}

/// A name as it is compared: letters and digits in lower case.
///
/// Word turns spaces and punctuation of a column's header into `_` when it writes a field's name, so none of them counts.
pub(crate) fn key(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The longest name that Word writes into a field.
const LONGEST_NAME: usize = 40;

/// Tells whether Word makes this name of a column's header: it cuts after 40 characters, and writes `M_` before a digit.
fn is_cut(name: &str, header: &str) -> bool {
    let begins_with_digit = header.starts_with(|it: char| it.is_ascii_digit());
    let own = name.strip_prefix("M_").filter(|_| begins_with_digit).unwrap_or(name);
    let cut: String = header.chars().take(own.chars().count()).collect();
    let is_long = name.chars().count() == LONGEST_NAME;
    key(own) == key(header) || (is_long && key(own) == key(&cut))
}

/// Finds the names that stand between « and » in a text, as Word shows a merge field. A quotation in « French » marks
/// has blanks inside them or is longer.
pub(crate) fn typed_names(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('«').filter_map(|(at, mark)| {
        let rest = &text[at + mark.len()..];
        let name = &rest[..rest.find('»')?];
        let is_name = !name.is_empty()
            && name.trim() == name
            && !name.contains('«')
            && name.chars().count() <= LONGEST_NAME;
        is_name.then_some(name)
    })
}

/// Tells whether a text is written as only names are: `First_Name`, `FirstName`.
pub(crate) fn is_identifier(text: &str) -> bool {
    let is_plain = text.chars().all(|it| it.is_alphanumeric() || it == '_');
    let has_hump =
        || text.chars().zip(text.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    is_plain && (text.contains('_') || has_hump())
}

/// Writes the steps of `path` as `model` is written: `FirstName` for a Word field, else as the path has it.
fn written_like(model: &str, path: &str) -> String {
    let camel = model.chars().next().is_some_and(char::is_uppercase) && !model.contains(['_', ' ', '.']);
    if !camel {
        return path.to_owned();
    }
    let mut written = String::new();
    for word in path.split(['.', '_']) {
        let mut letters = word.chars();
        written.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        written.push_str(letters.as_str());
    }
    written
}

/// Returns the first of some names that is nearest to a wrong one, if one is near.
pub(crate) fn nearest_of<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wrong = wrong.to_lowercase();
    let near = names.map(|name| (edit_distance(&wrong, name), name));
    near.filter(|(distance, _)| *distance <= limit(&wrong))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many edits still make a likely slip: one in a short name, up to a third in a long one.
fn limit(name: &str) -> usize {
    (name.chars().count() / 3).clamp(1, 4)
}

/// The number of inserted, deleted, replaced or swapped neighboring letters between two names.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace() -> Namespace {
        let mut names = Namespace::new();
        names.value("contact.first_name");
        names.value("contact.name");
        names.value("company.name");
        names.column("contact.e_mail", "E-Mail");
        let city = names.value("contact.city");
        names.value("company.city");
        names.alias("Ort", city);
        names.alias("City", city);
        names
    }

    fn check(name: &str, expected: Result<usize, NoMatch>) {
        assert_eq!(namespace().find(name, &FieldMap::new()), expected, "{name}");
    }

    #[test]
    fn names_match_column_then_path_then_last_step_then_alias() {
        check("E-Mail", Ok(3));
        check("e_mail", Ok(3));
        check("contact.first_name", Ok(0));
        check("Contact_First_Name", Ok(0));
        check("CONTACTFIRSTNAME", Ok(0));
        check("First Name", Ok(0));
        check("Ort", Ok(4));
        check("city", Ok(4));
        check("Name", Err(NoMatch::Ambiguous(vec!["contact.name".to_owned(), "company.name".to_owned()])));
        check(
            "FristName",
            Err(NoMatch::Unknown(Some(("FirstName".to_owned(), "contact.first_name".to_owned())))),
        );
        check("Zebra", Err(NoMatch::Unknown(None)));
        check("…", Err(NoMatch::Unknown(None)));
    }

    #[test]
    fn names_that_word_cut_or_prefixed_mean_their_column() {
        let mut names = Namespace::new();
        let header = "Amount that was paid before the end of last year";
        let (amount, digits) = (names.column(header, header), names.column("2nd name", "2nd name"));
        let find = |name: &str| names.find(name, &FieldMap::new());
        assert_eq!(find(&header.replace(' ', "_")[..40]), Ok(amount));
        assert!(find("Amount_that_was").is_err());
        assert_eq!(find("M_2nd_name"), Ok(digits));
        assert!(find("M_Amount_that_was_paid_before_the_end_of_last_year").is_err());
    }

    #[test]
    fn the_map_is_asked_first() {
        let mut map = FieldMap::new();
        map.insert("Kunde", "company.name");
        assert_eq!(namespace().find("KUNDE", &map), Ok(2));
    }
}
