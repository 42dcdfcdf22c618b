//! Barcodes: a live field with the letter's value, and a result that others than Word can show.

mod support;

use mailrun::merge::{RenderError, Template};

use support::docx::{self, Docx, code, field, p, t};

fn barcode(text: &str) -> Docx {
    Docx::new(&p(&field(&code(&format!(" MERGEBARCODE {text} ")), &t("old"))))
}

#[test]
fn a_qr_code_is_a_live_field_with_a_picture() {
    let docx = barcode("url QR \\q 3 \\s 50 \\f 0x0000FF");
    let letter = docx.template().render(&docx::texts(&[("url", "https://a/?b=\"c\"")])).expect("it renders");
    assert_eq!(mailrun::merge::lint(&letter.bytes).expect("it is a package"), Vec::new());
    let body = docx::body(&letter);
    let instruction: String = body
        .split("<w:instrText xml:space=\"preserve\">")
        .skip(1)
        .filter_map(|rest| rest.split("</w:instrText>").next())
        .collect();
    let expected = " DISPLAYBARCODE &quot;https://a/?b=\\&quot;c\\&quot;&quot; QR \\q 3 \\s 50 \\f 0x0000FF ";
    assert_eq!(instruction, expected);
    assert!(body.contains("<wp:extent cx=\"457200\" cy=\"457200\"/>"), "{body}");
    let name = docx::names(&letter.bytes).into_iter().find(|name| name.starts_with("word/media/"));
    let picture = docx::bytes(&letter.bytes, &name.expect("there is a picture")).expect("it can be read");
    assert_eq!(
        picture.get(41..47),
        Some(&[255, 255, 255, 0, 0, 255][..]),
        "the palette: white, and the blue asked for"
    );
}

#[test]
fn another_kind_shows_its_value_and_says_so() {
    let template = barcode("no CODE128 \\t").template();
    assert_eq!(template.warnings().iter().map(|it| it.id()).collect::<Vec<_>>(), ["barcode-as-text"]);
    let letter = template.render(&docx::texts(&[("no", "4711")])).expect("it renders");
    let body = docx::body(&letter);
    assert!(body.contains("<w:t xml:space=\"preserve\">4711</w:t>"), "{body}");
    assert!(body.contains("&quot; CODE128 \\t </w:instrText>"), "{body}");
}

#[test]
fn a_blank_value_has_no_barcode() {
    let letter = barcode("no QR").template().render(&docx::texts(&[("no", "")])).expect("it renders");
    assert!(!docx::body(&letter).contains("fldChar"));
}

#[test]
fn a_value_that_is_too_long_is_an_error() {
    let error = barcode("no QR").template().render(&docx::texts(&[("no", &"x".repeat(4_000))]));
    assert!(matches!(error, Err(RenderError::Barcode { n_bytes: 4_000 })), "{error:?}");
}

#[test]
fn a_barcode_without_its_kind_is_a_problem() {
    let template = Template::compile(&barcode("no").bytes()).expect("the document compiles");
    assert_eq!(template.problems().iter().map(|it| it.id()).collect::<Vec<_>>(), ["incomplete-field"]);
}
