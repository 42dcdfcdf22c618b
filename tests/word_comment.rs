//! The personal comment: in a field, at a bookmark, in a content control, or as a real Word comment.

mod support;

use mailrun::merge::{CommentAs, CommentPlace, Template};

use support::docx::{Docx, body, merge_field, p, read, t, texts};

fn check(content: &str, place: Option<CommentPlace>, comment: &str, expected: &str) {
    let template = Docx::new(content).template();
    assert_eq!(template.comment_place(), place, "{content}");
    let letter = template.render(&texts(&[("comment", comment)])).expect("the letter renders");
    assert_eq!(body(&letter), expected);
}

#[test]
fn a_document_says_where_its_comment_stands() {
    check(&p(&t("a")), None, "x", &p(&t("a")));
    check(&p(&merge_field("Comment")), Some(CommentPlace::Field), "x", &p(&t("x")));
    check(&p(&t("{{comment}}")), Some(CommentPlace::Field), "x", &p(&t("x")));
    let mark = |inner: &str| {
        format!("<w:bookmarkStart w:id=\"1\" w:name=\"Comment\"/>{inner}<w:bookmarkEnd w:id=\"1\"/>")
    };
    check(
        &p(&mark("")),
        Some(CommentPlace::Bookmark),
        "x",
        &p(&mark("").replace("/><w:bookmarkEnd", &format!("/>{}<w:bookmarkEnd", t("x")))),
    );
    check(&p(&mark(&t("here"))), Some(CommentPlace::Bookmark), "x", &p(&mark(&t("x"))));
    check(&(p(&mark(&t("here"))) + &p("")), Some(CommentPlace::Bookmark), "", &p(""));
}

#[test]
fn a_content_control_loses_its_placeholder() {
    let control = |properties: &str, inner: &str| {
        format!(
            "<w:sdt><w:sdtPr><w:tag w:val=\"comment\"/>{properties}</w:sdtPr><w:sdtContent>{inner}</w:sdtContent></w:sdt>"
        )
    };
    for inner in [t("Click here"), String::new()] {
        check(
            &p(&control("<w:showingPlcHdr/>", &inner)),
            Some(CommentPlace::ContentControl),
            "x",
            &p(&control("", &t("x"))),
        );
    }
    check(&control("", &p(&t("old"))), Some(CommentPlace::ContentControl), "x", &control("", &p(&t("x"))));
}

#[test]
fn an_annotation_is_a_word_comment_by_the_salesperson() {
    let bytes = Docx::new(&p(&t("a"))).bytes();
    let template = Template::compile_with(&bytes, CommentAs::Annotation).expect("the document compiles");
    assert_eq!(template.comment_place(), Some(CommentPlace::Annotation));
    let values = texts(&[("comment", "one\ntwo"), ("salesperson.name", "Jana \"J\" Roth")]);
    let letter = template.render(&values).expect("the letter renders");
    assert_eq!(body(&letter), p(&("<w:r><w:commentReference w:id=\"0\"/></w:r>".to_owned() + &t("a"))));
    let comments = read(&letter.bytes, "word/comments.xml").expect("the part exists");
    assert!(comments.contains("w:id=\"0\" w:author=\"Jana &quot;J&quot; Roth\""), "{comments}");
    assert!(comments.contains("one</w:t><w:br/><w:t xml:space=\"preserve\">two"), "{comments}");
    let types = read(&letter.bytes, "[Content_Types].xml").expect("the part exists");
    assert!(types.contains("PartName=\"/word/comments.xml\""), "{types}");
    let relationships = read(&letter.bytes, "word/_rels/document.xml.rels").expect("the part exists");
    assert!(relationships.contains("/comments\" Target=\"comments.xml\""), "{relationships}");
    let values = texts(&[("comment", ""), ("salesperson.name", "x")]);
    let letter = template.render(&values).expect("the letter renders");
    assert_eq!(body(&letter), p(&t("a")));
}

#[test]
fn an_annotation_joins_the_comments_that_are_there() {
    let docx = Docx::new(&p(&t("a"))).with(
        "comments",
        "comments",
        "<w:comment w:id=\"4\" w:author=\"x\"><w:p/></w:comment>",
    );
    let template =
        Template::compile_with(&docx.bytes(), CommentAs::Annotation).expect("the document compiles");
    let letter =
        template.render(&texts(&[("comment", "hi"), ("salesperson.name", "y")])).expect("it renders");
    let comments = read(&letter.bytes, "word/comments1.xml").expect("the part exists");
    assert!(comments.contains("w:id=\"4\"") && comments.contains("w:id=\"5\" w:author=\"y\""), "{comments}");
}
