//! Owns the promise that a letter reads the same as an e-mail: as clean HTML and as plain text.

#![expect(clippy::unwrap_used, reason = "what a test sets up must succeed, or the test fails")]

use std::io::{Cursor, Write};

use uuid::Uuid;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use mailrun::delivery::document::{Document, DocumentError};
use mailrun::delivery::html::{LetterBody, letter_body};
use mailrun::delivery::message::MessageId;

const NAMESPACES: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape""#;

const STYLES: &str = r#"<w:docDefaults><w:rPrDefault><w:rPr><w:sz w:val="22"/></w:rPr></w:rPrDefault></w:docDefaults>
<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/><w:rPr><w:b/><w:sz w:val="32"/></w:rPr></w:style>
<w:style w:type="character" w:styleId="Strong"><w:name w:val="Strong"/><w:rPr><w:b/></w:rPr></w:style>"#;

const NUMBERING: &str = r#"<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>"#;

const FOOTNOTES: &str = r#"<w:footnote w:id="2"><w:p><w:r><w:t>As of March.</w:t></w:r></w:p></w:footnote>"#;

/// Builds a package with this body.
fn docx(body: &str) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let rels = "http://schemas.openxmlformats.org/package/2006/relationships";
    let parts = [
        (
            "_rels/.rels",
            format!(
                r#"<Relationships xmlns="{rels}"><Relationship Id="r1" Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>"#
            ),
        ),
        (
            "word/_rels/document.xml.rels",
            format!(
                r#"<Relationships xmlns="{rels}"><Relationship Id="s" Type="{office}/styles" Target="styles.xml"/><Relationship Id="n" Type="{office}/numbering" Target="numbering.xml"/><Relationship Id="f" Type="{office}/footnotes" Target="/word/footnotes.xml"/><Relationship Id="web" Type="{office}/hyperlink" TargetMode="External" Target="https://example.com/?a=1&amp;b=2"/><Relationship Id="evil" Type="{office}/hyperlink" TargetMode="External" Target="javascript:alert(1)"/><Relationship Id="logo" Type="{office}/image" Target="media/logo.png"/><Relationship Id="remote" Type="{office}/image" TargetMode="External" Target="https://example.com/track.png"/></Relationships>"#
            ),
        ),
        ("word/styles.xml", format!("<w:styles {NAMESPACES}>{STYLES}</w:styles>")),
        ("word/numbering.xml", format!("<w:numbering {NAMESPACES}>{NUMBERING}</w:numbering>")),
        ("word/footnotes.xml", format!("<w:footnotes {NAMESPACES}>{FOOTNOTES}</w:footnotes>")),
        ("word/media/logo.png", "\u{89}PNG".to_owned()),
        ("word/document.xml", format!("<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>")),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        let bytes = if name.ends_with(".png") { b"\x89PNG".to_vec() } else { content.into_bytes() };
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn letter(body: &str) -> LetterBody {
    let id = MessageId::new(Uuid::from_u128(7), 1, &"post@example.com".parse().unwrap());
    letter_body(&Document::read(&docx(body)).unwrap(), "Title", &id)
}

#[track_caller]
fn check(body: &str, html: &str, text: &str) {
    let letter = letter(body);
    let (_, shown) = letter.html.split_once("font-size:11pt\">\n").unwrap();
    assert_eq!(shown.strip_suffix("</body></html>\n").unwrap(), html);
    assert_eq!(letter.text, text);
}

#[test]
fn formatting_shows_where_it_differs_from_the_default() {
    check(
        r#"<w:p><w:r><w:t xml:space="preserve">Dear </w:t></w:r><w:r><w:rPr><w:b/><w:sz w:val="22"/></w:rPr><w:t>An</w:t></w:r><w:proofErr/><w:r><w:rPr><w:b/></w:rPr><w:t>na</w:t></w:r><w:r><w:rPr><w:i/><w:u w:val="single"/><w:strike/><w:color w:val="FF0000"/><w:sz w:val="29"/></w:rPr><w:t>!</w:t></w:r><w:r><w:rPr><w:rStyle w:val="Strong"/></w:rPr><w:t>s</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>"#,
        "<p>Dear <b>Anna</b><i><u><s><span style=\"color:#ff0000;font-size:14.5pt\">!</span></s></u></i><b>s</b></p>\n",
        "Dear Anna!s\n",
    );
}

#[test]
fn a_heading_is_a_heading_and_alignment_stays() {
    check(
        r#"<w:p><w:pPr><w:pStyle w:val="H1"/></w:pPr><w:r><w:t>Spring</w:t></w:r></w:p><w:p><w:pPr><w:jc w:val="right"/></w:pPr><w:r><w:t>Bern</w:t><w:br/><w:t>a</w:t><w:tab/><w:t>b</w:t></w:r></w:p><w:p/>"#,
        "<h1>Spring</h1>\n<p style=\"text-align:right\">Bern<br>a&emsp;b</p>\n<p><br></p>\n",
        "Spring\n\nBern\na\tb\n",
    );
}

#[test]
fn lists_nest_and_go_on_after_a_paragraph() {
    let item = |number: u8, level: u8, text: &str| {
        format!(
            r#"<w:p><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"#
        )
    };
    let body = [
        item(1, 0, "one"),
        item(1, 1, "sub"),
        item(1, 0, "two"),
        "<w:p><w:r><w:t>between</w:t></w:r></w:p>".to_owned(),
        item(1, 0, "three"),
        item(2, 0, "dot"),
    ];
    check(
        &body.concat(),
        "<ol>\n<li>one\n<ol type=\"a\">\n<li>sub</li>\n</ol>\n</li>\n<li>two</li>\n</ol>\n<p>between</p>\n\
         <ol start=\"3\">\n<li>three</li>\n</ol>\n<ul>\n<li>dot</li>\n</ul>\n",
        "1. one\n  a. sub\n2. two\n\nbetween\n\n3. three\n- dot\n",
    );
}

#[test]
fn a_table_keeps_its_merged_cells() {
    let cell = |properties: &str, text: &str| {
        format!("<w:tc><w:tcPr>{properties}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>")
    };
    let body = format!(
        r#"<w:tbl><w:tblPr><w:tblBorders><w:top w:val="single"/></w:tblBorders></w:tblPr><w:tr><w:trPr><w:tblHeader/></w:trPr>{}</w:tr><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>"#,
        cell(r#"<w:gridSpan w:val="2"/>"#, "Orders"),
        cell(r#"<w:vMerge w:val="restart"/>"#, "Rose"),
        cell("", "2"),
        cell("<w:vMerge/>", ""),
        cell("", "3"),
    );
    let style = "style=\"border:1px solid #999;padding:2px 8px;vertical-align:top\"";
    check(
        &body,
        &format!(
            "<table style=\"border-collapse:collapse\">\n<tr>\n<th {style} colspan=\"2\">Orders</th>\n</tr>\n\
             <tr>\n<td {style} rowspan=\"2\">Rose</td>\n<td {style}>2</td>\n</tr>\n<tr>\n<td {style}>3</td>\n</tr>\n</table>\n"
        ),
        "Orders\nRose | 2\n3\n",
    );
}

#[test]
fn a_link_leads_to_the_web_and_never_to_a_script() {
    check(
        r#"<w:p><w:hyperlink r:id="web"><w:r><w:t>our page</w:t></w:r></w:hyperlink><w:r><w:t>,</w:t></w:r><w:hyperlink r:id="evil"><w:r><w:t>click</w:t></w:r></w:hyperlink><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> HYPERLINK "mailto:post@example.com" </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>post@example.com</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>"#,
        "<p><a href=\"https://example.com/?a=1&amp;b=2\">our page</a>,click<a href=\"mailto:post@example.com\">post@example.com</a></p>\n",
        "our page <https://example.com/?a=1&b=2>,clickpost@example.com\n",
    );
}

#[test]
fn a_field_shows_its_result_and_a_change_its_new_text() {
    check(
        r#"<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> DATE </w:instrText></w:r><w:r><w:t>code</w:t></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1 March</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r><w:fldSimple w:instr=" PAGE "><w:r><w:t>7</w:t></w:r></w:fldSimple><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:sdt><w:sdtContent><w:r><w:t>!</w:t></w:r></w:sdtContent></w:sdt></w:p>"#,
        "<p>1 March7new!</p>\n",
        "1 March7new!\n",
    );
}

#[test]
fn text_that_looks_like_html_stays_text() {
    check(
        r#"<w:p><w:r><w:t>&lt;script&gt;alert("1 &amp; 2")&lt;/script&gt;  x &#x41;</w:t></w:r></w:p>"#,
        "<p>&lt;script&gt;alert(&quot;1 &amp; 2&quot;)&lt;/script&gt; &nbsp;x A</p>\n",
        "<script>alert(\"1 & 2\")</script>  x A\n",
    );
}

#[test]
fn a_picture_travels_with_the_message_and_a_remote_one_is_not_fetched() {
    let drawing = |blip: &str, description: &str| {
        format!(
            r#"<w:r><w:drawing><wp:inline><wp:extent cx="952500" cy="476250"/><wp:docPr id="1" descr="{description}"/><a:graphic><a:blip {blip}/></a:graphic></wp:inline></w:drawing></w:r>"#
        )
    };
    let body = format!(
        "<w:p>{}{}{}</w:p>",
        drawing(r#"r:embed="logo""#, "Our &quot;logo&quot;"),
        drawing(r#"r:link="remote""#, "gone"),
        drawing(r#"r:embed="logo""#, ""),
    );
    let letter = letter(&body);
    assert_eq!(letter.pictures.len(), 1);
    assert_eq!(letter.pictures[0].bytes, b"\x89PNG");
    let source = format!("src=\"cid:{}\"", letter.pictures[0].content_id);
    assert!(letter.html.contains(&format!(
        "<p><img {source} alt=\"Our &quot;logo&quot;\" width=\"100\" height=\"50\">[gone]<img {source} alt=\"\" width=\"100\" height=\"50\"></p>"
    )));
    assert!(!letter.html.contains("track.png"));
    assert_eq!(letter.text, "[Our \"logo\"][gone]\n");
}

#[test]
fn a_text_box_is_shown_once_and_a_note_at_the_end() {
    let text_box = "<w:txbxContent><w:p><w:r><w:t>Box</w:t></w:r></w:p></w:txbxContent>";
    check(
        &format!(
            r#"<w:p><w:r><w:t>Price</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor><wps:txbx>{text_box}</wps:txbx></wp:anchor></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>{text_box}</v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"#
        ),
        "<p>Price<sup>1</sup></p>\n<p>Box</p>\n<hr>\n<div><sup>1</sup>\n<p>As of March.</p>\n</div>\n",
        "Price[1]\n\nBox\n\n[1] As of March.\n",
    );
}

#[test]
fn what_is_no_word_document_is_refused() {
    let refused = |bytes: &[u8]| Document::read(bytes).unwrap_err();
    assert!(matches!(refused(b"plain"), DocumentError::NotAnArchive(_)));
    assert!(matches!(
        refused(&ZipWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner()),
        DocumentError::NoDocument
    ));
    assert!(matches!(refused(&docx("<w:p>")), DocumentError::Xml { .. }));
    assert!(matches!(refused(&docx(&"<w:p>".repeat(300))), DocumentError::Xml { .. }));
}
