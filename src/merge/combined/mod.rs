//! Owns the combined document: many letters of one template, one after the other, in one .docx.
//!
//! Each letter stays as it is alone: its sections with their headers and footers, its page numbers from 1, its lists,
//! footnotes and comments, its bookmarks and the references to them. Letters pass through; what is kept of them is the
//! text of the last one, and of the others what must stand elsewhere in the archive (notes, numberings, relationships).

mod ids;
mod lists;
mod notes;
mod parts;
mod reference;
mod rewrite;
mod section;
mod zip;

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Seek, Write};

use self::ids::{Ids, Renewal};
use self::lists::{LetterLists, Numbering, children};
use self::notes::Notes;
use self::parts::{Letter, Parts};
use self::reference::Pages;
use self::rewrite::{Body, Ending, Rewriting};
use self::section::{Change, NoteSettings, Slot};
use self::zip::{Archive, Growing};
use super::archive::TooLarge;
use super::package::{Package, PackageError, main_part, relationships_name};
use super::xml::{Document, Element, XmlError};

/// How letters are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// What stands between two letters.
    pub joint: Joint,
    /// What a letter's NUMPAGES counts.
    pub page_count: PageCount,
    /// Whether one can find where a letter begins.
    pub marks: Marks,
}

/// What stands between two letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joint {
    /// Each letter begins on a new page, in a section of its own.
    #[default]
    NewPage,
    /// Letters follow each other without a break, as the records of a directory do (Word's `catalog`); lists and notes
    /// count on, and the page is that of the first letter.
    FollowOn,
}

/// What a letter's NUMPAGES counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageCount {
    /// The pages of the letter: NUMPAGES becomes SECTIONPAGES where the letter is one section, else the number of its last
    /// page by reference (PAGEREF).
    #[default]
    Letter,
    /// The pages of the letter, by reference in all letters; for programs that do not know SECTIONPAGES, as LibreOffice.
    /// The reference is to the start of the letter's last paragraph, and right where that does not go over a page.
    LetterByReference,
    /// The pages of all letters: the field stays.
    Document,
}

/// Whether one can find where a letter begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marks {
    /// Only by reading.
    #[default]
    None,
    /// A [bookmark](letter_bookmark) stands at the start of each letter.
    Bookmarks,
}

/// Returns the name of the bookmark at the start of the letter of this number, from 1.
pub fn letter_bookmark(letter: u64) -> String {
    format!("letter_{letter:06}")
}

/// Why letters cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum CombineError {
    /// The combined document cannot be written.
    #[error("combined document cannot be written")]
    Write(#[from] io::Error),
    /// A letter is no Word document.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A part of a letter is no XML.
    #[error("part `{part}` of a letter cannot be read: {source}")]
    Part {
        /// The part's name.
        part: String,
        /// What is wrong with it.
        source: XmlError,
    },
    /// A letter is not of the first one's template.
    #[error("letter {letter} is of another template than the first: its part `{part}` differs")]
    OtherTemplate {
        /// The letter's number, from 1.
        letter: u64,
        /// The part that all letters share.
        part: String,
    },
    /// The document would not fit the format: a part larger than 4 GiB, or more than 65,535 parts.
    #[error("combined document is too large: a part of more than 4 GiB, or more than 65,535 parts")]
    TooLarge,
    /// There is nothing to write.
    #[error("there is no letter to combine")]
    NoLetter,
}

impl From<TooLarge> for CombineError {
    fn from(_: TooLarge) -> CombineError {
        CombineError::TooLarge
    }
}

/// Joins letters of one template into one document, as they come.
///
/// ```
/// use std::io::Cursor;
/// use mailrun::merge::{Combined, Manner, Template, Value, Values};
///
/// let template = Template::compile(&std::fs::read("templates/init/letter.docx")?)?;
/// let mut combined = Combined::new(Vec::new(), Cursor::new(Vec::new()), Manner::default());
/// for name in ["Ada", "Grace"] {
///     let mut values = Values::new();
///     for field in template.fields() {
///         values.set(&field.name, Value::text(name));
///     }
///     combined.add(&template.render(&values)?.bytes)?;
/// }
/// let document = combined.finish()?;
/// assert!(document.starts_with(b"PK"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Combined<W, S: Write> {
    /// Where the document goes, until the first letter comes.
    begin: Option<(W, S)>,
    manner: Manner,
    volume: Option<Volume<W, S>>,
}

/// The combined document from its first letter on.
#[derive(Debug)]
struct Volume<W, S: Write> {
    parts: Parts<W>,
    main: String,
    text: Growing<S>,
    /// The main part before the body's content, and behind it.
    head: String,
    tail: String,
    w: String,
    ids: Ids,
    numbering: Option<NumberingPart>,
    lists: Numbering,
    notes: Notes,
    note_settings: NoteSettings,
    settings: Option<(String, Document)>,
    has_endnotes: bool,
    shape_types: BTreeSet<String>,
    /// The headers and footers that a section can inherit.
    seen: BTreeSet<Slot>,
    /// Parts that are the same in all letters of a template.
    fixed: Vec<(String, u32)>,
    stories: Vec<(String, Document)>,
    last: Option<Last>,
    n_letters: u64,
}

/// The numbering part, which grows.
#[derive(Debug)]
struct NumberingPart {
    part: String,
    text: Growing<Cursor<Vec<u8>>>,
    tail: String,
}

/// The last letter that came.
#[derive(Debug)]
struct Last {
    body: Body,
    section: String,
    /// What stands before and behind the content of its last paragraph.
    marks: (String, String),
}

impl<W: Write, S: Read + Write + Seek> Combined<W, S> {
    /// Begins a document that is written to `into`. `spool` is empty and takes the packed text of the letters until it can
    /// be written: a temporary file, or memory.
    pub fn new(into: W, spool: S, manner: Manner) -> Combined<W, S> {
        Combined { begin: Some((into, spool)), manner, volume: None }
    }

    /// Adds a letter, as [`BoundTemplate::letter`](super::BoundTemplate::letter) wrote it.
    ///
    /// # Errors
    ///
    /// [`CombineError::OtherTemplate`] for a letter that is not of the first one's template, and whatever hinders reading
    /// the letter or writing the document. The document is lost then.
    pub fn add(&mut self, letter: &[u8]) -> Result<(), CombineError> {
        let package = Package::open_own(letter)?;
        if let Some((into, spool)) = self.begin.take() {
            self.volume = Some(Volume::begin(into, spool, letter, &package, self.manner)?);
        }
        match &mut self.volume {
            Some(volume) => volume.add(&package, self.manner),
            None => Err(CombineError::NoLetter),
        }
    }

    /// Writes the end of the document and returns where it went.
    ///
    /// # Errors
    ///
    /// [`CombineError::NoLetter`] if there was none; whatever hinders writing.
    pub fn finish(self) -> Result<W, CombineError> {
        self.volume.ok_or(CombineError::NoLetter)?.finish(self.manner)
    }
}

impl<W: Write, S: Read + Write + Seek> Volume<W, S> {
    fn begin(
        into: W,
        spool: S,
        letter: &[u8],
        package: &Package<'_>,
        manner: Manner,
    ) -> Result<Volume<W, S>, CombineError> {
        let main = main_part(package)?;
        let document = parts::document(package, &main)?;
        let body = body_of(&document, &main, 1)?;
        let start = document.tokens()[body].span.end;
        let end = document.tokens()[content_end(&document, body)].span.start;
        let rest = document.tokens()[document.end(body)].span.start;
        let relationships = package.relationships(&main)?;
        let target = |kind: &str| {
            let found = relationships.iter().find(|it| it.kind == kind && !it.is_external);
            found.and_then(|it| package.entry(&it.target)).map(|entry| entry.name.clone())
        };
        let mut ids = Ids::default();
        ids.note(&document);
        let mut stories = Vec::new();
        for it in relationships.iter().filter(|it| matches!(it.kind.as_str(), "header" | "footer")) {
            if let Some(entry) = package.entry(&it.target)
                && stories.iter().all(|(name, _)| *name != entry.name)
            {
                stories.push((entry.name.clone(), parts::document(package, &entry.name)?));
            }
        }
        let notes = Notes::begin(package, target, &mut ids)?;
        let mut held = BTreeSet::from([main.clone(), relationships_name(&main)]);
        held.extend(notes.held());
        stories.iter().for_each(|(_, story)| ids.note(story));
        let styles = target("styles").map(|part| parts::document(package, &part)).transpose()?;
        let mut numbering = None;
        let mut lists = Numbering::default();
        let mut fixed: Vec<String> = target("styles").into_iter().collect();
        if let Some(part) = target("numbering") {
            let document = parts::document(package, &part)?;
            lists = Numbering::read(Some(&document), styles.as_ref());
            let place = lists::place_of_nums(&document);
            let mut text = Growing::new(Cursor::new(Vec::new()));
            text.write(document.slice(0..place))?;
            held.insert(part.clone());
            fixed.push(part.clone());
            let tail = document.slice(place..document.source().len()).to_owned();
            numbering = Some(NumberingPart { part, text, tail });
        }
        let settings = match target("settings") {
            Some(part) => {
                held.insert(part.clone());
                let document = parts::document(package, &part)?;
                Some((part, document))
            }
            None => None,
        };
        let note_settings = settings.as_ref().map(|(_, it)| NoteSettings::read(it)).unwrap_or_default();
        let mut volume = Volume {
            parts: Parts::new(Archive::new(into), letter, &main)?,
            text: Growing::new(spool),
            head: document.slice(0..start).to_owned(),
            tail: document.slice(rest..document.source().len()).to_owned(),
            w: document.prefix(body).to_owned(),
            main,
            ids,
            numbering,
            lists,
            notes,
            note_settings,
            settings,
            has_endnotes: false,
            shape_types: BTreeSet::new(),
            seen: BTreeSet::new(),
            fixed: fixed
                .into_iter()
                .map(|part| (part.clone(), package.entry(&part).map_or(0, |entry| entry.crc)))
                .collect(),
            stories,
            last: None,
            n_letters: 0,
        };
        if manner.joint == Joint::FollowOn {
            // The page is that of the first letter: its last section ends the document.
            let section = document.slice(end..rest).to_owned();
            volume.tail = section + &volume.tail;
        }
        volume.text.write(&volume.head)?;
        let pages = volume.pages(&document, body, 1, manner);
        let names: Vec<String> = volume.stories.iter().map(|(name, _)| name.clone()).collect();
        let mut renewal = Renewal::new(&mut volume.ids, 1);
        let letter = Letter { package, pages: &pages };
        volume.parts.begin(&held, &names, &letter, &mut renewal)?;
        let main = volume.main.clone();
        volume.parts.open_relations(&main)?;
        volume.notes.open_relations(&mut volume.parts)?;
        Ok(volume)
    }

    fn add(&mut self, package: &Package<'_>, manner: Manner) -> Result<(), CombineError> {
        let number = self.n_letters + 1;
        let document = parts::document(package, &self.main)?;
        let body = body_of(&document, &self.main, number)?;
        let other = |part: &str| CombineError::OtherTemplate { letter: number, part: part.to_owned() };
        if document.slice(0..document.tokens()[body].span.end) != self.head {
            return Err(other(&self.main));
        }
        for (part, crc) in &self.fixed {
            if package.entry(part).is_none_or(|entry| entry.crc != *crc) {
                return Err(other(part));
            }
        }
        let pages = self.pages(&document, body, number, manner);
        let letter = Letter { package, pages: &pages };
        let restarts = number > 1 && manner.joint == Joint::NewPage;

        let mut renewal = Renewal::new(&mut self.ids, number);
        renewal.note_names(&document);
        for (name, story) in &self.stories {
            if reference::depends_on_letter(story, &renewal, &pages) {
                self.parts.note_dependent(name);
            }
        }
        let mut wanted = rewrite::references(&document);
        if manner.joint == Joint::FollowOn {
            // Headers and footers belong to the page, which is the first letter's.
            for it in package.relationships(&self.main)? {
                if matches!(it.kind.as_str(), "header" | "footer") {
                    wanted.remove(&it.id);
                }
            }
        }
        let relationships = self.parts.relate(&self.main, &wanted, &letter, &mut renewal)?;

        let mut lists = restarts.then(|| LetterLists::new(&mut self.lists));
        let end = content_end(&document, body);
        let mut rewriting = Rewriting {
            renewal: &mut renewal,
            relationships: &relationships,
            lists: lists.as_mut(),
            pages: &pages,
            shape_types: Some(&mut self.shape_types),
        };
        let mut edits = rewriting.edits(&document, body + 1..end);

        let count = |element: &str| {
            document
                .tokens()
                .iter()
                .enumerate()
                .any(|(at, it)| it.is_start() && document.local(at) == element)
        };
        let (has_footnotes, has_endnotes) = (count("footnoteReference"), count("endnoteReference"));
        self.has_endnotes |= has_endnotes;
        let sections = sections_of(&document, body);
        let mut last_section = format!("<{}sectPr/>", self.w);
        for (index, section) in sections.iter().enumerate() {
            let own = section::slots(&document, *section);
            let begins_letter = index == 0 && restarts;
            let mut blanks = Vec::new();
            if begins_letter {
                for slot in self.seen.difference(&own) {
                    blanks.push((slot.clone(), self.parts.blank(slot, &self.w)?));
                }
            }
            self.seen.extend(own);
            let change = Change {
                relationships: &relationships,
                begins_letter,
                goes_on: index + 1 < sections.len() && manner.joint == Joint::NewPage,
                blanks,
                notes: &self.note_settings,
                has_footnotes,
                has_endnotes,
            };
            let changed = section::changed(&document, *section, &change);
            if *section >= end {
                last_section = changed;
            } else {
                edits.push((document.subtree(*section), changed));
            }
        }
        if let (Some(lists), Some(numbering)) = (lists, &mut self.numbering) {
            numbering.text.write(&lists.added)?;
        }
        let has_final_section = sections.last().is_some_and(|section| *section >= end);
        if !has_final_section && restarts {
            last_section = bare_section(&self.w);
        }

        let start = match manner.marks {
            Marks::Bookmarks => rewrite::bookmark(&self.w, &letter_bookmark(number), &mut renewal),
            Marks::None => Default::default(),
        };
        let body = Body::new(&document, (body, body + 1..end), edits, start);
        let marks = match &pages {
            Pages::OfBookmark(name) => {
                let (start, end) = rewrite::bookmark(&self.w, name, &mut renewal);
                match manner.page_count {
                    PageCount::LetterByReference if body.is_one_paragraph() => (start, end),
                    // LibreOffice forgets a bookmark that stands at the very end of a document and holds nothing.
                    PageCount::LetterByReference if body.ending == Ending::Nothing => {
                        (start + &rewrite::blank(&self.w), end)
                    }
                    PageCount::LetterByReference => (start + &end, String::new()),
                    PageCount::Letter | PageCount::Document => (String::new(), start + &end),
                }
            }
            Pages::AsWritten | Pages::OfSection => Default::default(),
        };
        if number > 1 {
            self.notes.add(&mut self.parts, &letter, &mut renewal)?;
        }
        self.write_last(manner)?;
        self.last = Some(Last { body, section: last_section, marks });
        self.n_letters = number;
        Ok(())
    }

    fn pages(&self, document: &Document, body: usize, letter: u64, manner: Manner) -> Pages {
        let n_sections = sections_of(document, body).len().max(1);
        let counts = |document: &Document| document.source().contains("NUMPAGES");
        let any = counts(document) || self.stories.iter().any(|(_, story)| counts(story));
        match manner.page_count {
            _ if !any || manner.joint == Joint::FollowOn => Pages::AsWritten,
            PageCount::Document => Pages::AsWritten,
            PageCount::Letter if n_sections == 1 => Pages::OfSection,
            PageCount::Letter | PageCount::LetterByReference => {
                Pages::OfBookmark(format!("{}_end", letter_bookmark(letter)))
            }
        }
    }

    /// Writes the letter before the one at hand: it is not the last one.
    fn write_last(&mut self, manner: Manner) -> Result<(), CombineError> {
        let Some(Last { body, section, marks }) = self.last.take() else { return Ok(()) };
        let section = (manner.joint == Joint::NewPage).then_some(section.as_str());
        self.text.write(&body.text(&self.w, section, (&marks.0, &marks.1)))
    }

    fn finish(mut self, manner: Manner) -> Result<W, CombineError> {
        if let Some(Last { body, section, marks }) = self.last.take() {
            self.text.write(&body.text(&self.w, None, (&marks.0, &marks.1)))?;
            if manner.joint == Joint::NewPage {
                self.text.write(&section)?;
            }
        }
        self.text.write(&self.tail)?;
        let archive = &mut self.parts.archive;
        archive.grown(&self.main, self.text)?;
        if let Some(NumberingPart { part, mut text, tail }) = self.numbering {
            text.write(&tail)?;
            archive.grown(&part, text)?;
        }
        self.notes.finish(archive)?;
        if let Some((part, document)) = self.settings {
            let is_moved = self.has_endnotes && manner.joint == Joint::NewPage;
            let text = if is_moved {
                section::with_endnotes_per_section(&document)
            } else {
                document.source().to_owned()
            };
            archive.add(&part, text.as_bytes())?;
        }
        self.parts.finish()
    }
}

/// A section that says nothing but that it is a letter's.
fn bare_section(w: &str) -> String {
    format!("<{w}sectPr><{w}pgNumType {w}start=\"1\"/></{w}sectPr>")
}

fn body_of(document: &Document, part: &str, letter: u64) -> Result<usize, CombineError> {
    let is_body = |at: &usize| {
        let token = &document.tokens()[*at];
        token.element == Element::Body && document.end(*at) > *at
    };
    (0..document.tokens().len())
        .find(is_body)
        .ok_or_else(|| CombineError::OtherTemplate { letter, part: part.to_owned() })
}

/// The token behind the body's content: the properties of the last section, or the body's end.
fn content_end(document: &Document, body: usize) -> usize {
    let section = children(document, body).last();
    section
        .filter(|at| document.tokens()[*at].element == Element::SectionProperties)
        .unwrap_or_else(|| document.end(body))
}

/// The properties of a body's sections, in order.
fn sections_of(document: &Document, body: usize) -> Vec<usize> {
    let mut sections = Vec::new();
    let mut at = body + 1;
    while at < document.end(body) {
        let token = &document.tokens()[at];
        if token.is_start() && token.element == Element::SectionProperties {
            sections.push(at);
            // A tracked change of a section holds another one.
            at = document.end(at);
        }
        at += 1;
    }
    sections
}

fn parse(part: &str, content: Vec<u8>) -> Result<Document, CombineError> {
    Document::parse(content).map_err(|source| CombineError::Part { part: part.to_owned(), source })
}
