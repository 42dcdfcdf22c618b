//! Owns the template: a Word document understood once, bound to names, and merged into letters.

mod values;
mod content_types;
mod patch;
mod document;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::civil::DateTime;

use super::archive::{Archive, Buffer, TooLarge};
use super::combined::Joint;
use super::compile::Findings;
use super::customs::Customs;
use super::evaluate::{Circumstances, Frames};
use super::name::{self, FieldMap, Namespace, Need};
use super::odd_value::Told;
use super::package::PackageError;
use super::picture::{Picture, Pictures};
use super::problem::{Fault, Problem};
use super::program::{Nowhere, Program, Sink};
use super::related::PictureUse;
use super::scope::{Binding, Slot};
use super::value::Frame;
use super::xml::XmlError;

pub use values::Values;

/// A Word document, understood. Immutable; share it between threads.
#[derive(Clone, Debug)]
pub struct Template {
    understood: Arc<Understood>,
}

/// A template whose names are resolved; cheap to clone.
#[derive(Clone, Debug)]
pub struct BoundTemplate {
    understood: Arc<Understood>,
    needs: Arc<[Need]>,
    slots: Arc<[Slot]>,
    pictures: Pictures,
}

struct Understood {
    findings: Findings,
    comment_place: Option<CommentPlace>,
    archive: Archive,
    customs: Customs,
    /// Whether a letter may take more than one record (NEXT, NEXTIF).
    takes_several: bool,
    joint: Joint,
    /// Whether a letter shows pictures or leads to addresses of its own.
    is_related: bool,
}

impl fmt::Debug for Understood {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes of a whole document would hide everything else.
        formatter
            .debug_struct("Template")
            .field("fields", &self.findings.fields)
            .field("problems", &self.findings.problems)
            .field("comment_place", &self.comment_place)
            .finish_non_exhaustive()
    }
}

/// How a personal comment gets into a document that has no field or tag for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommentAs {
    /// As text, at the bookmark or in the content control named `comment`.
    #[default]
    Text,
    /// As a Word comment by the salesperson.
    Annotation,
}

/// What becomes of a document with macros, which a .docx cannot hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Macros {
    Refuse,
    Drop,
}

/// Where a personal comment stands in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommentPlace {
    /// In a field or tag named `comment`.
    Field,
    /// At a bookmark named `comment`.
    Bookmark,
    /// In a content control named `comment`.
    ContentControl,
    /// As a Word comment.
    Annotation,
}

/// A field or tag of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldUse {
    /// The name it shows or tests; empty for fields without one.
    pub name: String,
    /// The field's keyword in upper case, or `tag`.
    pub kind: String,
    /// The field's code or the tag as it stands in the document.
    pub code: String,
    /// The part's name in the package: `word/document.xml`.
    pub part: String,
    /// The paragraph's number in its part, from 1.
    pub paragraph: usize,
}

/// The circumstances of a letter that are not values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The clock of the run.
    pub now: DateTime,
    /// The language and country whose customs hold, such as `de-CH`.
    pub locale: String,
    /// The number of the record in the data, from 1.
    pub record: u64,
    /// The number of the letter among those that are made, from 1.
    pub sequence: u64,
}

/// What became of the records that a letter was to be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// How many records the letter took, from the first; at least one. NEXT and NEXTIF take more than one.
    pub n_records: usize,
    /// Whether SKIPIF left the letter out; then nothing was written.
    pub is_skipped: bool,
}

/// What a letter asks for beside its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What becomes of the records.
    pub merged: Merged,
    /// The pictures that it shows and was not given, each once.
    pub pictures: Vec<PictureUse>,
    /// The addresses that it would lead to and that no letter may lead to: `javascript:` and the like.
    pub refused_links: Vec<String>,
    /// A value that is too long for its barcode.
    pub too_long: Option<String>,
}

/// A merged document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The .docx.
    pub bytes: Vec<u8>,
}

/// Why a file is no usable template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file is no Word document, or a harmful one.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A part is no XML that can be read.
    #[error("part `{part}` cannot be read: {source}")]
    Part {
        /// The part's name.
        part: String,
        /// What is wrong with it.
        source: XmlError,
    },
}

/// Why a letter could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The template's SKIPIF leaves this record out.
    #[error("record is left out by the template's SKIPIF")]
    Skipped,
    /// The letter or a part of it would be larger than a zip archive can hold.
    #[error("letter is larger than 4 GiB")]
    TooLarge,
    /// A picture is not there.
    #[error("there is no picture `{name}`")]
    NoPicture {
        /// The name that the values give it.
        name: String,
    },
    /// An address that no letter may lead to.
    #[error("no letter may lead to `{address}`")]
    Link {
        /// The address.
        address: String,
    },
    /// A value that is too long for its barcode.
    #[error("value of {n_bytes} bytes is too long for a QR code")]
    Barcode {
        /// Its length.
        n_bytes: usize,
    },
    /// The template has faults, or names that nothing was given for.
    #[error("template cannot be merged: {}", .problems.first().map(ToString::to_string).unwrap_or_default())]
    Unusable {
        /// All of them.
        problems: Vec<Problem>,
    },
}

impl TemplateError {
    /// Returns the part that is at fault, or nothing for the whole file.
    pub fn place(&self) -> String {
        match self {
            TemplateError::Package(error) => error.place(),
            TemplateError::Part { part, .. } => part.clone(),
        }
    }

    /// Returns what to do about it, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            TemplateError::Package(error) => error.help(),
            TemplateError::Part { .. } => Some("open the letter in Word and save it again".to_owned()),
        }
    }

    /// Returns the stable name of the error: the variant in kebab case.
    pub fn id(&self) -> &'static str {
        match self {
            TemplateError::Package(error) => error.id(),
            TemplateError::Part { .. } => "part",
        }
    }
}

impl From<TooLarge> for RenderError {
    fn from(_: TooLarge) -> RenderError {
        RenderError::TooLarge
    }
}

impl Template {
    /// Understands a Word document as a template.
    ///
    /// # Errors
    ///
    /// When the file is no Word document, is damaged, holds macros, or is made to harm. Faults of single fields and
    /// tags are no error here: see [`Template::problems`].
    pub fn compile(bytes: &[u8]) -> Result<Template, TemplateError> {
        Template::compile_with(bytes, CommentAs::default())
    }

    /// Understands a Word document, with the manner in which it shows the personal comment.
    ///
    /// With [`CommentAs::Annotation`] the template needs the names `comment` and `salesperson.name`.
    ///
    /// # Errors
    ///
    /// As [`Template::compile`].
    pub fn compile_with(bytes: &[u8], comment_as: CommentAs) -> Result<Template, TemplateError> {
        Template::read(bytes, comment_as, Macros::Refuse)
    }

    /// Understands a Word document whose macros are left out of its letters: a .docm becomes a .docx.
    ///
    /// # Errors
    ///
    /// As [`Template::compile`], but for macros.
    pub fn compile_without_macros(bytes: &[u8]) -> Result<Template, TemplateError> {
        Template::read(bytes, CommentAs::default(), Macros::Drop)
    }

    fn read(bytes: &[u8], comment_as: CommentAs, macros: Macros) -> Result<Template, TemplateError> {
        document::understand(bytes, comment_as, macros)
            .map(|understood| Template { understood: Arc::new(understood) })
    }

    /// Returns every field and tag found, in the order of parts and text.
    pub fn fields(&self) -> &[FieldUse] {
        &self.understood.findings.fields
    }

    /// Returns what makes the template unusable, whatever the names.
    pub fn problems(&self) -> &[Problem] {
        &self.understood.findings.problems
    }

    /// Returns what is odd but does not stop a merge, whatever the names.
    pub fn warnings(&self) -> &[Problem] {
        &self.understood.findings.warnings
    }

    /// Returns the names typed between « and » as plain text that look like merge fields and are none.
    ///
    /// A text between such marks may be a quotation, so only that counts which fits a name of the namespace or nearly
    /// does, or which is written as only names are.
    pub fn typed_fields(&self, namespace: &Namespace, map: &FieldMap) -> Vec<Problem> {
        let typed = self.understood.findings.typed.iter().filter_map(|(name, place)| {
            let nearest = namespace.suggestion(name, map);
            let is_meant = nearest.is_some() || name::is_identifier(name);
            is_meant.then(|| Problem::new(Fault::TypedField { name: name.clone(), nearest }, place.clone()))
        });
        typed.collect()
    }

    /// Returns a namespace of the names that the template's own fields and tags have.
    pub fn names(&self) -> Namespace {
        let mut namespace = Namespace::new();
        let mut seen = BTreeSet::new();
        for field in self.fields().iter().filter(|field| !field.name.is_empty()) {
            if seen.insert(&field.name) {
                namespace.column(&field.name, &field.name);
            }
        }
        namespace
    }

    /// Returns where the personal comment stands; nothing if the document has no place for it.
    pub fn comment_place(&self) -> Option<CommentPlace> {
        self.understood.comment_place
    }

    /// Resolves the names of the template.
    ///
    /// # Errors
    ///
    /// All that stands in the way of a letter: the template's own [problems](Template::problems), and every name that
    /// has no value.
    pub fn bind(&self, namespace: &Namespace, map: &FieldMap) -> Result<BoundTemplate, Vec<Problem>> {
        let findings = &self.understood.findings;
        let mut problems = findings.problems.clone();
        match findings.names.bind(namespace, map) {
            Ok(Binding { needs, slots }) if problems.is_empty() => Ok(BoundTemplate {
                understood: Arc::clone(&self.understood),
                needs: needs.into(),
                slots: slots.into(),
                pictures: Pictures::default(),
            }),
            Ok(_) => Err(problems),
            Err(faults) => {
                problems.extend(faults.into_iter().filter_map(|(name, fault)| {
                    findings.places.get(name).map(|place| Problem::new(fault, place.clone()))
                }));
                Err(problems)
            }
        }
    }

    /// Merges one letter from values by name.
    ///
    /// # Errors
    ///
    /// [`RenderError::Unusable`] with every fault of the template and every name that has no value.
    pub fn render(&self, values: &Values) -> Result<Letter, RenderError> {
        let namespace = Values::namespace(&[values]);
        let bound =
            self.bind(&namespace, &FieldMap::new()).map_err(|problems| RenderError::Unusable { problems })?;
        let bound = bound.with_pictures(values.pictures.iter().cloned().collect());
        let mut bytes = Vec::new();
        bound.letter(&values.frame(bound.needs(), &namespace), &values.moment, &mut bytes)?;
        Ok(Letter { bytes })
    }
}

impl BoundTemplate {
    /// Returns what the template wants in its frame, position by position.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// Tells whether a letter may take more than one record: the template has NEXT or NEXTIF.
    pub fn takes_several(&self) -> bool {
        self.understood.takes_several
    }

    /// Tells whether the template can leave a record out: it has SKIPIF.
    pub fn may_skip(&self) -> bool {
        self.understood.findings.fields.iter().any(|field| field.kind == "SKIPIF")
    }

    /// Tells whether the template leaves this record out, without making a letter.
    pub fn skips(&self, frame: &Frame, moment: &Moment) -> bool {
        let contexts = self.understood.customs.contexts(&moment.locale);
        let circumstances = Circumstances { moment, contexts: &contexts, pictures: &self.pictures };
        let mut frames = Frames::new(std::slice::from_ref(frame), &self.slots, circumstances);
        for (_, program) in self.understood.archive.programs() {
            program.render(&mut frames, &mut Nowhere);
        }
        frames.is_skipped()
    }

    /// Finds what is odd about the values of a record: a text that may be either of two dates, a number that a field cannot
    /// show as its switches ask. `told` keeps the fields that were told of, each of which is once.
    pub fn odd_values(&self, record: &Frame, locale: &str, told: &mut Told) -> Vec<Problem> {
        let findings = &self.understood.findings;
        if findings.watched.is_empty() {
            return Vec::new();
        }
        let contexts = self.understood.customs.contexts(locale);
        findings.watched.find((&findings.names, &self.slots), (record, &contexts), told)
    }

    /// Tells what stands between two letters of a combined document: nothing if the template is a directory.
    pub fn joint(&self) -> Joint {
        self.understood.joint
    }

    /// Tells whether letters may ask for pictures, or lead to addresses that values make.
    pub fn wants_more(&self) -> bool {
        self.understood.is_related
    }

    /// Finds out what a letter of these records asks for beside their values.
    pub fn wanted(&self, records: &[Frame], moment: &Moment) -> Wanted {
        let contexts = self.understood.customs.contexts(&moment.locale);
        let circumstances = Circumstances { moment, contexts: &contexts, pictures: &self.pictures };
        let mut frames = Frames::new(records, &self.slots, circumstances);
        let mut pictures: Vec<PictureUse> = Vec::new();
        for (number, (part, program)) in self.understood.archive.programs().enumerate() {
            render_part(number, program, &mut frames, &mut Nowhere);
            let n_known = pictures.len();
            pictures.extend(frames.related().missing().iter().skip(n_known).map(|(name, code)| PictureUse {
                name: name.clone(),
                code: (*code).to_owned(),
                part: part.to_owned(),
            }));
        }
        let merged = Merged { n_records: frames.n_records(), is_skipped: frames.is_skipped() };
        if merged.is_skipped {
            return Wanted { merged, pictures: Vec::new(), refused_links: Vec::new(), too_long: None };
        }
        let related = frames.related();
        Wanted {
            merged,
            pictures,
            refused_links: related.refused().to_vec(),
            too_long: related.too_long().map(str::to_owned),
        }
    }

    /// Returns the same template with the pictures that its letters show.
    #[must_use]
    pub fn with_pictures(&self, pictures: Pictures) -> BoundTemplate {
        BoundTemplate { pictures, ..self.clone() }
    }

    /// Merges one letter into `into`, which is cleared and keeps its capacity.
    ///
    /// After NEXT all values are blank; see [`BoundTemplate::letter_of`] for letters of several records.
    ///
    /// # Errors
    ///
    /// [`RenderError::TooLarge`] if the letter does not fit a zip archive, [`RenderError::Skipped`] if the template
    /// leaves the record out.
    pub fn letter(&self, frame: &Frame, moment: &Moment, into: &mut Vec<u8>) -> Result<(), RenderError> {
        match self.letter_of(std::slice::from_ref(frame), moment, into)? {
            Merged { is_skipped: true, .. } => Err(RenderError::Skipped),
            Merged { is_skipped: false, .. } => Ok(()),
        }
    }

    /// Merges one letter, such as a sheet of labels, from the first of `records` and as many more as NEXT asks for.
    ///
    /// `moment` holds the numbers of the first record. Where the records run out, the rest of the sheet is blank.
    /// `into` is cleared and keeps its capacity. The caller goes on with the records after those that were taken.
    ///
    /// # Errors
    ///
    /// [`RenderError::TooLarge`] if the letter does not fit a zip archive.
    pub fn letter_of(
        &self,
        records: &[Frame],
        moment: &Moment,
        into: &mut Vec<u8>,
    ) -> Result<Merged, RenderError> {
        let mut buffer = Buffer::from(std::mem::take(into));
        let merged = self.letter_in(records, moment, &mut buffer);
        *into = buffer.into();
        merged
    }

    /// Merges one letter as [`BoundTemplate::letter_of`] does, but into a buffer, which is faster where many letters of
    /// one template follow each other. A record that is left out leaves the buffer empty.
    ///
    /// # Errors
    ///
    /// [`RenderError::TooLarge`] if the letter does not fit a zip archive.
    pub fn letter_in(
        &self,
        records: &[Frame],
        moment: &Moment,
        buffer: &mut Buffer,
    ) -> Result<Merged, RenderError> {
        let contexts = self.understood.customs.contexts(&moment.locale);
        let circumstances = Circumstances { moment, contexts: &contexts, pictures: &self.pictures };
        let mut frames = Frames::new(records, &self.slots, circumstances);
        let mut writing = self.understood.archive.begin(buffer);
        writing.parts(|number, program, sink| render_part(number, program, &mut frames, sink))?;
        let merged = Merged { n_records: frames.n_records(), is_skipped: frames.is_skipped() };
        if merged.is_skipped {
            return Ok(merged);
        }
        let related = frames.related();
        if let Some((name, _)) = related.missing().first() {
            return Err(RenderError::NoPicture { name: name.clone() });
        }
        if let Some(address) = related.refused().first() {
            return Err(RenderError::Link { address: address.clone() });
        }
        if let Some(text) = related.too_long() {
            return Err(RenderError::Barcode { n_bytes: text.len() });
        }
        for picture in related.media() {
            writing.picture(picture)?;
        }
        writing.finish()?;
        Ok(merged)
    }

    /// Returns the SHA-256 of a letter that this template made; only the bytes that differ between letters are hashed.
    pub fn digest(&self, letter: &[u8]) -> [u8; 32] {
        self.understood.archive.digest(letter)
    }

    /// Renders the parts that differ between letters as XML, each with its name in the package. The relationships of a
    /// part are a part of their own, after it, where letters add some.
    ///
    /// A letter of these records has the same content, packed.
    pub fn parts(&self, records: &[Frame], moment: &Moment) -> Vec<(&str, Vec<u8>)> {
        let mut parts = Vec::new();
        self.content(records, moment, |name, content| parts.push((name, content)));
        parts
    }

    /// Returns the pictures that a letter of these records shows, each once, with the names of their parts.
    pub fn media(&self, records: &[Frame], moment: &Moment) -> Vec<(String, Picture)> {
        self.content(records, moment, |_, _| {})
    }

    fn content<'t>(
        &'t self,
        records: &[Frame],
        moment: &Moment,
        mut take: impl FnMut(&'t str, Vec<u8>),
    ) -> Vec<(String, Picture)> {
        let archive = &self.understood.archive;
        let contexts = self.understood.customs.contexts(&moment.locale);
        let circumstances = Circumstances { moment, contexts: &contexts, pictures: &self.pictures };
        let mut frames = Frames::new(records, &self.slots, circumstances);
        for (number, (name, program)) in archive.programs().enumerate() {
            let mut content = Vec::new();
            render_part(number, program, &mut frames, &mut content);
            take(name, content);
        }
        let media = frames.related().media().iter();
        media.map(|it| (format!("{}{}", archive.media(), it.part_name()), it.clone())).collect()
    }
}

/// Renders the part of this number. Only the first, the main part, goes through the records; headers and notes show the
/// first record.
fn render_part<'f>(number: usize, program: &'f Program, frames: &mut Frames<'f>, sink: &mut impl Sink) {
    let record = frames.record();
    if number > 0 {
        frames.return_to(0);
    }
    program.render(frames, sink);
    if number > 0 {
        frames.return_to(record);
    }
}
