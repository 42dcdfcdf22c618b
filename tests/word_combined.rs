//! One document of many letters: each letter is in it as it is alone.

mod support;

use std::collections::BTreeSet;
use std::io::Cursor;

use mailrun::merge::{CombineError, Combined, Joint, Manner, Marks, PageCount};
use proptest::prelude::*;

use support::docx::{self, Docx, merge_field, p, t};
use support::place::Place;
use support::{office, python};

const W14: &str = "xmlns:w14=\"http://schemas.microsoft.com/office/word/2010/wordml\"";

/// The combined document of letters whose field `Name` has these values.
fn combined_in(docx: &Docx, names: &[&str], manner: Manner) -> Vec<u8> {
    let letters: Vec<_> = names.iter().map(|name| docx::texts(&[("Name", name)])).collect();
    docx::combined(&docx.bytes(), &letters, manner)
}

fn combined(docx: &Docx, names: &[&str]) -> Vec<u8> {
    combined_in(docx, names, Manner::default())
}

/// What stands between the tags of the combined document's body.
fn body(bytes: &[u8]) -> String {
    let document = docx::read(bytes, "word/document.xml").expect("it has a main part");
    let start = document.find("<w:body>").expect("it has a body") + "<w:body>".len();
    document[start..document.rfind("</w:body>").expect("it has a body")].to_owned()
}

/// A document whose body ends with these section properties.
fn with_section(content: &str, section: &str) -> Docx {
    let document = format!(
        "<w:document xmlns:w=\"{}\" xmlns:r=\"{}\" {W14}><w:body>{content}{section}</w:body></w:document>",
        docx::W,
        docx::RELATIONSHIPS
    );
    Docx::empty().raw("word/document.xml", &document)
}

fn values(text: &str, element: &str, attribute: &str) -> Vec<String> {
    text.split(&format!("<{element} "))
        .skip(1)
        .filter_map(|rest| {
            let tag = &rest[..rest.find('>')?];
            let start = tag.find(&format!("{attribute}=\""))? + attribute.len() + 2;
            Some(tag[start..start + tag[start..].find('"')?].to_owned())
        })
        .collect()
}

#[test]
fn each_letter_is_a_section_that_begins_on_a_new_page_with_page_one() {
    let docx = with_section(
        &p(&merge_field("Name")),
        "<w:sectPr><w:type w:val=\"continuous\"/><w:pgSz w:w=\"11906\" w:h=\"16838\"/></w:sectPr>",
    );
    let section = "<w:pgSz w:w=\"11906\" w:h=\"16838\"/>";
    assert_eq!(
        body(&combined(&docx, &["A", "B", "C"])),
        format!(
            "<w:p><w:pPr><w:sectPr><w:type w:val=\"continuous\"/>{section}</w:sectPr></w:pPr>{}</w:p>\
             <w:p><w:pPr><w:sectPr><w:type w:val=\"nextPage\"/>{section}<w:pgNumType w:start=\"1\"/></w:sectPr></w:pPr>{}</w:p>\
             <w:p>{}</w:p><w:sectPr><w:type w:val=\"nextPage\"/>{section}<w:pgNumType w:start=\"1\"/></w:sectPr>",
            t("A"),
            t("B"),
            t("C")
        )
    );
}

#[test]
fn a_start_of_the_template_and_an_odd_page_stay() {
    let section = "<w:sectPr><w:type w:val=\"oddPage\"/><w:pgNumType w:start=\"5\"/></w:sectPr>";
    let docx = with_section(&p(&merge_field("Name")), section);
    assert_eq!(body(&combined(&docx, &["A", "B"])).matches(section).count(), 2);
}

#[test]
fn a_table_at_the_end_gets_a_paragraph_for_its_section_behind_it() {
    let cell = p(&merge_field("Name"));
    let table = format!(
        "<w:tbl><w:tblPr/><w:tblGrid><w:gridCol/></w:tblGrid><w:tr><w:tc>{cell}</w:tc></w:tr></w:tbl>"
    );
    let text = body(&combined(&with_section(&table, "<w:sectPr/>"), &["A", "B"]));
    assert!(text.contains("</w:tbl><w:p><w:pPr><w:spacing "), "{text}");
    assert!(text.ends_with("</w:tbl><w:sectPr><w:pgNumType w:start=\"1\"/></w:sectPr>"), "{text}");
}

#[test]
fn properties_and_tracked_changes_of_the_last_paragraph_stay_around_the_section() {
    for (properties, expected) in [
        (
            "<w:pPr><w:jc w:val=\"left\"/></w:pPr>",
            "<w:pPr><w:jc w:val=\"left\"/><w:sectPr></w:sectPr></w:pPr>",
        ),
        (
            "<w:pPr><w:jc w:val=\"left\"/><w:pPrChange w:id=\"7\" w:author=\"x\"><w:pPr/></w:pPrChange></w:pPr>",
            "<w:pPr><w:jc w:val=\"left\"/><w:sectPr></w:sectPr><w:pPrChange w:id=\"7\" w:author=\"x\"><w:pPr/></w:pPrChange></w:pPr>",
        ),
        ("<w:pPr/>", "<w:pPr><w:sectPr></w:sectPr></w:pPr>"),
    ] {
        let docx = with_section(&format!("<w:p>{properties}{}</w:p>", merge_field("Name")), "<w:sectPr/>");
        let text = body(&combined(&docx, &["A", "B"]));
        assert!(text.starts_with(&format!("<w:p>{expected}")), "{text}");
    }
}

#[test]
fn ids_are_unique_and_references_keep_to_their_letter() {
    let content = format!(
        "<w:p w14:paraId=\"00000009\"><w:bookmarkStart w:id=\"3\" w:name=\"Total\"/>{}<w:bookmarkEnd w:id=\"3\"/></w:p>\
         <w:p w14:paraId=\"0000000A\"><w:hyperlink w:anchor=\"Total\">{}</w:hyperlink>{}{}</w:p>",
        merge_field("Name"),
        t("see"),
        docx::field(
            &docx::code(" REF To").replace(
                "</w:instrText></w:r>",
                "</w:instrText></w:r><w:r><w:instrText>tal \\h </w:instrText></w:r>"
            ),
            &t("x")
        ),
        docx::field(&docx::code(" HYPERLINK \\l \"total\" "), &t("y")),
    );
    let text = body(&combined(&with_section(&content, "<w:sectPr/>"), &["A", "B"]));
    assert_eq!(values(&text, "w:bookmarkStart", "w:name"), ["Total", "Total_r2"]);
    assert_eq!(values(&text, "w:bookmarkStart", "w:id"), values(&text, "w:bookmarkEnd", "w:id"));
    assert_eq!(values(&text, "w:bookmarkStart", "w:id").into_iter().collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(values(&text, "w:hyperlink", "w:anchor"), ["Total", "Total_r2"]);
    assert!(text.contains(" REF Total_r2</w:instrText></w:r><w:r><w:instrText> \\h "), "{text}");
    assert!(text.contains("HYPERLINK \\l &quot;Total_r2&quot;"), "{text}");
    let paragraphs = values(&text, "w:p", "w14:paraId");
    assert_eq!(paragraphs.iter().collect::<BTreeSet<_>>().len(), 4, "{paragraphs:?}");
    assert!(paragraphs.iter().all(|id| u32::from_str_radix(id, 16).expect("a number") < 0x8000_0000));
}

#[test]
fn bound_content_controls_keep_what_they_show_and_lose_their_store() {
    let control = format!(
        "<w:sdt><w:sdtPr><w:id w:val=\"77\"/><w:dataBinding w:xpath=\"/a\" w:storeItemID=\"x\"/></w:sdtPr>\
         <w:sdtContent>{}</w:sdtContent></w:sdt>",
        p(&merge_field("Name"))
    );
    let text = body(&combined(&with_section(&control, "<w:sectPr/>"), &["A", "B"]));
    assert!(!text.contains("dataBinding") && text.contains("<w:id w:val=\"77\"/>"), "{text}");
    assert_eq!(text.matches("<w:id w:val=\"77\"/>").count(), 1, "{text}");
}

#[test]
fn the_number_of_pages_is_the_letters_own() {
    let pages = docx::field(&docx::code(" NUMPAGES \\* MERGEFORMAT "), &t("9"));
    let content = p(&format!("{}{pages}", merge_field("Name")));
    let docx = with_section(&content, "<w:sectPr/>");
    let manner = |page_count| Manner { page_count, ..Manner::default() };
    for (page_count, expected) in [
        (PageCount::Letter, " SECTIONPAGES \\* MERGEFORMAT "),
        (PageCount::Document, " NUMPAGES \\* MERGEFORMAT "),
        (PageCount::LetterByReference, " PAGEREF letter_000002_end \\* MERGEFORMAT "),
    ] {
        let text = body(&combined_in(&docx, &["A", "B"], manner(page_count)));
        assert!(text.contains(expected), "{text}");
    }
    let two = format!("<w:p><w:pPr><w:sectPr/></w:pPr></w:p>{content}");
    let text = body(&combined(&with_section(&two, "<w:sectPr/>"), &["A", "B"]));
    assert!(
        text.contains(" PAGEREF letter_000001_end ") && text.contains("w:name=\"letter_000002_end\""),
        "{text}"
    );
}

#[test]
fn letters_can_be_found_by_their_bookmarks() {
    let docx = with_section(&p(&merge_field("Name")), "<w:sectPr/>");
    let manner = Manner { marks: Marks::Bookmarks, ..Manner::default() };
    let text = body(&combined_in(&docx, &["A", "B"], manner));
    assert_eq!(values(&text, "w:bookmarkStart", "w:name"), ["letter_000001", "letter_000002"]);
}

#[test]
fn records_of_a_directory_follow_each_other_without_a_break() {
    let docx = with_section(&p(&merge_field("Name")), "<w:sectPr/>").with(
        "settings",
        "settings",
        "<w:mailMerge><w:mainDocumentType w:val=\"catalog\"/></w:mailMerge>",
    );
    let names = mailrun::merge::Namespace::new();
    assert!(docx.template().bind(&names, &mailrun::merge::FieldMap::new()).is_err(), "it has a field");
    let mut names = mailrun::merge::Namespace::new();
    names.column("Name", "Name");
    let bound = docx.template().bind(&names, &mailrun::merge::FieldMap::new()).expect("the field has a name");
    assert_eq!(bound.joint(), Joint::FollowOn);
    let manner = Manner { joint: bound.joint(), ..Manner::default() };
    let text = body(&combined_in(&docx, &["A", "B"], manner));
    assert_eq!(text, format!("{}{}<w:sectPr/>", p(&t("A")), p(&t("B"))));
}

#[test]
fn lists_begin_anew_in_each_letter_also_those_of_a_style() {
    let list = "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"1\"/></w:numPr></w:pPr></w:p>";
    let heading = "<w:p><w:pPr><w:pStyle w:val=\"H\"/></w:pPr></w:p>";
    let content = format!("{list}{heading}{}", p(&merge_field("Name")));
    let level = |n: u32, start: u32| {
        format!("<w:lvl w:ilvl=\"{n}\"><w:start w:val=\"{start}\"/><w:numFmt w:val=\"decimal\"/></w:lvl>")
    };
    let docx = with_section(&content, "<w:sectPr/>")
        .with(
            "numbering",
            "numbering",
            &format!(
                "<w:abstractNum w:abstractNumId=\"0\">{}</w:abstractNum><w:abstractNum w:abstractNumId=\"1\">{}</w:abstractNum>\
                 <w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num><w:num w:numId=\"2\"><w:abstractNumId w:val=\"1\"/></w:num>",
                level(0, 1),
                level(0, 4)
            ),
        )
        .with(
            "styles",
            "styles",
            "<w:style w:type=\"paragraph\" w:styleId=\"H\"><w:pPr><w:numPr><w:numId w:val=\"2\"/></w:numPr></w:pPr></w:style>",
        );
    let bytes = combined(&docx, &["A", "B"]);
    assert_eq!(values(&body(&bytes), "w:numId", "w:val"), ["1", "3", "4"]);
    let part =
        docx::names(&bytes).into_iter().find(|it| it.starts_with("word/numbering")).expect("it is there");
    let numbering = docx::read(&bytes, &part).expect("it is text");
    assert!(numbering.contains("<w:num w:numId=\"3\"><w:abstractNumId w:val=\"0\"/><w:lvlOverride w:ilvl=\"0\"><w:startOverride w:val=\"1\"/></w:lvlOverride></w:num>"), "{numbering}");
    assert!(numbering.contains("<w:startOverride w:val=\"4\"/>"), "{numbering}");
}

#[test]
fn a_letter_of_another_template_is_refused_with_its_part() {
    let one = with_section(&p(&merge_field("Name")), "<w:sectPr/>");
    let two = one_with_styles();
    let mut combined = Combined::new(Vec::new(), Cursor::new(Vec::new()), Manner::default());
    combined
        .add(&two.template().render(&docx::texts(&[("Name", "A")])).expect("renders").bytes)
        .expect("fits");
    let error = combined.add(&one.template().render(&docx::texts(&[("Name", "B")])).expect("renders").bytes);
    let error = error.expect_err("the first has styles");
    assert!(matches!(error, CombineError::OtherTemplate { letter: 2, .. }), "{error}");
}

fn one_with_styles() -> Docx {
    with_section(&p(&merge_field("Name")), "<w:sectPr/>").with("styles", "styles", "")
}

#[test]
fn without_letters_there_is_no_document() {
    let combined = Combined::new(Vec::new(), Cursor::new(Vec::new()), Manner::default());
    assert!(matches!(combined.finish(), Err(CombineError::NoLetter)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn letters_combined_have_the_text_of_each(names in prop::collection::vec("[a-z<&\"é ]{0,12}", 1..6)) {
        let docx = with_section(&format!("{}{}", p(&(t("Dear ") + &merge_field("Name"))), p(&t("Bye"))), "<w:sectPr/>");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = |xml: String| -> String {
            xml.split('<').filter_map(|it| it.split_once('>').map(|(_, text)| text.to_owned())).collect()
        };
        let alone: String = names
            .iter()
            .map(|name| text(own_body(&docx, name)))
            .collect();
        prop_assert_eq!(text(body(&combined(&docx, &names))), alone);
    }
}

/// Templates of one page and of two, with headers, footnotes, drawings and text boxes.
const TRIED: [&str; 7] = ["A013", "A014", "A015", "A016", "A017", "B032", "C043"];

#[test]
fn combined_letters_of_real_templates_look_as_they_do_alone() {
    let place = Place::new();
    let mut tried = Vec::new();
    let files = support::corpus();
    let has_corpus = !files.is_empty();
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !TRIED.iter().any(|tried| name.starts_with(tried)) {
            continue;
        }
        let path = path.display().to_string();
        let fields = place.run(&["merge", &path, "--fields", "--json"]).expect_code(0).json_lines();
        let names: BTreeSet<String> = fields
            .iter()
            .filter_map(|it| it["name"].as_str())
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect();
        let record = |number: u32| -> serde_json::Value {
            names
                .iter()
                .map(|name| (name.clone(), format!("V{number}{name}").into()))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let records = serde_json::Value::from(vec![record(1), record(2), record(3)]);
        place.write("data.json", records.to_string());
        let (all, out) = (format!("{name}.docx"), format!("{name}-letters"));
        let ended = place.run(&["merge", &path, "data.json", "--combined", &all, "--out", &out]);
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.stderr);
        let mut files = vec![place.path(&all)];
        files.extend((1..=3).map(|number| place.path(&format!("{out}/{number:06}.docx"))));
        office::expect_no_new_errors(path.as_ref(), &files[..1]);
        tried.push(files);
    }
    if has_corpus {
        assert_eq!(tried.len(), TRIED.len(), "{tried:?}");
    }
    let files: Vec<_> = tried.iter().flatten().collect();
    let pages = office::page_text(&files);
    python::text(&files);
    for (files, pages) in tried.iter().zip(pages.chunks(4)) {
        // LibreOffice numbers the footnotes of a document from its first to its last; Word begins anew where it is told.
        let has_notes = files[0].display().to_string().contains("footnote");
        let is_shown = |word: &&str| !has_notes || word.parse::<u32>().is_err();
        let words = |text: &str| -> Vec<String> {
            text.split_whitespace().filter(is_shown).map(str::to_owned).collect()
        };
        let n_pages = |text: &str| text.matches('\u{C}').count();
        let alone: Vec<String> = pages[1..].iter().flat_map(|text| words(text)).collect();
        assert_eq!(words(&pages[0]), alone, "{}", files[0].display());
        assert_eq!(
            n_pages(&pages[0]),
            pages[1..].iter().map(|text| n_pages(text)).sum::<usize>(),
            "{}",
            files[0].display()
        );
    }
}

#[test]
fn combined_alone_writes_one_file_and_the_same_each_time() {
    let place = Place::new();
    place.write("letter.docx", with_section(&p(&merge_field("Name")), "<w:sectPr/>").bytes());
    place.write("data.csv", "Name\nAda\nGrace\n");
    for name in ["one.docx", "two.docx"] {
        place
            .run(&["merge", "letter.docx", "data.csv", "--combined", name])
            .expect_code(0)
            .code
            .expect("it ended");
    }
    assert_eq!(place.read("one.docx"), place.read("two.docx"));
    assert!(!place.path("out").exists());
    let leftovers: Vec<String> = place.files("").into_iter().filter(|name| name.contains("tmp")).collect();
    assert_eq!(leftovers, Vec::<String>::new());
}

#[test]
fn next_takes_records_and_skipif_leaves_them_out_as_in_single_letters() {
    let (next, name) = (docx::field(&docx::code(" NEXT "), ""), merge_field("Name"));
    let numbers = docx::field(&docx::code(" MERGEREC "), &t("x"))
        + &t("/")
        + &docx::field(&docx::code(" MERGESEQ "), &t("x"));
    let skip = docx::field(&(docx::code(" SKIPIF ") + &merge_field("Name") + &docx::code(" = \"B*\" ")), "");
    for (content, names, expected) in [
        // Two records a letter, the last of which lacks its second.
        (format!("{name}{}{next}{name}", t("+")), "A\nB\nC\nD\nE\n", ["A+B", "C+D", "E+"].as_slice()),
        (format!("{skip}{name}{}{numbers}", t(" ")), "A\nB\nC\nBo\nE\n", &["A 1/1", "C 3/2", "E 5/3"]),
        (format!("{skip}{name}"), "B\nBo\n", &[]),
    ] {
        let place = Place::new();
        place.write("letter.docx", with_section(&p(&content), "<w:sectPr/>").bytes());
        place.write("data.csv", format!("Name\n{names}"));
        let ended =
            place.run(&["merge", "letter.docx", "data.csv", "--combined", "all.docx", "--out", "out"]);
        let ended = ended.expect_code(0);
        let n = expected.len();
        let said = if n == 0 { "0 letters, so there is no all.docx" } else { "3 letters in all.docx" };
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("{n} letters in out")), "{}", ended.stderr);
        let text = |name: &str| support::text::shown(&place.read(name), "document");
        let letters: Vec<String> = place.files("out").iter().flat_map(|name| text(name)).collect();
        assert_eq!(letters, expected, "{content}");
        // Without a letter there is no document.
        assert_eq!(place.path("all.docx").exists(), n > 0);
        if n > 0 {
            assert_eq!(text("all.docx"), expected, "{content}");
        }
    }
}

/// The content of one letter's body.
fn own_body(docx: &Docx, name: &str) -> String {
    let letter = docx.template().render(&docx::texts(&[("Name", name)])).expect("the letter renders");
    body(&letter.bytes)
}
