//! Builds small Word documents in memory, and reads back what was merged.

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Write};

use mailrun::merge::{Combined, Letter, Manner, Template, Value, Values};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

pub(crate) const W: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
pub(crate) const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const WML: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml";

/// A Word document that is being put together.
pub(crate) struct Docx {
    parts: Vec<(String, Vec<u8>)>,
    overrides: String,
    relationships: String,
    properties: String,
    main_type: String,
}

impl Docx {
    /// A document with this content of `w:body`; the section properties are added.
    pub(crate) fn new(body: &str) -> Docx {
        Docx::empty()
            .raw("word/document.xml", &part("document", &format!("<w:body>{body}<w:sectPr/></w:body>")))
    }

    /// A document without a main part, which is still to be added.
    pub(crate) fn empty() -> Docx {
        Docx {
            parts: Vec::new(),
            overrides: String::new(),
            relationships: String::new(),
            properties: String::new(),
            main_type: format!("{WML}.document.main+xml"),
        }
    }

    /// Adds a part that the main part refers to: `header`, `footer`, `footnotes`, `settings`, …
    pub(crate) fn with(mut self, kind: &str, root: &str, content: &str) -> Docx {
        let name = format!("{kind}{}.xml", self.parts.len());
        self.overrides += &format!("<Override PartName=\"/word/{name}\" ContentType=\"{WML}.{kind}+xml\"/>");
        self.relationships +=
            &format!("<Relationship Id=\"rId{name}\" Type=\"{RELATIONSHIPS}/{kind}\" Target=\"{name}\"/>");
        self.raw(&format!("word/{name}"), &part(root, content))
    }

    /// Adds a part that the main part refers to, by the whole type of the relationship and the part's content type.
    pub(crate) fn related(mut self, relationship: &str, content_type: &str, name: &str) -> Docx {
        self.overrides += &format!("<Override PartName=\"/word/{name}\" ContentType=\"{content_type}\"/>");
        self.relationships +=
            &format!("<Relationship Id=\"rId{name}\" Type=\"{relationship}\" Target=\"{name}\"/>");
        self.raw(&format!("word/{name}"), "x")
    }

    /// Adds a part that the package refers to: properties of the document.
    pub(crate) fn property(mut self, name: &str, kind: &str, content: &str) -> Docx {
        self.properties += &format!(
            "<Relationship Id=\"rIdP{}\" Type=\"{RELATIONSHIPS}/{kind}\" Target=\"{name}\"/>",
            self.parts.len()
        );
        self.raw(name, content)
    }

    /// Adds a relationship of the main part to an address outside.
    pub(crate) fn linked(mut self, id: &str, target: &str) -> Docx {
        self.relationships += &format!(
            "<Relationship Id=\"{id}\" Type=\"{RELATIONSHIPS}/hyperlink\" Target=\"{target}\" TargetMode=\"External\"/>"
        );
        self
    }

    /// Adds a part as it is.
    pub(crate) fn raw(mut self, name: &str, content: &str) -> Docx {
        self.parts.push((name.to_owned(), content.as_bytes().to_vec()));
        self
    }

    /// Adds a part that holds bytes, of this content type.
    pub(crate) fn binary(mut self, name: &str, content_type: &str, content: Vec<u8>) -> Docx {
        self.overrides += &format!("<Override PartName=\"/{name}\" ContentType=\"{content_type}\"/>");
        self.parts.push((name.to_owned(), content));
        self
    }

    /// Adds a part that the main part refers to, by the whole type of the relationship.
    pub(crate) fn extension(
        mut self,
        relationship: &str,
        content_type: &str,
        (name, content): (&str, &str),
    ) -> Docx {
        self.relationships +=
            &format!("<Relationship Id=\"rId{name}\" Type=\"{relationship}\" Target=\"{name}\"/>");
        self.binary(&format!("word/{name}"), content_type, content.as_bytes().to_vec())
    }

    /// Gives the main part another content type.
    pub(crate) fn typed(mut self, content_type: &str) -> Docx {
        self.main_type = content_type.to_owned();
        self
    }

    /// The .docx.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let types = format!(
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
             <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
             <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
             <Override PartName=\"/word/document.xml\" ContentType=\"{}\"/>{}</Types>",
            self.main_type, self.overrides
        );
        let root = relationships(&format!(
            "<Relationship Id=\"rId1\" Type=\"{RELATIONSHIPS}/officeDocument\" Target=\"word/document.xml\"/>{}",
            self.properties
        ));
        let main = relationships(&self.relationships);
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let first = [
            ("[Content_Types].xml", types.as_bytes()),
            ("_rels/.rels", root.as_bytes()),
            ("word/_rels/document.xml.rels", main.as_bytes()),
        ];
        let parts = self.parts.iter().map(|(name, content)| (name.as_str(), content.as_slice()));
        for (name, content) in first.into_iter().chain(parts) {
            writer.start_file(name, SimpleFileOptions::default()).expect("the archive is in memory");
            writer.write_all(content).expect("the archive is in memory");
        }
        writer.finish().expect("the archive is in memory").into_inner()
    }

    /// Compiles the document, which must be without fault.
    pub(crate) fn template(&self) -> Template {
        let template = Template::compile(&self.bytes()).expect("the document compiles");
        assert!(template.problems().is_empty(), "{:?}", template.problems());
        template
    }

    /// Merges the document and returns the content of its `w:body`, without the section properties.
    pub(crate) fn body(&self, values: &[(&str, &str)]) -> String {
        let letter = self.template().render(&texts(values)).expect("the letter renders");
        body(&letter)
    }
}

/// Joins letters of a template, one for each of these values. The document has no flaw that the template has not.
pub(crate) fn combined(template: &[u8], letters: &[Values], manner: Manner) -> Vec<u8> {
    let flaws = |bytes: &[u8]| -> BTreeSet<String> {
        let found = mailrun::merge::lint(bytes).expect("it is a package");
        found.iter().map(|it| it.flaw.to_string()).collect()
    };
    let compiled = Template::compile(template).expect("the document compiles");
    assert!(compiled.problems().is_empty(), "{:?}", compiled.problems());
    let mut combined = Combined::new(Vec::new(), Cursor::new(Vec::new()), manner);
    for values in letters {
        let letter = compiled.render(values).expect("the letter renders");
        combined.add(&letter.bytes).expect("the letter is of the template");
    }
    let bytes = combined.finish().expect("there are letters");
    let new: Vec<String> = flaws(&bytes).difference(&flaws(template)).cloned().collect();
    assert!(new.is_empty(), "{new:#?}");
    bytes
}

/// A Transitional document as a Strict one, in whose namespaces alone it differs.
pub(crate) fn strict(bytes: &[u8]) -> Vec<u8> {
    const NAMESPACES: [(&str, &str); 5] = [
        (W, "http://purl.oclc.org/ooxml/wordprocessingml/main"),
        (RELATIONSHIPS, "http://purl.oclc.org/ooxml/officeDocument/relationships"),
        (
            "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
            "http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing",
        ),
        (
            "http://schemas.openxmlformats.org/drawingml/2006/main",
            "http://purl.oclc.org/ooxml/drawingml/main",
        ),
        (
            "http://schemas.openxmlformats.org/drawingml/2006/picture",
            "http://purl.oclc.org/ooxml/drawingml/picture",
        ),
    ];
    let is_text = |name: &String| name.ends_with(".xml") || name.ends_with(".rels");
    names(bytes).into_iter().filter(is_text).fold(bytes.to_vec(), |bytes, name| {
        changed(&bytes, &name, |text| {
            NAMESPACES.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
        })
    })
}

/// Values that are texts.
pub(crate) fn texts(values: &[(&str, &str)]) -> Values {
    let mut set = Values::new();
    for (name, text) in values {
        set.set(name, Value::text(*text));
    }
    set
}

/// The content of a letter's `w:body`, without the section properties.
pub(crate) fn body(letter: &Letter) -> String {
    let document = read(&letter.bytes, "word/document.xml").expect("a letter has a main part");
    let start = document.find("<w:body>").expect("a letter has a body") + "<w:body>".len();
    let end = document.rfind("<w:sectPr/></w:body>").expect("a letter has section properties");
    document[start..end].to_owned()
}

/// A part of a .docx as text.
pub(crate) fn read(bytes: &[u8], name: &str) -> Option<String> {
    read_bytes(bytes, name).map(|content| String::from_utf8(content).expect("the part is text"))
}

/// The text of a letter, its runs one after the other.
pub(crate) fn text(letter: &[u8]) -> String {
    let xml = read(letter, "word/document.xml").expect("a main part");
    let runs = xml.split("<w:t").skip(1);
    runs.filter_map(|run| run.split_once('>')?.1.split('<').next()).collect()
}

/// A part of a .docx.
pub(crate) fn read_bytes(bytes: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("the letter is an archive");
    let mut content = Vec::new();
    archive.by_name(name).ok()?.read_to_end(&mut content).expect("the part can be read");
    Some(content)
}

/// A part of a .docx as it is.
pub(crate) fn bytes(bytes: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("the letter is an archive");
    let mut content = Vec::new();
    archive.by_name(name).ok()?.read_to_end(&mut content).expect("the part can be read");
    Some(content)
}

/// The names of a .docx's parts, in order.
pub(crate) fn names(bytes: &[u8]) -> Vec<String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("the letter is an archive");
    let n = archive.len();
    let mut name = |at: usize| {
        let entry = archive.by_index(at).expect("the entry exists");
        entry.name().expect("the name is text").into_owned()
    };
    (0..n).map(&mut name).collect()
}

/// The same package with one part changed.
pub(crate) fn changed(bytes: &[u8], part: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let content = read(bytes, part).expect("the part exists");
    exchanged(bytes, part, change(&content).as_bytes())
}

/// The same package with another content of one part.
pub(crate) fn exchanged(bytes: &[u8], part: &str, content: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for name in names(bytes) {
        writer.start_file(&name, SimpleFileOptions::default()).expect("the archive is in memory");
        let old = read_bytes(bytes, &name).expect("the part exists");
        writer.write_all(if name == part { content } else { &old }).expect("the archive is in memory");
    }
    writer.finish().expect("the archive is in memory").into_inner()
}

/// A paragraph with these runs.
pub(crate) fn p(runs: &str) -> String {
    format!("<w:p>{runs}</w:p>")
}

/// A run with this text.
pub(crate) fn t(text: &str) -> String {
    format!("<w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r>")
}

/// A complex field as Word writes it.
pub(crate) fn field(code: &str, result: &str) -> String {
    format!(
        "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>{code}<w:r><w:fldChar w:fldCharType=\"separate\"/></w:r>\
         {result}<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>"
    )
}

/// A run of a field's code.
pub(crate) fn code(text: &str) -> String {
    format!("<w:r><w:instrText xml:space=\"preserve\">{}</w:instrText></w:r>", text.replace('<', "&lt;"))
}

/// A merge field as Word writes it.
pub(crate) fn merge_field(code_text: &str) -> String {
    field(&code(&format!(" MERGEFIELD {code_text} ")), &t("«old»"))
}

fn part(root: &str, content: &str) -> String {
    format!("<w:{root} xmlns:w=\"{W}\" xmlns:r=\"{RELATIONSHIPS}\">{content}</w:{root}>")
}

fn relationships(content: &str) -> String {
    format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{content}</Relationships>"
    )
}
