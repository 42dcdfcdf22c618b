//! Real templates: each merges, or is refused for a reason that is listed here; what merges keeps its text, has no new
//! flaw and no leftover; and where somebody states what should come out, that comes out.
//!
//! The files are in the folder that `MAILRUN_CORPUS` names; without it there is nothing to test. The stated results
//! are in `tests/word_corpus.toml`.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use mailrun::merge::{FieldMap, Flaw, Frame, Namespace, Need, Template, Value, lint};
use serde::Deserialize;
use serde_json::Value as Json;

use support::{corpus, docx, sample, text};

/// Templates that cannot be merged, each with the reasons (ids of problems) for which it is refused.
const REFUSED: &[(&str, &[&str], &str)] = &[
    ("D072", &["unknown-name"], "questions of ASK without an answer"),
    ("G095", &["unknown-helper"], "tags of another engine: {{r …}}"),
    ("G097", &["unknown-helper"], "tags of another engine: {{p …}}"),
    ("G099", &["unknown-helper", "unexpected"], "tags of another engine: {{r …}}, {{x|e}}"),
    ("G113", &["unknown-helper", "unexpected"], "tags of another engine: {{ >> … }}"),
];

/// Faults that are none, each with its reason.
const RIGHT: &[(&str, &str, &str)] = &[(
    "G123",
    "word/document.xml: `{{y}}年{{m}}月{{d}}日` is left over",
    "the tags stand in the result of a field that its author locked against every change",
)];

/// The start of a file's name, which says which of the corpus it is.
fn number(path: &std::path::Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().chars().take(4).collect()
}

/// The flaws of a document without their paragraphs, which move when text is merged.
fn flaws(bytes: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let findings = lint(bytes).expect("the package can be read");
    let shown = |is_left: bool| {
        let wanted = findings.iter().filter(|it| matches!(it.flaw, Flaw::Leftover { .. }) == is_left);
        wanted.map(|it| format!("{}: {}", it.part, it.flaw)).collect()
    };
    (shown(false), shown(true))
}

/// What is wrong with a letter, against its template.
fn faults(template: &[u8], letter: &[u8]) -> Vec<String> {
    let ((before, _), (after, left)) = (flaws(template), flaws(letter));
    let mut faults: Vec<String> = after.difference(&before).cloned().collect();
    let (source, merged) = (text::paragraphs(template), text::paragraphs(letter));
    for (part, paragraphs) in &source {
        let all: String =
            merged.get(part).into_iter().flatten().map(|it| format!("{}\n", it.shown)).collect();
        for stretch in paragraphs.iter().flat_map(|it| &it.outside) {
            // Tags are no text, and what stands between them is there or not as the data want.
            if !stretch.contains("{{") && !stretch.trim().is_empty() && !all.contains(stretch.trim()) {
                faults.push(format!("{part}: text is lost: {stretch:?}"));
            }
        }
    }
    // What is typed between « and » outside fields is text of the template, and stays.
    let typed: String = source.values().flatten().flat_map(|it| &it.outside).cloned().collect();
    let is_typed = |fault: &String| {
        fault.split('`').nth(1).is_some_and(|text| !text.contains("{{") && typed.contains(text))
    };
    faults.extend(left.into_iter().filter(|fault| !is_typed(fault)));
    faults
}

#[test]
fn real_templates_merge_or_are_refused_for_a_listed_reason() {
    let mut report = String::new();
    let (mut n_templates, mut n_fields, mut n_merged, mut n_refused, mut n_differing) = (0, 0, 0, 0, 0);
    let files = corpus();
    let has_corpus = !files.is_empty();
    for path in files {
        let (number, bytes) = (number(&path), std::fs::read(&path).expect("the file can be read"));
        let template = Template::compile(&bytes).unwrap_or_else(|error| panic!("{number}: {error}"));
        n_templates += 1;
        n_fields += template.fields().len();
        let listed = REFUSED.iter().find(|(refused, ..)| *refused == number);
        let faults = match (sample::letter(&template), listed) {
            (Err(ids), Some((_, reasons, _))) => {
                n_refused += 1;
                let reasons: BTreeSet<&str> = reasons.iter().copied().collect();
                ids.difference(&reasons).map(|id| format!("refused for another reason: {id}")).collect()
            }
            (Err(ids), None) => vec![format!("refused: {ids:?}")],
            (Ok(_), Some((.., reason))) => vec![format!("merges, but is listed as refused: {reason}")],
            (Ok(letter), None) => {
                n_merged += 1;
                let is_fault =
                    |fault: &String| !RIGHT.iter().any(|(file, it, _)| *file == number && it == fault);
                faults(&bytes, &letter).into_iter().filter(is_fault).collect()
            }
        };
        if !faults.is_empty() {
            n_differing += 1;
            writeln!(report, "{number}:\n  {}", faults.join("\n  ")).expect("a text takes all");
        }
    }
    let score = format!(
        "{n_templates} templates, {n_fields} fields: {n_merged} merged, {n_refused} refused for a listed reason, \
         {n_differing} differing"
    );
    say(&score);
    assert_eq!(n_differing, 0, "{score}\n{report}");
    if has_corpus {
        assert!(n_templates > 100 && n_refused == REFUSED.len(), "{score}");
    }
}

#[expect(clippy::disallowed_macros, reason = "the score is what the test is run for; `--nocapture` shows it")]
fn say(score: &str) {
    println!("{score}");
}

/// The results that somebody states, as `tests/word_corpus.toml` lists them.
#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The file's number.
    file: String,
    /// Who states it, or why we differ from who does.
    source: String,
    /// Another code for the only simple field of the file.
    code: Option<String>,
    /// The record, or several, as JSON.
    data: String,
    /// The part; left out: the body.
    #[serde(default = "body")]
    part: String,
    /// Paragraphs that are there, in this order.
    #[serde(default)]
    expected: Vec<String>,
    /// Text that is not there.
    #[serde(default)]
    absent: Vec<String>,
}

fn body() -> String {
    "document".to_owned()
}

fn namespace(records: &[&Json]) -> Namespace {
    let mut namespace = Namespace::new();
    let mut seen = BTreeSet::new();
    for (name, _) in records.iter().flat_map(|record| record.as_object().into_iter().flatten()) {
        if !seen.insert(name) {
            continue;
        }
        let rows: Vec<&Json> = records.iter().filter_map(|it| it.get(name)?.as_array()).flatten().collect();
        match records.iter().any(|it| it.get(name).is_some_and(Json::is_array)) {
            true => namespace.rows(name, self::namespace(&rows)),
            false => namespace.column(name, name),
        };
    }
    namespace
}

fn frame(needs: &[Need], namespace: &Namespace, record: &Json) -> Frame {
    let fill = |need: &Need| {
        let (Need::Value(entry) | Need::Rows(entry, _)) = need;
        let value = namespace.path(*entry).and_then(|name| record.get(name));
        match (need, value) {
            (Need::Rows(_, needs), Some(Json::Array(rows))) => {
                let inside = namespace.rows_of(*entry).expect("it has rows");
                Value::Rows(rows.iter().map(|row| frame(needs, inside, row)).collect())
            }
            (_, Some(Json::String(text))) => match text.parse::<jiff::civil::DateTime>() {
                Ok(moment) if text.contains('T') => Value::DateTime(moment),
                _ => Value::text(text),
            },
            (_, Some(Json::Number(number))) => Value::Number(number.to_string().parse().expect("a decimal")),
            (_, Some(Json::Bool(truth))) => Value::Bool(*truth),
            _ => Value::Blank,
        }
    };
    Frame(needs.iter().map(fill).collect())
}

/// The file with another code in its only simple field.
fn recoded(bytes: &[u8], code: &str) -> Vec<u8> {
    docx::changed(bytes, "word/document.xml", |document| {
        let start = document.find("w:instr=\"").expect("a simple field") + "w:instr=\"".len();
        let end = start + document[start..].find('"').expect("the attribute ends");
        format!("{}{}{}", &document[..start], quick_xml::escape::escape(code), &document[end..])
    })
}

fn letter(case: &Case, files: &[PathBuf]) -> Vec<u8> {
    let path = files.iter().find(|path| number(path) == case.file).expect("the file is in the corpus");
    let mut bytes = std::fs::read(path).expect("the file can be read");
    if let Some(code) = &case.code {
        bytes = recoded(&bytes, code);
    }
    let data: Json =
        serde_json::from_str(&case.data).unwrap_or_else(|error| panic!("{}: {error}", case.data));
    let records: Vec<&Json> = data.as_array().map_or_else(|| vec![&data], |records| records.iter().collect());
    let namespace = namespace(&records);
    let template = Template::compile(&bytes).expect("the file is a template");
    let bound = template.bind(&namespace, &FieldMap::new()).unwrap_or_else(|problems| {
        panic!("{}: {problems:?}", case.file);
    });
    let frames: Vec<Frame> = records.iter().map(|record| frame(bound.needs(), &namespace, record)).collect();
    let mut letter = Vec::new();
    bound.letter_of(&frames, &sample::moment(), &mut letter).expect("the letter renders");
    letter
}

#[test]
fn stated_results_come_out() {
    let files = corpus();
    if files.is_empty() {
        return;
    }
    let cases: Cases = toml::from_str(include_str!("word_corpus.toml")).expect("the cases can be read");
    let mut report = String::new();
    let mut n_differing = 0;
    for case in &cases.case {
        let letter = letter(case, &files);
        let shown = text::shown(&letter, &case.part);
        let mut rest = shown.iter();
        let missing: Vec<&String> =
            case.expected.iter().filter(|wanted| !rest.any(|line| line == *wanted)).collect();
        let all = shown.join("\n");
        let present: Vec<&String> = case.absent.iter().filter(|text| all.contains(*text)).collect();
        if !missing.is_empty() || !present.is_empty() {
            n_differing += 1;
            let Case { file, source, data, code, .. } = case;
            writeln!(
                report,
                "{file} {data} {code:?} ({source})\n  missing {missing:?}, present {present:?} in\n  {shown:?}"
            )
            .expect("a text takes all");
        }
    }
    say(&format!("{} stated results, {n_differing} differing", cases.case.len()));
    assert_eq!(n_differing, 0, "of {} stated results\n{report}", cases.case.len());
}
