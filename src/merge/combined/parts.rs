//! Owns the parts of a combined document beside its main part: those of the first letter, and of each further letter what
//! differs from it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use sha2::{Digest, Sha256};

use super::super::package::{CONTENT_TYPES, Entry, Package, Relationship, relationships_name};
use super::super::xml::{Document, escape_into};
use super::ids::Renewal;
use super::reference::{self, Pages};
use super::rewrite::Rewriting;
use super::section::Slot;
use super::zip::Archive;
use super::{CombineError, parse};

/// How far parts may lead to further parts.
const DEPTH_LIMIT: usize = 8;

/// The parts, while letters come.
#[derive(Debug)]
pub(super) struct Parts<W> {
    pub(super) archive: Archive<W>,
    /// The first letter, as it came.
    first: Vec<u8>,
    main: String,
    relations: BTreeMap<String, Relations>,
    types: ContentTypes,
    /// The names of added parts, by what they hold.
    added: BTreeMap<[u8; 32], String>,
    n_added: u64,
    blanks: BTreeMap<&'static str, String>,
    /// Headers and footers of the first letter that mean another thing in each letter.
    dependent: BTreeSet<String>,
}

/// The relationships of a part of the combined document.
#[derive(Debug, Default)]
struct Relations {
    own: Vec<Relationship>,
    /// By type and target: the id.
    added: BTreeMap<(String, String), String>,
    xml: String,
}

/// What the letter at hand is for its parts.
#[derive(Debug)]
pub(super) struct Letter<'l> {
    pub(super) package: &'l Package<'l>,
    pub(super) pages: &'l Pages,
}

impl<W: Write> Parts<W> {
    pub(super) fn new(archive: Archive<W>, first: &[u8], main: &str) -> Result<Parts<W>, CombineError> {
        let package = Package::open_own(first)?;
        Ok(Parts {
            archive,
            types: ContentTypes::read(&package)?,
            first: first.to_owned(),
            main: main.to_owned(),
            relations: BTreeMap::new(),
            added: BTreeMap::new(),
            n_added: 0,
            blanks: BTreeMap::new(),
            dependent: BTreeSet::new(),
        })
    }

    /// Writes the parts of the first letter, but for those that are `held` back.
    pub(super) fn begin(
        &mut self,
        held: &BTreeSet<String>,
        stories: &[String],
        letter: &Letter<'_>,
        renewal: &mut Renewal<'_>,
    ) -> Result<(), CombineError> {
        for story in stories {
            let document = document(letter.package, story)?;
            if reference::depends_on_letter(&document, renewal, letter.pages) {
                self.dependent.insert(story.clone());
            }
        }
        let names = || letter.package.entries().iter();
        // A file that begins so is known as a Word document; the content types are known only at the end.
        let first = names().filter(|entry| entry.name == "_rels/.rels");
        let others = names().filter(|entry| entry.name != "_rels/.rels");
        for entry in first.chain(others) {
            let is_held = held.iter().any(|name| name.eq_ignore_ascii_case(&entry.name));
            if is_held || entry.name == CONTENT_TYPES {
                continue;
            }
            if stories.contains(&entry.name) {
                let document = document(letter.package, &entry.name)?;
                let text = rewritten(&document, renewal, letter.pages);
                if text != document.source() {
                    self.archive.add(&entry.name, text.as_bytes())?;
                    continue;
                }
            }
            self.archive.copy(entry, letter.package.packed(entry))?;
        }
        Ok(())
    }

    /// Notes that a shared header or footer means another thing in each letter.
    pub(super) fn note_dependent(&mut self, story: &str) {
        self.dependent.insert(story.to_owned());
    }

    /// Relates a part to what the letter's part of that name is related to, as far as it is `wanted`; returns the ids that
    /// are others now.
    pub(super) fn relate(
        &mut self,
        part: &str,
        wanted: &BTreeSet<String>,
        letter: &Letter<'_>,
        renewal: &mut Renewal<'_>,
    ) -> Result<BTreeMap<String, String>, CombineError> {
        let mut changed = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(changed);
        }
        self.open_relations(part)?;
        for relationship in letter.package.relationships(part)? {
            if !wanted.contains(&relationship.id) {
                continue;
            }
            let own =
                self.relations.get(part).and_then(|it| it.own.iter().find(|own| own.id == relationship.id));
            let is_own = own.is_some_and(|own| {
                own.uri == relationship.uri
                    && own.target == relationship.target
                    && own.is_external == relationship.is_external
            });
            let target = if relationship.is_external || relationship.target.is_empty() {
                if is_own {
                    continue;
                }
                relationship.target.clone()
            } else {
                let target = self.target(&relationship, letter, renewal, 0)?;
                if is_own && target == relationship.target {
                    continue;
                }
                relative(part, &target)
            };
            let id = self.add_relationship(part, &relationship.uri, &target, relationship.is_external);
            changed.insert(relationship.id, id);
        }
        Ok(changed)
    }

    /// Returns the relationship of the main part to a header or footer without text.
    pub(super) fn blank(&mut self, slot: &Slot, w: &str) -> Result<String, CombineError> {
        let (kind, root) = match slot.0 {
            "headerReference" => ("header", "hdr"),
            _ => ("footer", "ftr"),
        };
        if let Some(id) = self.blanks.get(kind) {
            return Ok(id.clone());
        }
        let main = self.main.clone();
        self.open_relations(&main)?;
        let relations = self.relations.entry(main.clone()).or_default();
        let is_strict = relations.own.iter().any(|it| it.uri.starts_with("http://purl.oclc.org/"));
        let (uri, namespace) = match is_strict {
            true => (
                "http://purl.oclc.org/ooxml/officeDocument/relationships/",
                "http://purl.oclc.org/ooxml/wordprocessingml/main",
            ),
            false => (
                "http://schemas.openxmlformats.org/officeDocument/2006/relationships/",
                "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
            ),
        };
        let prefix = w.trim_end_matches(':');
        let declared = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
        // A header takes a line even if nothing stands in it; this one takes as little as can be.
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<{w}{root} {declared}=\"{namespace}\"><{w}p><{w}pPr>\
             <{w}spacing {w}before=\"0\" {w}after=\"0\" {w}line=\"20\" {w}lineRule=\"exact\"/></{w}pPr></{w}p></{w}{root}>"
        );
        let folder = main.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let name = self.free_name(&format!("{folder}{kind}.xml"))?;
        self.archive.add(&name, xml.as_bytes())?;
        let wml = "application/vnd.openxmlformats-officedocument.wordprocessingml";
        self.types.add(&name, &format!("{wml}.{kind}+xml"));
        let id = self.add_relationship(&main, &format!("{uri}{kind}"), &relative(&main, &name), false);
        self.blanks.insert(kind, id.clone());
        Ok(id)
    }

    /// Writes what was held back and ends the archive. Parts that have grown were written by then.
    pub(super) fn finish(mut self) -> Result<W, CombineError> {
        let first = std::mem::take(&mut self.first);
        let package = Package::open_own(&first)?;
        for (part, relations) in &self.relations {
            let name = relationships_name(part);
            let text = match package.read(&name)? {
                Some(content) => before_end(&parse(&name, content)?, &relations.xml),
                None if relations.xml.is_empty() => continue,
                None => format!(
                    "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{}</Relationships>",
                    relations.xml
                ),
            };
            self.archive.add(&name, text.as_bytes())?;
        }
        let text = before_end(&self.types.document, &self.types.xml);
        self.archive.add(CONTENT_TYPES, text.as_bytes())?;
        self.archive.finish()
    }

    /// Begins the relationships of a part whose text grows; they are written at the end.
    pub(super) fn open_relations(&mut self, part: &str) -> Result<(), CombineError> {
        if !self.relations.contains_key(part) {
            let own = Package::open_own(&self.first)?.relationships(part)?;
            self.relations.insert(part.to_owned(), Relations { own, ..Relations::default() });
        }
        Ok(())
    }

    fn add_relationship(&mut self, part: &str, uri: &str, target: &str, is_external: bool) -> String {
        let relations = self.relations.entry(part.to_owned()).or_default();
        let key = (uri.to_owned(), target.to_owned());
        if let Some(id) = relations.added.get(&key) {
            return id.clone();
        }
        let id = (relations.added.len() + 1..)
            .map(|number| format!("rIdR{number}"))
            .find(|id| relations.own.iter().all(|own| own.id != *id))
            .unwrap_or_default();
        relations.xml += &relationship_element(&id, uri, target, is_external);
        relations.added.insert(key, id.clone());
        id
    }

    /// Returns the part of the combined document that is what the letter's relationship leads to.
    fn target(
        &mut self,
        relationship: &Relationship,
        letter: &Letter<'_>,
        renewal: &mut Renewal<'_>,
        depth: usize,
    ) -> Result<String, CombineError> {
        let Some(entry) = letter.package.entry(&relationship.target) else {
            return Ok(relationship.target.clone());
        };
        let is_first = renewal.letter == 1 || depth > DEPTH_LIMIT;
        if is_first || self.is_shared(&Package::open_own(&self.first)?, letter.package, entry, depth)? {
            return Ok(relationship.target.clone());
        }
        let mut relationships = String::new();
        for inner in letter.package.relationships(&entry.name)? {
            let target = match inner.is_external || inner.target.is_empty() {
                true => inner.target.clone(),
                false => format!("/{}", self.target(&inner, letter, renewal, depth + 1)?),
            };
            relationships += &relationship_element(&inner.id, &inner.uri, &target, inner.is_external);
        }
        let content = letter.package.read(&entry.name)?.unwrap_or_default();
        let mut digest = Sha256::new_with_prefix(&content);
        digest.update(&relationships);
        if self.dependent.contains(&entry.name) {
            digest.update(renewal.letter.to_le_bytes());
        }
        let digest: [u8; 32] = digest.finalize().into();
        if let Some(name) = self.added.get(&digest) {
            return Ok(name.clone());
        }
        let name = self.free_name(&entry.name)?;
        if matches!(relationship.kind.as_str(), "header" | "footer") {
            let document = parse(&entry.name, content)?;
            renewal.note_names(&document);
            self.archive.add(&name, rewritten(&document, renewal, letter.pages).as_bytes())?;
        } else {
            let renamed = Entry { name: name.clone(), ..entry.clone() };
            self.archive.copy(&renamed, letter.package.packed(entry))?;
        }
        if !relationships.is_empty() {
            let text = format!(
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{relationships}</Relationships>"
            );
            self.archive.add(&relationships_name(&name), text.as_bytes())?;
        }
        if let Some(content_type) = ContentTypes::read(letter.package)?.of(&entry.name) {
            self.types.add(&name, &content_type);
        }
        self.added.insert(digest, name.clone());
        Ok(name)
    }

    /// Tells whether the first letter has the same part, with the same parts behind it.
    fn is_shared(
        &self,
        first: &Package<'_>,
        other: &Package<'_>,
        entry: &Entry,
        depth: usize,
    ) -> Result<bool, CombineError> {
        let relationships = relationships_name(&entry.name);
        if self.dependent.contains(&entry.name)
            || !is_same(first, other, &entry.name)
            || !is_same(first, other, &relationships)
        {
            return Ok(false);
        }
        if depth < DEPTH_LIMIT && other.entry(&relationships).is_some() {
            for inner in other.relationships(&entry.name)? {
                if let Some(entry) = other.entry(&inner.target).filter(|_| !inner.is_external)
                    && !self.is_shared(first, other, entry, depth + 1)?
                {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Returns a name like another that no part has.
    fn free_name(&mut self, like: &str) -> Result<String, CombineError> {
        let first = Package::open_own(&self.first)?;
        let (stem, end) = like.rsplit_once('.').unwrap_or((like, ""));
        loop {
            self.n_added += 1;
            let name = format!("{stem}_r{}.{end}", self.n_added);
            if first.entry(&name).is_none() {
                return Ok(name);
            }
        }
    }
}

/// Tells whether two packages have the same part, or both lack it.
pub(super) fn is_same(first: &Package<'_>, other: &Package<'_>, name: &str) -> bool {
    match (first.entry(name), other.entry(name)) {
        (None, None) => true,
        (Some(one), Some(two)) => {
            // The same template packs what does not change in the same way.
            one.crc == two.crc && one.size == two.size
        }
        _ => false,
    }
}

fn rewritten(document: &Document, renewal: &mut Renewal<'_>, pages: &Pages) -> String {
    let relationships = BTreeMap::new();
    let mut rewriting =
        Rewriting { renewal, relationships: &relationships, lists: None, pages, shape_types: None };
    let edits = rewriting.edits(document, 0..document.tokens().len());
    reference::apply(document.source(), &edits)
}

/// Reads a part that exists.
pub(super) fn document(package: &Package<'_>, part: &str) -> Result<Document, CombineError> {
    parse(part, package.read(part)?.unwrap_or_default())
}

fn relationship_element(id: &str, uri: &str, target: &str, is_external: bool) -> String {
    let mut escaped = Vec::new();
    escape_into(target, &mut escaped);
    let target = String::from_utf8_lossy(&escaped);
    let mode = if is_external { " TargetMode=\"External\"" } else { "" };
    format!("<Relationship Id=\"{id}\" Type=\"{uri}\" Target=\"{target}\"{mode}/>")
}

/// A target as Word writes it: from the folder of the part, where it is below it.
fn relative(part: &str, target: &str) -> String {
    let folder = part.rsplit_once('/').map_or("", |(folder, _)| folder);
    match target.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => rest.to_owned(),
        None => format!("/{target}"),
    }
}

/// The text of a part with elements more at the end of its root, which have the namespace of the root without prefix.
fn before_end(document: &Document, elements: &str) -> String {
    let source = document.source();
    if elements.is_empty() {
        return source.to_owned();
    }
    let root = document.tokens().iter().position(|token| token.is_start()).unwrap_or(0);
    let prefix = document.prefix(root);
    let elements = match prefix.is_empty() {
        true => elements.to_owned(),
        false => elements
            .replace("<Relationship ", &format!("<{prefix}Relationship "))
            .replace("<Override ", &format!("<{prefix}Override ")),
    };
    let end = document.end(root);
    let span = document.tokens()[end].span.clone();
    if end == root {
        let open = document.slice(span.clone()).trim_end_matches("/>");
        return format!("{}{open}>{elements}</{}>", document.slice(0..span.start), document.name(root));
    }
    format!("{}{elements}{}", document.slice(0..span.start), document.slice(span.start..source.len()))
}

/// The content types of the combined document.
#[derive(Debug)]
struct ContentTypes {
    document: Document,
    xml: String,
}

impl ContentTypes {
    fn read(package: &Package<'_>) -> Result<ContentTypes, CombineError> {
        Ok(ContentTypes { document: document(package, CONTENT_TYPES)?, xml: String::new() })
    }

    fn of(&self, part: &str) -> Option<String> {
        let document = &self.document;
        let find = |element: &str, key: &str, is_it: &dyn Fn(&str) -> bool| {
            (0..document.tokens().len())
                .filter(|at| document.tokens()[*at].is_start() && document.local(*at) == element)
                .find(|at| document.attribute(*at, key).is_some_and(|value| is_it(&value)))
                .and_then(|at| document.attribute(at, "ContentType"))
        };
        let extension = part.rsplit('.').next().unwrap_or_default();
        find("Override", "PartName", &|name| name.trim_start_matches('/').eq_ignore_ascii_case(part))
            .or_else(|| find("Default", "Extension", &|it| it.eq_ignore_ascii_case(extension)))
    }

    fn add(&mut self, part: &str, content_type: &str) {
        if self.of(part).as_deref() != Some(content_type) {
            let mut name = Vec::new();
            escape_into(part, &mut name);
            let name = String::from_utf8_lossy(&name);
            self.xml += &format!("<Override PartName=\"/{name}\" ContentType=\"{content_type}\"/>");
        }
    }
}
