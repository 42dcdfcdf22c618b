//! Each flaw with the smallest document that shows it, and a clean one beside it.

use std::io::{Cursor, Write};

use super::{lint, lint_template};

const W: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const STRICT_W: &str = "http://purl.oclc.org/ooxml/wordprocessingml/main";
const R: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const STRICT_R: &str = "http://purl.oclc.org/ooxml/officeDocument/relationships";
const WML: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml";

/// A document with a main part in an odd place, so that no rule can hang on names.
struct Docx {
    parts: Vec<(String, String)>,
    types: String,
    relationships: String,
    is_strict: bool,
}

impl Docx {
    fn new(body: &str) -> Docx {
        Docx::with_document(&format!("<w:body>{body}<w:sectPr/></w:body>"))
    }

    fn with_document(content: &str) -> Docx {
        let main = format!(
            "<w:document xmlns:w=\"{W}\" xmlns:q=\"{R}\" xmlns:w14=\"http://schemas.microsoft.com/office/word/2010/wordml\" \
             xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\">{content}</w:document>"
        );
        Docx {
            parts: vec![("text/letter.xml".to_owned(), main)],
            types: String::new(),
            relationships: String::new(),
            is_strict: false,
        }
    }

    /// Adds a part that the main part refers to, in a folder of its own.
    fn with(mut self, kind: &str, root: &str, content: &str) -> Docx {
        let name = format!("odd/{kind}.part");
        self.types += &format!("<Override PartName=\"/{name}\" ContentType=\"{WML}.{kind}+xml\"/>");
        self.relationships +=
            &format!("<Relationship Id=\"x{kind}\" Type=\"{R}/{kind}\" Target=\"../{name}\"/>");
        self.parts.push((name, format!("<w:{root} xmlns:w=\"{W}\">{content}</w:{root}>")));
        self
    }

    fn related(mut self, relationship: &str) -> Docx {
        self.relationships += relationship;
        self
    }

    fn raw(mut self, name: &str, content: &str) -> Docx {
        self.parts.push((name.to_owned(), content.to_owned()));
        self
    }

    fn strict(mut self) -> Docx {
        self.is_strict = true;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let types = format!(
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
             <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
             <Override PartName=\"/text/letter.xml\" ContentType=\"{WML}.document.main+xml\"/>{}</Types>",
            self.types
        );
        let related = |content: &str| {
            format!(
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{content}</Relationships>"
            )
        };
        let root = related(&format!(
            "<Relationship Id=\"a\" Type=\"{R}/officeDocument\" Target=\"/text/letter.xml\"/>"
        ));
        let main = related(&self.relationships);
        let first =
            [("[Content_Types].xml", &types), ("_rels/.rels", &root), ("text/_rels/letter.xml.rels", &main)];
        let parts = self.parts.iter().map(|(name, content)| (name.as_str(), content));
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in first.into_iter().chain(parts) {
            let content = match self.is_strict {
                true => content.replace(W, STRICT_W).replace(R, STRICT_R),
                false => content.clone(),
            };
            archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("in memory");
            archive.write_all(content.as_bytes()).expect("in memory");
        }
        archive.finish().expect("in memory").into_inner()
    }
}

#[track_caller]
fn check(docx: Docx, expected: &[&str]) {
    for docx in [Docx { is_strict: false, ..copy(&docx) }, docx.strict()] {
        let findings = lint(&docx.bytes()).expect("the package can be read");
        let shown: Vec<String> = findings.iter().map(|it| format!("{}: {}", it.place(), it.flaw)).collect();
        assert_eq!(shown, expected, "strict: {}", docx.is_strict);
    }
}

fn copy(docx: &Docx) -> Docx {
    Docx {
        parts: docx.parts.clone(),
        types: docx.types.clone(),
        relationships: docx.relationships.clone(),
        is_strict: docx.is_strict,
    }
}

fn mark(kind: &str) -> String {
    format!("<w:r><w:fldChar w:fldCharType=\"{kind}\"/></w:r>")
}

fn code(text: &str) -> String {
    format!("<w:r><w:instrText>{text}</w:instrText></w:r>")
}

fn t(text: &str) -> String {
    format!("<w:r><w:t>{text}</w:t></w:r>")
}

fn p(runs: &str) -> String {
    format!("<w:p>{runs}</w:p>")
}

const TEXT: &str = "text/letter.xml";

#[test]
fn fields_pair_up_and_have_one_result() {
    let (begin, separate, end) = (mark("begin"), mark("separate"), mark("end"));
    let page = code(" PAGE ");
    check(Docx::new(&p(&format!("{begin}{page}{separate}{}{end}", t("1")))), &[]);
    check(Docx::new(&p(&format!("{begin}{page}{end}"))), &[]);
    // A field may end in a later paragraph.
    check(Docx::new(&(p(&format!("{begin}{page}")) + &p(&end))), &[]);
    let unbalanced = format!("{TEXT}, paragraph 1: field characters do not pair up");
    check(Docx::new(&p(&format!("{begin}{page}"))), &[&unbalanced]);
    check(Docx::new(&p(&end)), &[&unbalanced]);
    check(Docx::new(&p(&format!("{begin}{page}{separate}{separate}{end}"))), &[&unbalanced]);
    let text_box = format!("<w:r><w:pict><w:txbxContent>{}</w:txbxContent></w:pict></w:r>", p(&end));
    let across = format!("{TEXT}, paragraph 2: field characters do not pair up");
    let at_the_end = across.clone();
    check(Docx::new(&p(&(begin + &page + &text_box))), &[&across, &at_the_end]);
    check(
        Docx::new(&p("")).with("footer", "ftr", &p(&end)),
        &["odd/footer.part, paragraph 1: field characters do not pair up"],
    );
}

#[test]
fn code_stands_between_begin_and_separator() {
    let stray = format!("{TEXT}, paragraph 2: code of a field stands outside the code");
    check(Docx::new(&(p("") + &p(&code(" PAGE ")))), &[&stray]);
    let field = mark("begin") + &code(" PAGE ") + &mark("separate") + &code("1") + &mark("end");
    check(Docx::new(&(p("") + &p(&field))), &[&stray]);
}

#[test]
fn cells_boxes_headers_notes_and_comments_end_with_a_paragraph() {
    let table = |cell: &str| format!("<w:tbl><w:tr><w:tc>{cell}</w:tc></w:tr></w:tbl>{}", p(""));
    check(Docx::new(&table(&p(""))), &[]);
    check(Docx::new(&table(&format!("<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>", p("")))), &[]);
    check(Docx::new(&table("<w:tcPr/>")), &[&format!("{TEXT}: `w:tc` does not end with a paragraph")]);
    let nested = format!("<w:tbl><w:tr><w:tc>{}</w:tc></w:tr></w:tbl>", p(""));
    check(
        Docx::new(&table(&nested)),
        &[&format!("{TEXT}, paragraph 1: `w:tc` does not end with a paragraph")],
    );
    check(
        Docx::new(&p("<w:r><w:pict><w:txbxContent></w:txbxContent></w:pict></w:r>")),
        &[&format!("{TEXT}, paragraph 1: `w:txbxContent` does not end with a paragraph")],
    );
    for (kind, root, content, element) in [
        ("header", "hdr", "", "w:hdr"),
        ("footer", "ftr", "", "w:ftr"),
        ("footnotes", "footnotes", "<w:footnote w:id=\"2\"/>", "w:footnote"),
        ("endnotes", "endnotes", "<w:endnote w:id=\"2\"></w:endnote>", "w:endnote"),
        ("comments", "comments", "<w:comment w:id=\"2\"></w:comment>", "w:comment"),
    ] {
        check(
            Docx::new(&p("")).with(kind, root, content),
            &[&format!("odd/{kind}.part: `{element}` does not end with a paragraph")],
        );
    }
}

#[test]
fn the_body_ends_with_a_paragraph_and_its_section() {
    let table = format!("<w:tbl><w:tr><w:tc>{}</w:tc></w:tr></w:tbl>", p(""));
    check(Docx::new(&(table.clone() + &p(""))), &[]);
    check(Docx::new(&table), &[&format!("{TEXT}, paragraph 1: a table ends the body")]);
    let no_section = format!("{TEXT}, paragraph 1: body does not end with section properties");
    check(Docx::with_document("<w:body><w:p/></w:body>"), &[&no_section]);
    check(Docx::with_document("<w:body><w:sectPr/><w:p/></w:body>"), &[&no_section]);
}

#[test]
fn references_lead_somewhere_whatever_their_prefix() {
    let picture = p("<w:r><w:drawing q:embed=\"rId7\"/></w:r>");
    let dangling = format!("{TEXT}, paragraph 1: relationship `rId7` does not exist");
    check(Docx::new(&picture), &[&dangling]);
    let link =
        format!("<Relationship Id=\"rId7\" Type=\"{R}/hyperlink\" Target=\"x\" TargetMode=\"External\"/>");
    check(Docx::new(&picture).related(&link), &[]);
    // An attribute of another namespace is no reference, whatever it is called.
    check(Docx::new(&p("<w:r><w:t w:id=\"rId7\">x</w:t></w:r>")), &[]);
    let lost = format!("<Relationship Id=\"rId7\" Type=\"{R}/image\" Target=\"lost.png\"/>");
    check(
        Docx::new(&picture).related(&lost),
        &["text/_rels/letter.xml.rels: part `text/lost.png` does not exist"],
    );
}

#[test]
fn every_part_has_a_type_and_a_way_that_leads_to_it() {
    let image = format!("<Relationship Id=\"i\" Type=\"{R}/image\" Target=\"a.png\"/>");
    check(
        Docx::new(&p("")).related(&image).raw("text/a.png", "x"),
        &["text/a.png: part has no content type"],
    );
    let orphan = Docx::new(&p("")).raw("text/b.rels", "x");
    check(orphan, &["text/b.rels: no relationship leads to the part"]);
}

#[test]
fn ids_are_unique() {
    let twice = |kind: &str, id: &str| format!("{TEXT}, paragraph 1: {kind} id `{id}` is used twice");
    let bookmark = "<w:bookmarkStart w:id=\"3\" w:name=\"b\"/>";
    check(Docx::new(&p(bookmark)), &[]);
    check(Docx::new(&p(&bookmark.repeat(2))), &[&twice("bookmark", "3")]);
    let drawing = "<w:r><w:drawing><wp:docPr xmlns:wp=\"p\" id=\"1\"/></w:drawing></w:r>";
    check(Docx::new(&p(&drawing.repeat(2))), &[&twice("drawing", "1")]);
    check(
        Docx::new(&p(drawing)).with("header", "hdr", &p(drawing)),
        &["odd/header.part, paragraph 1: drawing id `1` is used twice"],
    );
    let control = "<w:sdt><w:sdtPr><w:id w:val=\"9\"/></w:sdtPr><w:sdtContent/></w:sdt>";
    check(Docx::new(&p(&control.repeat(2))), &[&twice("control", "9")]);
    check(
        Docx::new(&"<w:p w14:paraId=\"0000000A\"/>".repeat(2)),
        &[&format!("{TEXT}, paragraph 2: paragraph id `0000000A` is used twice")],
    );
    let comment = format!("<w:comment w:id=\"1\">{}</w:comment>", p(""));
    check(
        Docx::new(&p("")).with("comments", "comments", &comment.repeat(2)),
        &["odd/comments.part, paragraph 1: comment id `1` is used twice"],
    );
    let note = format!("<w:footnote w:id=\"1\">{}</w:footnote>", p(""));
    check(
        Docx::new(&p("")).with("footnotes", "footnotes", &note.repeat(2)),
        &["odd/footnotes.part, paragraph 1: note id `1` is used twice"],
    );
    let twins = format!(
        "<w:r><mc:AlternateContent><mc:Choice>{bookmark}</mc:Choice><mc:Fallback>{bookmark}</mc:Fallback></mc:AlternateContent></w:r>"
    );
    check(Docx::new(&p(&twins)), &[]);
}

#[test]
fn nothing_of_a_merge_is_left_over() {
    let left = |text: &str| format!("{TEXT}, paragraph 1: `{text}` is left over");
    check(Docx::new(&p(&(t("«First") + &t("Name»")))), &[&left("«FirstName»")]);
    check(Docx::new(&p(&t("« une lettre » et «Lettre vraiment trop longue pour un nom de champ»"))), &[]);
    check(Docx::new(&p(&t("TableStart:Items"))), &[&left("TableStart:")]);
    check(Docx::new(&p(&(t("{") + &t("{name}}")))), &[&left("{{name}}")]);
    let field = mark("begin") + &code(" merge") + &code("field City ") + &mark("end");
    check(Docx::new(&p(&field)), &[&left("mergefield City")]);
    check(Docx::new(&p(&field.replace("\"begin\"", "\"begin\" w:fldLock=\"1\""))), &[]);
    check(Docx::new(&p("<w:fldSimple w:instr=\" NEXT \"/>")), &[&left("NEXT")]);
    check(
        Docx::new(&p("")).with("settings", "settings", "<w:mailMerge/>"),
        &["odd/settings.part: `mailMerge` is left over"],
    );
    // A template has fields: they are no flaw there.
    let template = Docx::new(&(p(&t("«FirstName»")) + &p(&mark("end"))));
    let warnings: Vec<String> =
        lint_template(&template.bytes()).iter().map(|it| format!("{it} --> {}", it.place())).collect();
    assert_eq!(warnings, ["field characters do not pair up --> text/letter.xml, paragraph 2"]);
}

#[test]
fn entries_of_the_archive_have_different_names() {
    let bytes = Docx::new(&p("")).raw("text/lettes.xml", "<x/>").bytes();
    // No writer makes such an archive, so one of its names is changed afterwards.
    let twice = String::from_utf8_lossy(&bytes).contains("text/lettes.xml");
    assert!(twice);
    let mut twin = bytes;
    let name = b"text/lettes.xml";
    for at in 0..twin.len() - name.len() {
        if &twin[at..at + name.len()] == name {
            twin[at..at + name.len()].copy_from_slice(b"text/LETTER.xml");
        }
    }
    let findings = lint(&twin).expect("the archive can be read");
    let shown: Vec<String> = findings.iter().map(|it| format!("{}: {}", it.place(), it.flaw)).collect();
    assert_eq!(shown, ["text/LETTER.xml: archive has the part twice"]);
}

#[test]
fn a_part_that_is_no_xml_is_named() {
    let docx = Docx::new(&p("")).with("settings", "settings", "<w:x>");
    check(docx, &["odd/settings.part: part is broken XML"]);
}
