//! Pictures in letters: which file is shown, how large, and what the letter's package has for it.

mod support;

use mailrun::merge::{Letter, Picture, RenderError, Template, Value, Values};

use proptest::prelude::{any, prop, prop_assert, proptest};
use support::docx::{self, Docx, code, field, merge_field, p, t};
use support::picture;

const EMU_PER_PIXEL: u64 = 9_525;

fn values(pairs: &[(&str, &str)]) -> Values {
    let mut values = docx::texts(pairs);
    for name in ["ada.png", "photos/ada.png", "logo.jpg"] {
        let bytes = if name.ends_with("jpg") { picture::jpeg(60, 30) } else { picture::png(20, 10) };
        values.set_picture(name, Picture::read(bytes).expect("it is a picture"));
    }
    values
}

fn letter(docx: &Docx, pairs: &[(&str, &str)]) -> Letter {
    let letter = docx.template().render(&values(pairs)).expect("the letter renders");
    let flaws: Vec<String> = mailrun::merge::lint(&letter.bytes)
        .expect("the letter is a package")
        .iter()
        .map(|it| it.flaw.to_string())
        .collect();
    assert_eq!(flaws, Vec::<String>::new());
    letter
}

fn shown(docx: &Docx, pairs: &[(&str, &str)]) -> String {
    docx::body(&letter(docx, pairs))
}

fn extent(body: &str) -> (u64, u64) {
    let number = |name: &str| {
        let start = body.find(&format!(" {name}=\"")).expect("there is an extent") + name.len() + 3;
        body[start..].split('"').next().and_then(|it| it.parse().ok()).expect("it is a number")
    };
    (number("cx"), number("cy"))
}

fn include_picture(nested: &str, switches: &str, result: &str) -> String {
    let code = format!("{}{nested}{}", code(" INCLUDEPICTURE \""), code(&format!("\" {switches} ")));
    field(&code, result)
}

#[test]
fn an_image_field_becomes_a_picture_in_the_line() {
    let docx = Docx::new(&p(&format!("{}{}", t("Ada: "), merge_field("Image:photo"))));
    let letter = letter(&docx, &[("photo", "ada.png")]);
    let body = docx::body(&letter);
    assert!(
        body.starts_with("<w:p><w:r><w:t xml:space=\"preserve\">Ada: </w:t></w:r><w:r><w:drawing>"),
        "{body}"
    );
    assert_eq!(extent(&body), (20 * EMU_PER_PIXEL, 10 * EMU_PER_PIXEL));
    let relationships = docx::read(&letter.bytes, "word/_rels/document.xml.rels").expect("it is there");
    let name = docx::names(&letter.bytes).into_iter().find(|name| name.starts_with("word/media/"));
    let name = name.expect("the picture is a part");
    assert!(
        relationships.contains(&format!("/image\" Target=\"/{name}\"/></Relationships>")),
        "{relationships}"
    );
    let types = docx::read(&letter.bytes, "[Content_Types].xml").expect("it is there");
    assert!(types.contains("<Default Extension=\"png\" ContentType=\"image/png\"/>"), "{types}");
    assert_eq!(docx::bytes(&letter.bytes, &name), Some(picture::png(20, 10)));
}

#[test]
fn an_includepicture_with_data_shows_the_file_that_its_values_name() {
    let nested = merge_field("no");
    for (values, is_shown) in [([("no", "ada")], true), ([("no", "")], false)] {
        let code = format!("{}{nested}{}", code(" INCLUDEPICTURE \"photos/"), code(".png\" \\d "));
        let body = shown(&Docx::new(&p(&format!("{}{}", t("x"), field(&code, "")))), &values);
        assert_eq!(body.contains("<w:drawing>"), is_shown, "{body}");
    }
}

#[test]
fn an_includepicture_without_data_stays_a_live_field() {
    let live = field(&code(" INCLUDEPICTURE \"logo.png\" \\d "), &t("old"));
    assert_eq!(shown(&Docx::new(&p(&live)), &[]), p(&live));
}

#[test]
fn a_tag_shows_a_picture_in_the_size_it_asks_for() {
    for (tag, expected) in [
        ("{{image photo}}", (20 * EMU_PER_PIXEL, 10 * EMU_PER_PIXEL)),
        ("{{image photo width=40}}", (1_440_000, 720_000)),
        ("{{image photo height=1cm}}", (720_000, 360_000)),
        ("{{image photo width=1in height=1in}}", (914_400, 457_200)),
    ] {
        assert_eq!(extent(&shown(&Docx::new(&p(&t(tag))), &[("photo", "ada.png")])), expected, "{tag}");
    }
}

#[test]
fn the_old_picture_tells_the_size() {
    let old = "<w:r><w:drawing><wp:inline xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\">\
               <wp:extent cx=\"400000\" cy=\"400000\"/></wp:inline></w:drawing></w:r>";
    for (switches, expected) in [("\\d", (400_000, 200_000)), ("\\* MERGEFORMAT", (400_000, 400_000))] {
        let docx = Docx::new(&p(&include_picture(&merge_field("photo"), switches, old)));
        assert_eq!(extent(&shown(&docx, &[("photo", "ada.png")])), expected, "{switches}");
    }
}

#[test]
fn a_natural_size_is_by_the_files_dots_per_inch_and_within_the_cell() {
    let cell = format!(
        "<w:tbl><w:tblPr/><w:tblGrid><w:gridCol w:w=\"1000\"/></w:tblGrid><w:tr><w:tc><w:tcPr>\
         <w:tcW w:w=\"336\" w:type=\"dxa\"/></w:tcPr>{}</w:tc></w:tr></w:tbl><w:p/>",
        p(&merge_field("Image:photo"))
    );
    // 120 twips are left of the cell.
    assert_eq!(extent(&shown(&Docx::new(&cell), &[("photo", "ada.png")])), (76_200, 38_100));
    let docx = Docx::new(&p(&merge_field("Image:photo")));
    // The JPEG says 300 dots per inch.
    assert_eq!(extent(&shown(&docx, &[("photo", "logo.jpg")])), (182_880, 91_440));
}

#[test]
fn a_blank_value_shows_nothing_and_its_paragraph_goes() {
    let docx = Docx::new(&format!("{}{}", p(&merge_field("Image:photo")), p(&t("end"))));
    let letter = letter(&docx, &[("photo", "")]);
    assert_eq!(docx::body(&letter), p(&t("end")));
    assert!(!docx::names(&letter.bytes).iter().any(|name| name.contains("media")));
}

#[test]
fn each_row_shows_its_picture_and_a_file_is_in_the_letter_once() {
    let row = |content: &str| {
        format!(
            "<w:tr><w:tc><w:tcPr><w:tcW w:w=\"3000\" w:type=\"dxa\"/></w:tcPr>{}</w:tc></w:tr>",
            p(content)
        )
    };
    let fields = [merge_field("TableStart:items"), merge_field("Image:photo"), merge_field("TableEnd:items")];
    let table = format!(
        "<w:tbl><w:tblPr/><w:tblGrid><w:gridCol w:w=\"3000\"/></w:tblGrid>{}</w:tbl><w:p/>",
        row(&fields.concat())
    );
    let template = Docx::new(&table).template();
    let mut values = values(&[]);
    values
        .set_rows("items", ["ada.png", "logo.jpg", "ada.png"].map(|it| docx::texts(&[("photo", it)])).into());
    let letter = template.render(&values).expect("the letter renders");
    let body = docx::body(&letter);
    let ids: Vec<&str> =
        body.split("<wp:docPr id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.len(), 3, "{body}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    assert_eq!(body.matches("r:embed=\"rIdMerged1\"").count(), 2, "{body}");
    assert_eq!(docx::names(&letter.bytes).iter().filter(|name| name.contains("media")).count(), 2);
}

#[test]
fn a_header_has_its_own_relationship() {
    let docx = Docx::new(&p(&t("body"))).with("header", "hdr", &p(&merge_field("Image:photo")));
    let letter = letter(&docx, &[("photo", "ada.png")]);
    let names = docx::names(&letter.bytes);
    let relationships = names.iter().find(|name| name.starts_with("word/_rels/header")).expect("it is there");
    let relationships = docx::read(&letter.bytes, relationships).expect("it is text");
    assert!(relationships.contains("Id=\"rIdMerged1\""), "{relationships}");
    let main = docx::read(&letter.bytes, "word/_rels/document.xml.rels").expect("it is there");
    assert!(!main.contains("rIdMerged"), "{main}");
}

#[test]
fn a_branch_that_is_not_taken_asks_for_no_picture() {
    let branch = format!(
        "{}{}{}{}{}",
        code(" IF "),
        merge_field("kind"),
        code(" = \"a\" \""),
        merge_field("Image:photo"),
        code("\" \"none\" ")
    );
    let docx = Docx::new(&p(&field(&branch, "")));
    assert_eq!(shown(&docx, &[("kind", "b"), ("photo", "nowhere.png")]), p(&t("none")));
    assert!(shown(&docx, &[("kind", "a"), ("photo", "ada.png")]).contains("<w:drawing>"));
}

#[test]
fn a_picture_that_is_not_there_is_an_error_and_no_letter() {
    let template = Docx::new(&p(&merge_field("Image:photo"))).template();
    let error = template.render(&values(&[("photo", "nowhere.png")])).expect_err("it is not there");
    assert!(matches!(error, RenderError::NoPicture { name } if name == "nowhere.png"));
}

#[test]
fn a_field_is_listed_by_the_name_of_its_value() {
    let template = Docx::new(&p(&merge_field("Image:photo"))).template();
    assert_eq!(template.fields()[0].name, "photo");
}

#[test]
fn letters_with_pictures_are_the_same_each_time() {
    let template = Docx::new(&p(&merge_field("Image:photo"))).template();
    let values = values(&[("photo", "ada.png")]);
    let [first, second] = [0, 1].map(|_| template.render(&values).expect("the letter renders"));
    assert_eq!(first, second);
}

#[test]
fn a_letter_with_pictures_is_a_template_again() {
    let docx = Docx::new(&format!("{}{}", p(&merge_field("Image:photo")), p(&merge_field("next"))));
    let given = values(&[("photo", "ada.png"), ("next", "{{image photo}}")]);
    let first = docx.template().render(&given).expect("the letter renders");
    let template = Template::compile(&first.bytes).expect("the letter compiles");
    let mut values = values(&[]);
    values.set("photo", Value::text("logo.jpg"));
    let second = template.render(&values).expect("the letter renders");
    assert_eq!(mailrun::merge::lint(&second.bytes).expect("it is a package"), Vec::new());
    let relationships = docx::read(&second.bytes, "word/_rels/document.xml.rels").expect("it is there");
    assert!(relationships.contains("rIdMerged1") && relationships.contains("rIdMerged2"), "{relationships}");
}

#[test]
fn what_is_no_picture_is_told_by_its_bytes() {
    use mailrun::merge::PictureError::{Damaged, Empty, UnknownKind};
    for (bytes, expected) in [
        (b"".to_vec(), UnknownKind),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), UnknownKind),
        (b"%PDF-1.7".to_vec(), UnknownKind),
        (picture::png(20, 10)[..12].to_vec(), Damaged),
        (picture::jpeg(60, 30)[..22].to_vec(), Damaged),
        (picture::png(0, 10), Empty),
    ] {
        let said = Picture::read(bytes.clone()).expect_err("it is no picture");
        assert_eq!(said, expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_metafile_and_a_tiff_tell_their_size() {
    let mut emf = vec![0; 88];
    emf[0] = 1;
    emf[40..44].copy_from_slice(b" EMF");
    for (at, side) in [(24, 0_i32), (28, 0), (32, 2_540), (36, 1_270)] {
        emf[at..at + 4].copy_from_slice(&side.to_le_bytes());
    }
    let mut wmf = vec![0xD7, 0xCD, 0xC6, 0x9A, 0, 0];
    wmf.extend([0_i16, 0, 1_440, 720, 1_440].iter().flat_map(|number| number.to_le_bytes()));
    wmf.resize(40, 0);
    let entry = |tag: u16, kind: u16, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let entries =
        [entry(256, 4, 200), entry(257, 4, 100), entry(282, 5, 74), entry(283, 5, 74), entry(296, 3, 2)];
    let head = [&b"II*\0"[..], &8_u32.to_le_bytes(), &5_u16.to_le_bytes()].concat();
    let tail = [&0_u32.to_le_bytes()[..], &200_u32.to_le_bytes(), &1_u32.to_le_bytes()].concat();
    let tiff = [head, entries.concat(), tail].concat();
    for (name, bytes) in [("emf", emf), ("wmf", wmf), ("tiff", tiff)] {
        let picture = Picture::read(bytes).expect(name);
        assert_eq!((picture.extent().width, picture.extent().height), (914_400, 457_200), "{name}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_picture_panic(
        kind in 0..7_usize, at in 0..120_usize, noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let heads: [&[u8]; 7] = [
            &picture::png(3, 3), &picture::jpeg(9, 9), b"GIF89a", b"BM", b"II*\0\x08\0\0\0", b"\x01\0\0\0", b"\xD7\xCD\xC6\x9A",
        ];
        let mut bytes = heads[kind].to_vec();
        bytes.truncate(at.max(2));
        bytes.extend_from_slice(&noise);
        if let Ok(picture) = Picture::read(bytes) {
            prop_assert!(picture.extent().width > 0 && picture.extent().height > 0);
        }
    }
}
