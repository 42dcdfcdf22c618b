//! Owns the way from a .docx to a template: which parts hold text, which change with the letter, and which must not go
//! into one.

use std::collections::{BTreeMap, BTreeSet};

use super::super::address;
use super::super::archive::{self, Gathered, TooLarge};
use super::super::combined::Joint;
use super::super::comment;
use super::super::compile::{self, Findings, Insertion};
use super::super::customs::Customs;
use super::super::language::Languages;
use super::super::link::target_parts;
use super::super::package::{
    CONTENT_TYPES, Package, PackageError, Relationship, main_part, relationships_name,
};
use super::super::picture::PictureKind;
use super::super::program::{Op, Program, Static};
use super::super::property;
use super::super::related::{Form, ID};
use super::super::story::Story;
use super::super::xml::Document;
use super::content_types::ContentTypes;
use super::patch::{append_to_root, around_end_of_root, parse, root_prefix, without};
use super::{CommentAs, CommentPlace, Macros, TemplateError, Understood};

/// The content type of a .docx's main part (ECMA-376 Part 1 §11.3.10 Main Document Part).
const MAIN: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
const COMMENTS: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml";
/// The namespace of relationships parts (ECMA-376 Part 2 §6.5.3).
const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
/// What a .dotx, .docm and .dotm have there instead.
const OTHER_MAINS: [&str; 3] = [
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
];

/// A document while it is being understood.
struct Reading<'a> {
    package: Package<'a>,
    findings: Findings,
    /// Parts with a content that is not the template's but the same in every letter.
    replaced: BTreeMap<String, String>,
    dropped: BTreeSet<String>,
    programs: Vec<(String, Program)>,
    customs: Customs,
    theme_language: Option<String>,
    joint: Joint,
    /// The first number that no drawing of the document has as its id.
    free_id: u32,
    /// The folder for the pictures of letters, with a slash at its end.
    media: String,
}

/// Understands a Word document.
pub(super) fn understand(
    bytes: &[u8],
    comment_as: CommentAs,
    macros: Macros,
) -> Result<Understood, TemplateError> {
    let package = Package::open(bytes)?;
    let mut types = ContentTypes::read(&package)?;
    let main = main_part(&package)?;
    let main_type = types.of(&main).unwrap_or_default();
    if main_type != MAIN && !OTHER_MAINS.contains(&main_type.as_str()) {
        return Err(PackageError::OtherKind { content_type: main_type }.into());
    }
    let projects: Vec<String> = package
        .entries()
        .iter()
        .filter(|entry| is_macro(&types, &entry.name))
        .map(|entry| entry.name.clone())
        .collect();
    if let (Macros::Refuse, Some(part)) = (macros, projects.first()) {
        return Err(PackageError::Macros { part: part.clone() }.into());
    }
    types.set(&main, MAIN);
    let relationships = package.relationships(&main)?;
    let mut reading = Reading {
        package,
        findings: Findings::new(),
        replaced: BTreeMap::new(),
        dropped: BTreeSet::new(),
        programs: Vec::new(),
        customs: Customs::default(),
        theme_language: None,
        joint: Joint::default(),
        free_id: 0,
        media: format!("{}media/", folder_of(&main)),
    };
    if !projects.is_empty() {
        reading.without_macros(&main, projects, &mut types)?;
    }
    for settings in targets(&relationships, "settings") {
        reading.settings(&settings, &mut types)?;
    }
    let mut languages = Languages::default();
    for styles in targets(&relationships, "styles") {
        languages.read_styles(&reading.document(&styles)?);
    }
    languages.theme = reading.theme_language.take();
    reading.findings.languages = languages;
    reading.findings.picture = reading.customs.picture();
    reading.findings.list_separator = reading.customs.separator();
    if let Some(column) = column_twips(&reading.document(&main)?) {
        reading.findings.column_twips = column;
    }
    let texts = reading.texts()?;
    let mut place = None;
    let comments = targets(&relationships, "comments").into_iter().next();
    let annotation = match comment_as {
        CommentAs::Annotation => Some(match &comments {
            Some(part) => comment::free_id(&reading.document(part)?),
            None => 0,
        }),
        CommentAs::Text => None,
    };
    let mut parts = vec![main.clone()];
    for kind in ["header", "footer", "footnotes", "endnotes"] {
        parts.extend(targets(&relationships, kind));
    }
    let mut seen = BTreeSet::new();
    parts.retain(|part| seen.insert(part.clone()));
    for part in &parts {
        let story = reading.story(part)?;
        let mut insertions = Vec::new();
        match annotation {
            Some(id) if *part == main => {
                insertions.extend(comment::reference(&story, id));
                place = Some(CommentPlace::Annotation);
            }
            Some(_) => {}
            None => {
                for (found, kind) in [
                    (comment::content_controls(&story), CommentPlace::ContentControl),
                    (comment::bookmarks(&story), CommentPlace::Bookmark),
                ] {
                    if !found.is_empty() {
                        place = Some(kind);
                    }
                    insertions.extend(found);
                }
            }
        }
        reading.compile(&story, &insertions);
    }
    let names_comment =
        reading.findings.fields.iter().any(|field| super::super::name::key(&field.name) == "comment");
    if names_comment && annotation.is_none() {
        place = Some(CommentPlace::Field);
    }
    if annotation.is_some() || comments.is_some() {
        reading.comments(&main, comments, annotation, &mut types)?;
    }
    reading.programs.extend(texts);
    reading.finish(types, place)
}

impl Reading<'_> {
    fn document(&self, part: &str) -> Result<Document, TemplateError> {
        let content =
            self.package.read(part)?.ok_or_else(|| PackageError::Missing { part: part.to_owned() })?;
        parse(part, content)
    }

    /// Understands the document's properties and variables; returns what writes the parts of those with tags.
    fn texts(&mut self) -> Result<Vec<(String, Program)>, TemplateError> {
        let mut programs = Vec::new();
        let relationships = self.package.relationships("")?;
        for kind in ["core-properties", "extended-properties", "custom-properties"] {
            // Strict documents name the core properties alike and the others in words of their own.
            let strict = match kind {
                "extended-properties" => "extendedProperties",
                "custom-properties" => "customProperties",
                other => other,
            };
            let parts = targets(&relationships, kind).into_iter().chain(targets(&relationships, strict));
            let parts: BTreeSet<String> = parts.filter(|part| self.package.entry(part).is_some()).collect();
            for part in parts {
                let program = property::read_properties(&part, &self.document(&part)?, &mut self.findings);
                programs.extend(program.map(|program| (part, program)));
            }
        }
        let main = main_part(&self.package)?;
        for part in targets(&self.package.relationships(&main)?, "settings") {
            let document = match self.replaced.get(&part) {
                Some(text) => parse(&part, text.clone().into_bytes())?,
                None => self.document(&part)?,
            };
            if let Some(program) = property::read_variables(&part, &document, &mut self.findings) {
                self.replaced.remove(&part);
                programs.push((part, program));
            }
        }
        Ok(programs)
    }

    fn story(&mut self, part: &str) -> Result<Story, TemplateError> {
        let mut document = self.document(part)?;
        if let Some(changed) = comment::without_placeholders(&document) {
            document = parse(part, changed.into_bytes())?;
        }
        let mut story = Story::read(part, document, &mut self.findings.problems);
        for relationship in self.package.relationships(part)? {
            let is_link = relationship.is_external && relationship.kind == "hyperlink";
            if let Some(parts) = target_parts(&relationship.target).filter(|_| is_link) {
                story.links.insert(relationship.id, (relationship.target, parts));
            }
        }
        Ok(story)
    }

    fn compile(&mut self, story: &Story, insertions: &[Insertion]) {
        let mut program = compile::compile(story, insertions, &mut self.findings);
        self.free_id = self.free_id.max(program.free_id);
        program.first_relationship = self.free_relationship(&story.part);
        self.findings.typed.extend_from_slice(&story.typed);
        match program.ops.as_slice() {
            [] => {}
            [Op::Static(number)] => {
                let text = program.statics.get(*number).map(|it| it.bytes.as_slice()).unwrap_or_default();
                let is_same = self.package.read(&story.part).is_ok_and(|content| {
                    content.as_deref() == Some(text) || text == story.document.source().as_bytes()
                });
                if !is_same {
                    self.replaced.insert(story.part.clone(), String::from_utf8_lossy(text).into_owned());
                }
            }
            _ => self.programs.push((story.part.clone(), program)),
        }
    }

    /// Leaves out the macros, what belongs to them, and the way that leads to them.
    fn without_macros(
        &mut self,
        main: &str,
        mut projects: Vec<String>,
        types: &mut ContentTypes,
    ) -> Result<(), TemplateError> {
        let name = relationships_name(main);
        let is_macro = |it: &&Relationship| projects.iter().any(|part| part.eq_ignore_ascii_case(&it.target));
        let relationships = self.package.relationships(main)?;
        let spans: Vec<_> = relationships.iter().filter(is_macro).map(|it| it.span.clone()).collect();
        self.replaced.insert(name.clone(), without(&self.document(&name)?, &spans));
        while let Some(part) = projects.pop() {
            for relationship in self.package.relationships(&part)?.iter().filter(|it| !it.is_external) {
                projects.extend(self.package.entry(&relationship.target).map(|entry| entry.name.clone()));
            }
            types.remove(&part);
            self.dropped.insert(relationships_name(&part));
            self.dropped.insert(part);
        }
        Ok(())
    }

    /// Returns a number above those that relationships of a part have in ids like those that letters add.
    fn free_relationship(&self, part: &str) -> usize {
        let relationships = self.package.relationships(part).unwrap_or_default();
        let numbers = relationships.iter().filter_map(|it| it.id.strip_prefix(ID)?.parse::<u32>().ok());
        numbers.max().map_or(1, |number| number as usize + 1)
    }

    /// Compiles the relationships of a part to which letters add some. Those whose address is the letter's own go.
    fn relationships(&mut self, part: &str, first: usize) -> Result<(String, Program), TemplateError> {
        let name = relationships_name(part);
        let content = match self.replaced.remove(&name) {
            Some(text) => text.into_bytes(),
            None => self.package.read(&name)?.unwrap_or_else(|| {
                format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Relationships xmlns=\"{RELATIONSHIPS}\"></Relationships>").into_bytes()
            }),
        };
        let document = parse(&name, content)?;
        let is_merged = |at: &usize| {
            document.tokens()[*at].is_start()
                && document.local(*at) == "Relationship"
                && document.attribute(*at, "TargetMode").as_deref() == Some("External")
                && document.attribute(*at, "Target").is_some_and(|target| target_parts(&target).is_some())
        };
        let merged: Vec<_> =
            (0..document.tokens().len()).filter(is_merged).map(|at| document.subtree(at)).collect();
        let base = match is_strict(&self.document(part)?) {
            true => "http://purl.oclc.org/ooxml/officeDocument/relationships",
            false => "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        };
        let form = Form { prefix: root_prefix(&document), base, media: format!("/{}", self.media), first };
        let (start, end) = around_end_of_root(&document, &merged);
        let fixed = |text: String| Static { bytes: text.into_bytes(), ..Static::default() };
        let program = Program {
            statics: vec![fixed(start), fixed(end)],
            ops: vec![Op::Static(0), Op::Relationships(Box::new(form)), Op::Static(1)],
            ..Program::default()
        };
        Ok((name, program))
    }

    /// Takes out of the settings what ties the letter to the data of its template: else Word asks for the database.
    fn settings(&mut self, part: &str, types: &mut ContentTypes) -> Result<(), TemplateError> {
        let document = self.document(part)?;
        for at in (0..document.tokens().len()).filter(|at| document.tokens()[*at].is_start()) {
            let value = || document.attribute(at, "val").filter(|value| !value.trim().is_empty());
            match document.local(at) {
                "decimalSymbol" => self.customs.decimal_symbol = value(),
                "listSeparator" => {
                    self.customs.list_separator = value().and_then(|value| value.trim().chars().next());
                }
                // ECMA-376 Part 1 §17.14.12 doNotSuppressBlankLines: without a value it is true.
                "doNotSuppressBlankLines" => {
                    let is_off = matches!(value().as_deref(), Some("0" | "false" | "off"));
                    self.findings.keeps_blank_lines = !is_off;
                }
                "themeFontLang" => self.theme_language = value(),
                // What Word's window calls a directory (ECMA-376 Part 1 §17.18.53 ST_MailMergeDocType).
                "mainDocumentType" if value().as_deref() == Some("catalog") => self.joint = Joint::FollowOn,
                _ => {}
            }
        }
        let merge = (0..document.tokens().len())
            .find(|at| document.tokens()[*at].is_start() && document.local(*at) == "mailMerge");
        if let Some(merge) = merge {
            self.findings.mapped = address::mapped_columns(&document);
            self.replaced.insert(part.to_owned(), without(&document, &[document.subtree(merge)]));
        }
        let is_unwanted = |it: &&Relationship| {
            matches!(it.kind.as_str(), "mailMergeSource" | "mailMergeHeaderSource" | "recipientData")
        };
        let relationships = self.package.relationships(part)?;
        let unwanted: Vec<&Relationship> = relationships.iter().filter(is_unwanted).collect();
        if unwanted.is_empty() {
            return Ok(());
        }
        for relationship in &unwanted {
            if !relationship.is_external && self.package.entry(&relationship.target).is_some() {
                types.remove(&relationship.target);
                self.dropped.insert(relationship.target.clone());
                self.dropped.insert(relationships_name(&relationship.target));
            }
        }
        let name = relationships_name(part);
        let spans: Vec<_> = unwanted.iter().map(|it| it.span.clone()).collect();
        let text = without(&self.document(&name)?, &spans);
        self.replaced.insert(name, text);
        Ok(())
    }

    /// Compiles the comments part, which is made if there is none, with the personal comment at its end.
    fn comments(
        &mut self,
        main: &str,
        part: Option<String>,
        annotation: Option<u32>,
        types: &mut ContentTypes,
    ) -> Result<(), TemplateError> {
        let (part, document) = match part {
            Some(part) => {
                let document = self.document(&part)?;
                (part, document)
            }
            None => {
                let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
                let part = if folder.is_empty() {
                    "comments.xml".to_owned()
                } else {
                    format!("{folder}/comments.xml")
                };
                types.set(&part, COMMENTS);
                self.relate(main)?;
                (part.clone(), parse(&part, new_comments(&self.document(main)?).into_bytes())?)
            }
        };
        let story = Story::read(&part, document, &mut self.findings.problems);
        let insertion = annotation.and_then(|id| comment::annotation(&story, id));
        self.compile(&story, insertion.as_slice());
        Ok(())
    }

    /// Adds the relationship from the main part to its comments.
    fn relate(&mut self, main: &str) -> Result<(), TemplateError> {
        let name = relationships_name(main);
        let relationships = self.package.relationships(main)?;
        let id = (1..)
            .map(|number| format!("rIdComments{number}"))
            .find(|id| relationships.iter().all(|it| it.id != *id))
            .unwrap_or_default();
        let base = match is_strict(&self.document(main)?) {
            true => "http://purl.oclc.org/ooxml/officeDocument/relationships",
            false => "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        };
        let element = |prefix: &str| {
            format!("<{prefix}Relationship Id=\"{id}\" Type=\"{base}/comments\" Target=\"comments.xml\"/>")
        };
        let content = match self.replaced.get(&name) {
            Some(text) => Some(text.clone().into_bytes()),
            None => self.package.read(&name)?,
        };
        let text = match content {
            Some(content) => {
                let document = parse(&name, content)?;
                append_to_root(&document, &element(&root_prefix(&document)))
            }
            None => format!("<Relationships xmlns=\"{RELATIONSHIPS}\">{}</Relationships>", element("")),
        };
        self.replaced.insert(name, text);
        Ok(())
    }

    /// Lays out what is the same in every letter.
    fn finish(
        mut self,
        mut types: ContentTypes,
        place: Option<CommentPlace>,
    ) -> Result<Understood, TemplateError> {
        let mut programs = Vec::new();
        let mut is_related = false;
        for (part, mut program) in std::mem::take(&mut self.programs) {
            program.free_id = self.free_id;
            let relationships = match program.adds_relationships {
                true => Some(self.relationships(&part, program.first_relationship)?),
                false => None,
            };
            is_related |= program.adds_relationships || program.leads_outside();
            programs.push((part, program));
            programs.extend(relationships);
        }
        self.programs = programs;
        if self.programs.iter().any(|(_, program)| program.adds_relationships) {
            for kind in PictureKind::ALL {
                types.set_default(kind.extension(), kind.media_type());
            }
        }
        if let Some(text) = types.text() {
            self.replaced.insert(CONTENT_TYPES.to_owned(), text);
        }
        let too_large =
            |_: TooLarge| PackageError::TooLarge { part: CONTENT_TYPES.to_owned(), limit: "4 GiB" };
        let mut archive = Gathered::default();
        for name in archive::in_order(&self.package) {
            let is_program = self.programs.iter().any(|(part, _)| part.eq_ignore_ascii_case(name));
            if is_program || self.dropped.contains(name) {
                continue;
            }
            match self.replaced.remove(name) {
                Some(text) => archive.add(name, text.as_bytes()).map_err(too_large)?,
                None => archive.copy(&self.package, name).map_err(too_large)?,
            }
        }
        // What is left was not in the template: a relationships part that the main part lacked.
        for (name, text) in &self.replaced {
            archive.add(name, text.as_bytes()).map_err(too_large)?;
        }
        let archive = archive.finish(self.programs, self.media).map_err(too_large)?;
        self.customs.languages = self.findings.languages.used().to_vec();
        let takes_several = self.findings.takes_several;
        Ok(Understood {
            findings: self.findings,
            comment_place: place,
            archive,
            customs: self.customs,
            takes_several,
            joint: self.joint,
            is_related,
        })
    }
}

fn targets(relationships: &[Relationship], kind: &str) -> Vec<String> {
    relationships.iter().filter(|it| it.kind == kind && !it.is_external).map(|it| it.target.clone()).collect()
}

fn is_macro(types: &ContentTypes, name: &str) -> bool {
    types.of(name).is_some_and(|it| it == "application/vnd.ms-office.vbaProject")
}

fn is_strict(document: &Document) -> bool {
    document.source().contains("http://purl.oclc.org/ooxml/wordprocessingml/main")
}

fn new_comments(main: &Document) -> String {
    let namespace = match is_strict(main) {
        true => "http://purl.oclc.org/ooxml/wordprocessingml/main",
        false => "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:comments xmlns:w=\"{namespace}\"></w:comments>"
    )
}

/// The folder of a part, with a slash at its end; nothing for the package's own.
fn folder_of(part: &str) -> String {
    part.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"))
}

/// The width of the first column of the last section, in twentieths of a point.
fn column_twips(document: &Document) -> Option<u64> {
    let starts = || (0..document.tokens().len()).rev().filter(|at| document.tokens()[*at].is_start());
    let number = |element: &str, attribute: &str| -> Option<u64> {
        let at = starts().find(|at| document.local(*at) == element)?;
        document.attribute(at, attribute)?.parse().ok()
    };
    let margins = number("pgMar", "left")? + number("pgMar", "right")?;
    let text = number("pgSz", "w")?.checked_sub(margins)?;
    let n_columns = number("cols", "num").unwrap_or(1).max(1);
    let gaps = number("cols", "space").unwrap_or(720).saturating_mul(n_columns - 1);
    text.checked_sub(gaps).map(|text| text / n_columns).filter(|column| *column > 0)
}
