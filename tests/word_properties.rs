//! What holds for any document: Word breaks text into runs as it likes, and nobody notices; a value is never read as
//! a field; a damaged part is refused, or merged, but never the end of the program.

mod support;

use mailrun::merge::{Template, Value, Values};
use proptest::prelude::*;

use support::docx::{self, Docx, code, merge_field, p, read_bytes, t};
use support::{corpus, sample, text};

/// What Word puts between runs: marks of its spelling, of bookmarks, of edits, of languages.
const NOISE: [&str; 5] = [
    "",
    "<w:proofErr w:type=\"spellStart\"/>",
    "<w:bookmarkStart w:id=\"70\" w:name=\"x\"/><w:bookmarkEnd w:id=\"70\"/>",
    "<w:proofErr w:type=\"gramEnd\"/><w:bookmarkStart w:id=\"71\" w:name=\"_GoBack\"/><w:bookmarkEnd w:id=\"71\"/>",
    "<w:permStart w:id=\"72\" w:edGrp=\"everyone\"/><w:permEnd w:id=\"72\"/>",
];
const RUNS: [&str; 3] = [
    "<w:r>",
    "<w:r w:rsidR=\"00AB12CD\" w:rsidRPr=\"00EF\">",
    "<w:r><w:rPr><w:lang w:val=\"de-CH\"/></w:rPr>",
];

/// The text in one run, or in several where `cuts` say, with noise between.
fn broken(text: &str, element: &str, cuts: &[(usize, usize, usize)]) -> String {
    let mut places: Vec<(usize, usize, usize)> =
        cuts.iter().map(|(at, noise, run)| (at % (text.len() + 1), *noise, *run)).collect();
    places.retain(|(at, ..)| text.is_char_boundary(*at));
    places.sort_unstable();
    let mut runs = String::new();
    let mut from = 0;
    for (to, noise, run) in places.into_iter().chain([(text.len(), 0, 0)]) {
        let piece = quick_xml::escape::escape(&text[from..to]);
        runs += &format!("{}<w:{element} xml:space=\"preserve\">{piece}</w:{element}></w:r>", RUNS[run % 3]);
        runs += NOISE[noise % 5];
        from = to;
    }
    runs
}

const FIELD: &str = " MERGEFIELD \"First Name\" \\* Upper \\b \"Dear \" \\* MERGEFORMAT ";
const IF: &str = " IF \"a b\" = \"a*\" \"yes, of course\" \"no\" ";
const TAGS: &str = "x {{#if First_Name}}for {{First_Name}} é{{else}}nobody{{/if}}, y";

fn body(cuts: &[Vec<(usize, usize, usize)>; 3]) -> String {
    p(&docx::field(&broken(FIELD, "instrText", &cuts[0]), &t("old")))
        + &p(&docx::field(&broken(IF, "instrText", &cuts[1]), &t("old")))
        + &p(&broken(TAGS, "t", &cuts[2]))
}

fn cuts() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    prop::collection::vec((0..200_usize, 0..5_usize, 0..3_usize), 0..8)
}

fn merged(body: &str, value: &str) -> Vec<String> {
    let mut values = Values::new();
    values.set("First Name", Value::text(value));
    let letter = Docx::new(body).template().render(&values).expect("the letter renders");
    text::shown(&letter.bytes, "document")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn how_text_is_broken_into_runs_changes_nothing(a in cuts(), b in cuts(), c in cuts()) {
        prop_assert_eq!(
            merged(&body(&[a, b, c]), "Ann"),
            ["Dear ANN", "yes, of course", "x for Ann é, y"]
        );
    }

    #[test]
    fn a_value_is_text_whatever_it_looks_like(
        value in r#"[ -~«»{}"\\]{1,30}|MERGEFIELD A|\{\{A\}\}|TableStart:A|«A»|" \\\\\* Upper|<w:p/>"#,
    ) {
        let body = p(&(t("before ") + &merge_field("First_Name") + &t(" after")))
            + &p(&docx::field(&(code(" IF ") + &merge_field("First_Name") + &code(" = \"\" \"none\" \"some\" ")), ""));
        let shown = merged(&body, &value);
        prop_assert_eq!(shown, [format!("before {value} after"), "some".to_owned()]);
    }

    #[test]
    fn a_damaged_part_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let body = body(&Default::default())
            + "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>{{#each Rows}}{{A}}{{/each}}</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p/>";
        let bytes = Docx::new(&body).bytes();
        let mut part = read_bytes(&bytes, "word/document.xml").expect("the part exists");
        let at = at.index(part.len());
        part[at] ^= byte;
        let damaged = docx::exchanged(&bytes, "word/document.xml", &part);
        if let Ok(template) = Template::compile(&damaged) {
            let _refused_or_not = sample::letter(&template);
        }
    }
}

#[test]
fn values_that_are_the_names_of_their_fields_keep_all_other_text() {
    let files = corpus();
    let has_corpus = !files.is_empty();
    let mut n_kept = 0;
    for path in files {
        let bytes = std::fs::read(&path).expect("the file can be read");
        let template = Template::compile(&bytes).expect("the file is a template");
        if template.fields().iter().any(|field| field.kind == "tag") {
            // Blocks of tags show one branch or the other.
            continue;
        }
        let mut values = Values::new();
        for field in template.fields() {
            values.set(&field.name, Value::text(&field.name));
        }
        let Ok(letter) = template.render(&values) else { continue };
        let merged = text::paragraphs(&letter.bytes);
        for (part, paragraphs) in text::paragraphs(&bytes) {
            let all: String = merged[&part].iter().map(|it| it.shown.as_str()).collect();
            for stretch in paragraphs.iter().flat_map(|it| &it.outside) {
                assert!(all.contains(stretch.trim()), "{}, {part}: lost {stretch:?}", path.display());
            }
        }
        n_kept += 1;
    }
    // All of the project's own templates have tags.
    assert!(!has_corpus || n_kept > 50, "only {n_kept} documents were compared");
}
