//! One document of many letters: what stands outside the text of a letter is the letter's own, too: headers, pictures,
//! notes, comments and what is said of them, also in Strict documents.

mod support;

use std::collections::BTreeSet;

use mailrun::merge::{Manner, Marks, Picture, Values};
use support::docx::{self, Docx, merge_field, p, t};
use support::place::Place;
use support::{office, picture};

const W14: &str = "xmlns:w14=\"http://schemas.microsoft.com/office/word/2010/wordml\"";
const WP: &str = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing";
const A: &str = "http://schemas.openxmlformats.org/drawingml/2006/main";
const PIC: &str = "http://schemas.openxmlformats.org/drawingml/2006/picture";

/// A document whose body is this, behind a first line, with everything that it needs declared.
fn document(body: &str) -> Docx {
    let root = format!("<w:document xmlns:w=\"{}\" xmlns:r=\"{}\" {W14}>", docx::W, docx::RELATIONSHIPS);
    Docx::empty()
        .raw("word/document.xml", &format!("{root}<w:body>{}{body}</w:body></w:document>", p(&t("Letter"))))
}

/// A part with paragraph ids, as Word writes it.
fn part_14(root: &str, content: &str) -> String {
    format!("<w:{root} xmlns:w=\"{}\" {W14}>{content}</w:{root}>", docx::W)
}

/// A run with the picture of this relationship.
fn drawing(relationship: &str, id: u32) -> String {
    format!(
        "<w:r><w:drawing><wp:inline xmlns:wp=\"{WP}\"><wp:extent cx=\"190500\" cy=\"95250\"/>\
         <wp:docPr id=\"{id}\" name=\"Logo\"/><a:graphic xmlns:a=\"{A}\"><a:graphicData uri=\"{PIC}\">\
         <pic:pic xmlns:pic=\"{PIC}\"><pic:nvPicPr><pic:cNvPr id=\"{id}\" name=\"Logo\"/><pic:cNvPicPr/></pic:nvPicPr>\
         <pic:blipFill><a:blip r:embed=\"{relationship}\"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>\
         <pic:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"190500\" cy=\"95250\"/></a:xfrm>\
         <a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>\
         </wp:inline></w:drawing></w:r>"
    )
}

fn relationships(content: &str) -> String {
    format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{content}</Relationships>"
    )
}

/// Values of a letter: texts, and pictures of a width.
fn values(texts: &[(&str, &str)]) -> Values {
    let mut values = docx::texts(texts);
    for width in [10, 20, 30] {
        let picture = Picture::read(picture::png(width, 10)).expect("it is a picture");
        values.set_picture(&format!("{width}.png"), picture);
    }
    values
}

fn combined(template: &[u8], letters: &[Values]) -> Vec<u8> {
    docx::combined(template, letters, Manner { marks: Marks::Bookmarks, ..Manner::default() })
}

/// The letters of a body, each from its bookmark to the next one's, with its section.
fn letters_of(bytes: &[u8]) -> Vec<String> {
    let text = docx::read(bytes, "word/document.xml").expect("it has a main part");
    text.split("w:name=\"letter_").skip(1).map(str::to_owned).collect()
}

/// The values of an attribute of all elements of a name.
fn attributes(xml: &str, element: &str, attribute: &str) -> Vec<String> {
    let (start, name) = (format!("<{element} "), format!("{attribute}=\""));
    let value = |tag: &str| tag.split('>').next()?.split(&name).nth(1)?.split('"').next().map(str::to_owned);
    xml.split(&start).skip(1).filter_map(value).collect()
}

/// The name of the part that a relationship of a part leads to.
fn target(bytes: &[u8], part: &str, id: &str) -> String {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let text = docx::read(bytes, &format!("{folder}/_rels/{file}.rels"))
        .unwrap_or_else(|| panic!("{part} has no relationships, but refers to {id}"));
    let tag = text.split("<Relationship ").find(|it| it.contains(&format!("Id=\"{id}\"")));
    let tag = tag.unwrap_or_else(|| panic!("{part} has no relationship {id}: {text}"));
    let target =
        tag.split("Target=\"").nth(1).and_then(|it| it.split('"').next()).expect("it leads somewhere");
    target.strip_prefix('/').map_or_else(|| format!("{folder}/{target}"), str::to_owned)
}

/// The header or footer of one type that a letter's first section names: its part.
fn header_of(bytes: &[u8], letter: &str, element: &str) -> String {
    let ids = attributes(letter, element, "r:id");
    target(bytes, "word/document.xml", ids.first().unwrap_or_else(|| panic!("no {element} in {letter}")))
}

/// A letter with the same picture and the letter's own in header, body and footnote.
fn with_pictures() -> Docx {
    let header = p(&(t("To {{Name}} ") + &drawing("rIdLogo", 7) + &t("{{image photo}}")));
    let note = p(&(t("Note to {{Name}} ") + &t("{{image photo}}")));
    let of_header = format!(
        "<Relationship Id=\"rIdLogo\" Type=\"{}/image\" Target=\"media/logo.png\"/>\
         <Relationship Id=\"rIdSite\" Type=\"{0}/hyperlink\" Target=\"https://example.com\" TargetMode=\"External\"/>",
        docx::RELATIONSHIPS
    );
    let body =
        p(&(merge_field("Name") + &t("{{image photo}}") + "<w:r><w:footnoteReference w:id=\"2\"/></w:r>"));
    let section = "<w:sectPr><w:headerReference w:type=\"default\" r:id=\"rIdheader1.xml\"/></w:sectPr>";
    document(&format!("{body}{section}"))
        .with("header", "hdr", &header)
        .with("footnotes", "footnotes", &format!("<w:footnote w:id=\"2\">{note}</w:footnote>"))
        .raw("word/_rels/header1.xml.rels", &relationships(&of_header))
        .binary("word/media/logo.png", "image/png", picture::png(5, 5))
}

/// Letters of which the first and the third have the same picture, and the second and the fourth the same text.
fn letters_with_pictures() -> Vec<Values> {
    let letter = |(name, photo)| values(&[("Name", name), ("photo", photo)]);
    [("Ada", "10.png"), ("Bo", "20.png"), ("Cy", "10.png"), ("Bo", "30.png"), ("Di", "")].map(letter).into()
}

#[test]
fn each_letter_has_its_own_pictures_in_header_body_and_note() {
    let transitional = with_pictures().bytes();
    let place = Place::new();
    let template = place.write("template.docx", &transitional);
    for (which, bytes) in [("strict", docx::strict(&transitional)), ("transitional", transitional)] {
        let bytes = combined(&bytes, &letters_with_pictures());
        let (letters, notes) =
            (letters_of(&bytes), docx::read(&bytes, "word/footnotes2.xml").expect("it is there"));
        let expected =
            [("Ada", Some(10)), ("Bo", Some(20)), ("Cy", Some(10)), ("Bo", Some(30)), ("Di", None)];
        assert_eq!(letters.len(), expected.len());
        let mut note_ids = BTreeSet::new();
        for (letter, (name, width)) in letters.iter().zip(expected) {
            let photo: Vec<Vec<u8>> = width.map(|width| picture::png(width, 10)).into_iter().collect();
            let shown = |part: &str, xml: &str| -> Vec<Vec<u8>> {
                let ids = attributes(xml, "a:blip", "r:embed");
                let read =
                    |id: &String| docx::read_bytes(&bytes, &target(&bytes, part, id)).expect("it is there");
                ids.iter().map(read).collect()
            };
            assert!(letter.contains(&format!(">{name}</w:t>")), "{letter}");
            assert_eq!(shown("word/document.xml", letter), photo, "{name}: {letter}");

            let header = header_of(&bytes, letter, "w:headerReference");
            let text = docx::read(&bytes, &header).expect("the header is there");
            assert!(text.contains(&format!(">{name}</w:t>")), "{name}: {text}");
            assert_eq!(shown(&header, &text), [vec![picture::png(5, 5)], photo.clone()].concat(), "{header}");

            let note_id = attributes(letter, "w:footnoteReference", "w:id").concat();
            let note = notes.split("<w:footnote ").find(|it| it.starts_with(&format!("w:id=\"{note_id}\"")));
            let note = note.expect("the note is there");
            assert!(note.contains(&format!(">{name}</w:t>")), "{name}: {note}");
            assert_eq!(shown("word/footnotes2.xml", note), photo, "{name}: {note}");
            assert!(note_ids.insert(note_id), "a note is of one letter");
        }
        // A file is there once, however many letters show it.
        let media = docx::names(&bytes).into_iter().filter(|name| name.contains("media/"));
        let files: BTreeSet<Vec<u8>> =
            media.clone().map(|name| docx::read_bytes(&bytes, &name).expect("it is there")).collect();
        assert_eq!(media.count(), files.len());
        place.write(&format!("{which}.docx"), bytes);
    }
    let file = place.path("transitional.docx");
    office::expect_no_new_errors(&template, &[&file]);
    let pages = office::page_text(&[place.path("strict.docx"), file]);
    assert!(pages.iter().all(|text| text.contains("Note to Cy") && text.contains("To Di")), "{pages:?}");
}

#[test]
fn a_header_is_there_once_for_letters_in_which_it_is_the_same() {
    let section = "<w:sectPr><w:headerReference w:type=\"default\" r:id=\"rIdheader1.xml\"/></w:sectPr>";
    let docx =
        document(&format!("{}{section}", p(&merge_field("Name")))).with("header", "hdr", &p(&t("{{Team}}")));
    let letters = ["A", "B", "A", "B", "A"].map(|team| values(&[("Name", "x"), ("Team", team)]));
    let bytes = combined(&docx.bytes(), &letters);
    let headers: Vec<String> =
        letters_of(&bytes).iter().map(|it| header_of(&bytes, it, "w:headerReference")).collect();
    assert_eq!((&headers[0], &headers[1]), (&headers[2], &headers[3]));
    assert_eq!(headers.iter().collect::<BTreeSet<_>>().len(), 2, "{headers:?}");
}

/// A letter whose second page alone has a header, and which has a page with a footer of its own if `Extra` is not blank.
fn with_late_header() -> Docx {
    let section = |content: &str| format!("<w:sectPr>{content}</w:sectPr>");
    let paragraph = |section: &str, runs: &str| format!("<w:p><w:pPr>{section}</w:pPr>{runs}</w:p>");
    let extra = format!(
        "{}{}{}{}",
        p(&t("{{#if Extra}}")),
        p(&t("Extra of {{Name}}")),
        paragraph(
            &section("<w:footerReference w:type=\"default\" r:id=\"rIdfooter2.xml\"/>"),
            &t("extra end")
        ),
        p(&t("{{/if}}"))
    );
    let body = format!(
        "{extra}{}{}{}",
        paragraph(&section(""), &t("First of {{Name}}")),
        p(&t("Second of {{Name}}")),
        section("<w:headerReference w:type=\"default\" r:id=\"rIdheader1.xml\"/>")
    );
    document(&body).with("header", "hdr", &p(&t("HEADER of {{Name}}"))).with(
        "footer",
        "ftr",
        &p(&t("FOOTER of {{Name}}")),
    )
}

#[test]
fn a_page_without_header_shows_none_of_the_letter_before() {
    let letters = [("Ada", "yes"), ("Bo", ""), ("Cy", "yes"), ("Di", "")]
        .map(|(name, extra)| values(&[("Name", name), ("Extra", extra)]));
    let transitional = with_late_header().bytes();
    let place = Place::new();
    let files: Vec<_> = [("transitional", transitional.clone()), ("strict", docx::strict(&transitional))]
        .into_iter()
        .map(|(name, template)| place.write(&format!("{name}.docx"), combined(&template, &letters)))
        .collect();
    let template = place.write("template.docx", transitional);
    office::expect_no_new_errors(&template, &files[..1]);
    for pages in office::page_text(&files) {
        let words = |page: &str| page.split_whitespace().collect::<Vec<_>>().join(" ");
        let pages: Vec<String> = pages.split('\u{C}').map(words).filter(|page| !page.is_empty()).collect();
        let letter = |name: &str, extra: bool| {
            // Within a letter a section takes over the footer of the one before, as in Word.
            let footer = if extra { format!(" FOOTER of {name}") } else { String::new() };
            let start = |is_first: bool| if is_first { "Letter " } else { "" };
            let page = extra.then(|| format!("{}Extra of {name} extra end{footer}", start(extra)));
            let rest = [
                format!("{}First of {name}{footer}", start(!extra)),
                format!("HEADER of {name} Second of {name}{footer}"),
            ];
            page.into_iter().chain(rest).collect::<Vec<_>>()
        };
        let expected =
            [letter("Ada", true), letter("Bo", false), letter("Cy", true), letter("Di", false)].concat();
        assert_eq!(pages, expected);
    }
}

const COMMENT_KINDS: [(&str, &str, &str, &str); 3] = [
    (
        "commentsExtended",
        "http://schemas.microsoft.com/office/2011/relationships/commentsExtended",
        "<w15:commentsEx xmlns:w15=\"http://schemas.microsoft.com/office/word/2012/wordml\">\
         <w15:commentEx w15:paraId=\"00000A01\" w15:done=\"0\"/>\
         <w15:commentEx w15:paraId=\"00000A03\" w15:paraIdParent=\"00000A01\" w15:done=\"1\"/>\
         <w15:commentEx w15:paraId=\"00000A05\" w15:done=\"0\"/></w15:commentsEx>",
        "commentEx",
    ),
    (
        "commentsIds",
        "http://schemas.microsoft.com/office/2016/09/relationships/commentsIds",
        "<w16cid:commentsIds xmlns:w16cid=\"http://schemas.microsoft.com/office/word/2016/wordml/cid\">\
         <w16cid:commentId w16cid:paraId=\"00000A01\" w16cid:durableId=\"2B000001\"/>\
         <w16cid:commentId w16cid:paraId=\"00000A03\" w16cid:durableId=\"2B000003\"/>\
         <w16cid:commentId w16cid:paraId=\"00000A05\" w16cid:durableId=\"2B000005\"/></w16cid:commentsIds>",
        "commentId",
    ),
    (
        "commentsExtensible",
        "http://schemas.microsoft.com/office/2018/08/relationships/commentsExtensible",
        "<w16cex:commentsExtensible xmlns:w16cex=\"http://schemas.microsoft.com/office/word/2018/wordml/cex\">\
         <w16cex:commentExtensible w16cex:durableId=\"2B000001\" w16cex:dateUtc=\"2026-01-02T03:04:05Z\"/>\
         <w16cex:commentExtensible w16cex:durableId=\"2B000003\" w16cex:dateUtc=\"2026-01-02T03:04:06Z\"/>\
         <w16cex:commentExtensible w16cex:durableId=\"2B000005\" w16cex:dateUtc=\"2026-01-02T03:04:07Z\"/>\
         </w16cex:commentsExtensible>",
        "commentExtensible",
    ),
];

/// A letter with a footnote and an endnote.
fn with_notes() -> Docx {
    let notes = "<w:r><w:footnoteReference w:id=\"1\"/></w:r><w:r><w:endnoteReference w:id=\"1\"/></w:r>";
    let note = |element: &str, text: &str| {
        let separators = format!(
            "<w:{element} w:type=\"separator\" w:id=\"-1\"><w:p><w:r><w:separator/></w:r></w:p></w:{element}>\
             <w:{element} w:type=\"continuationSeparator\" w:id=\"0\"><w:p><w:r><w:continuationSeparator/></w:r></w:p></w:{element}>"
        );
        format!("{separators}<w:{element} w:id=\"1\">{}</w:{element}>", p(&t(text)))
    };
    document(&format!("{}<w:sectPr/>", p(&(merge_field("Name") + notes))))
        .with("footnotes", "footnotes", &note("footnote", "Footnote of {{Name}}"))
        .with("endnotes", "endnotes", &note("endnote", "Endnote of {{Name}}"))
}

#[test]
fn each_letter_has_its_own_notes() {
    let letters = ["Ada", "Bo", "Cy"].map(|name| values(&[("Name", name)]));
    let transitional = with_notes().bytes();
    let place = Place::new();
    let template = place.write("template.docx", &transitional);
    let mut files = Vec::new();
    for (which, template) in [("transitional", transitional.clone()), ("strict", docx::strict(&transitional))]
    {
        let bytes = combined(&template, &letters);
        let own_letters = letters_of(&bytes);
        assert_eq!(own_letters.len(), letters.len());
        for (letter, name) in own_letters.iter().zip(["Ada", "Bo", "Cy"]) {
            for (note, part) in [("footnote", "word/footnotes1.xml"), ("endnote", "word/endnotes2.xml")] {
                let id = attributes(letter, &format!("w:{note}Reference"), "w:id").concat();
                let notes = docx::read(&bytes, part).expect("it is there");
                let start = format!("w:id=\"{id}\"");
                let own = notes.split(&format!("<w:{note} ")).find(|it| it.starts_with(&start));
                let own = own.expect("the note is there");
                assert!(own.contains(&format!(">{name}</w:t>")), "{which} {name}: {own}");
                assert_eq!(notes.matches("\"separator\"").count(), 1, "{notes}");
            }
        }
        files.push(place.write(&format!("{which}.docx"), bytes));
    }
    office::expect_no_new_errors(&template, &files[..1]);
    for text in office::page_text(&files) {
        for name in ["Ada", "Bo", "Cy"] {
            assert!(text.contains(&format!("Footnote of {name}")), "{name}: {text}");
            assert!(text.contains(&format!("Endnote of {name}")), "{name}: {text}");
        }
    }
}

/// A letter with a comment, a reply to it, and a comment that nothing refers to.
fn with_comments() -> Docx {
    let around = |id: u32, runs: &str| {
        format!(
            "<w:commentRangeStart w:id=\"{id}\"/>{runs}<w:commentRangeEnd w:id=\"{id}\"/>\
             <w:r><w:commentReference w:id=\"{id}\"/></w:r>"
        )
    };
    let content = around(0, &around(1, &merge_field("Name")));
    let comment = |id: u32, paragraph: u32, text: &str| {
        let paragraphs = format!(
            "<w:p w14:paraId=\"{:08X}\">{}</w:p><w:p w14:paraId=\"{paragraph:08X}\"/>",
            paragraph - 1,
            t(text)
        );
        format!("<w:comment w:id=\"{id}\" w:author=\"x\" w:initials=\"x\">{paragraphs}</w:comment>")
    };
    let comments =
        comment(0, 0xA01, "On {{Name}}") + &comment(1, 0xA03, "Reply") + &comment(2, 0xA05, "Lost");
    let wml = "application/vnd.openxmlformats-officedocument.wordprocessingml";
    let docx = document(&format!("<w:p w14:paraId=\"00000001\">{content}</w:p><w:sectPr/>")).extension(
        &format!("{}/comments", docx::RELATIONSHIPS),
        &format!("{wml}.comments+xml"),
        ("comments.xml", &part_14("comments", &comments)),
    );
    COMMENT_KINDS.iter().fold(docx, |docx, (name, relationship, content, _)| {
        docx.extension(relationship, &format!("{wml}.{name}+xml"), (&format!("{name}.xml"), content))
    })
}

#[test]
fn each_letter_has_its_own_comments_with_their_replies_and_states() {
    let letters = ["Ada", "Bo", "Cy"].map(|name| values(&[("Name", name)]));
    let transitional = with_comments().bytes();
    let place = Place::new();
    let template = place.write("template.docx", &transitional);
    let mut files = Vec::new();
    for (which, template) in [("transitional", transitional.clone()), ("strict", docx::strict(&transitional))]
    {
        let bytes = combined(&template, &letters);
        let part = |name: &str| docx::read(&bytes, name).expect("it is there");
        let comments = part("word/comments.xml");
        let own_letters = letters_of(&bytes);
        assert_eq!(own_letters.len(), letters.len());
        for (letter, name) in own_letters.iter().zip(["Ada", "Bo", "Cy"]) {
            let ids =
                |element: &str| attributes(letter, element, "w:id").into_iter().collect::<BTreeSet<_>>();
            let referred = ids("w:commentReference");
            assert_eq!((&ids("w:commentRangeStart"), &ids("w:commentRangeEnd")), (&referred, &referred));
            let texts: Vec<&str> = comments
                .split("<w:comment ")
                .skip(1)
                .filter(|it| referred.iter().any(|id| it.starts_with(&format!("w:id=\"{id}\""))))
                .collect();
            assert_eq!(texts.len(), 2, "{which} {name}: {comments}");
            assert!(texts[0].contains(&format!(">{name}</w:t>")) && texts[1].contains("Reply"), "{texts:?}");
        }
        // What other parts say of comments names each by its last paragraph, and by its lasting id.
        let mut last_paragraphs: Vec<String> = comments
            .split("<w:comment ")
            .skip(1)
            .map(|it| attributes(it, "w:p", "w14:paraId").last().expect("it has paragraphs").clone())
            .collect();
        last_paragraphs.sort();
        let n_comments = 3 + 2 + 2;
        assert_eq!(last_paragraphs.iter().collect::<BTreeSet<_>>().len(), n_comments, "{comments}");
        let remarks = |kind: usize, attribute: &str| -> Vec<String> {
            let (name, _, content, element) = COMMENT_KINDS[kind];
            let prefix = content[1..].split(':').next().expect("a prefix");
            let text = part(&format!("word/{name}.xml"));
            let mut found =
                attributes(&text, &format!("{prefix}:{element}"), &format!("{prefix}:{attribute}"));
            found.sort();
            found
        };
        assert_eq!(remarks(0, "paraId"), last_paragraphs, "{which}");
        assert_eq!(remarks(1, "paraId"), last_paragraphs, "{which}");
        let parents: BTreeSet<String> = remarks(0, "paraIdParent").into_iter().collect();
        assert_eq!(parents.len(), letters.len(), "each letter has a reply of its own: {parents:?}");
        assert!(parents.iter().all(|parent| last_paragraphs.contains(parent)), "{parents:?}");
        let lasting = remarks(1, "durableId");
        assert_eq!(lasting, remarks(2, "durableId"), "{which}");
        assert_eq!(lasting.iter().collect::<BTreeSet<_>>().len(), n_comments);
        files.push(place.write(&format!("{which}.docx"), bytes));
    }
    office::expect_no_new_errors(&template, &files[..1]);
    for text in office::text(&files) {
        assert!(["Ada", "Bo", "Cy"].iter().all(|name| text.contains(name)), "{text}");
    }
}
