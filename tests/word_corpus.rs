//! Real templates: each compiles or is refused for a reason, and what compiles merges without losing its text.
//!
//! The files are in the folder that `MAILRUN_CORPUS` names; without it there is nothing to test, and the test says so.

mod support;

use std::path::PathBuf;

use mailrun::merge::{FieldMap, Frame, Moment, Namespace, Need, Template, Value};

use support::docx;

fn corpus() -> Vec<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the corpus is not part of the project, so a variable names it"
    )]
    let Ok(folder) = std::env::var("MAILRUN_CORPUS") else { return Vec::new() };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("MAILRUN_CORPUS names a folder")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| {
            path.extension().is_some_and(|it| it.to_string_lossy().to_lowercase().starts_with("do"))
        })
        .collect();
    files.sort();
    files
}

fn moment() -> Moment {
    Moment {
        now: jiff::civil::date(2026, 3, 1).at(9, 0, 0, 0),
        locale: "en-US".to_owned(),
        record: 1,
        sequence: 1,
    }
}

/// Declares every name that the template uses: as rows where it repeats them, else as a value.
fn bind(template: &Template) -> Result<(Namespace, mailrun::merge::BoundTemplate), String> {
    let starts = ["tablestart:", "begingroup:", "rangestart:", "{{#each"];
    let mut names: Vec<(&str, bool)> = Vec::new();
    for field in template.fields() {
        let code = field.code.trim_start_matches("MERGEFIELD ").to_lowercase();
        let repeats = starts.iter().any(|start| code.starts_with(start));
        match names.iter_mut().find(|(name, _)| *name == field.name) {
            Some((_, is_rows)) => *is_rows |= repeats,
            None => names.push((&field.name, repeats)),
        }
    }
    let mut namespace = Namespace::new();
    for (name, is_rows) in names.into_iter().filter(|(name, _)| !name.is_empty()) {
        if is_rows {
            // The values of the rows are found outside them.
            namespace.rows(name, Namespace::new());
        } else {
            namespace.column(name, name);
        }
    }
    for name in ["Last Name", "City"] {
        namespace.value(&format!("address book.{name}"));
    }
    match template.bind(&namespace, &FieldMap::new()) {
        Ok(bound) => Ok((namespace, bound)),
        Err(problems) => {
            Err(problems.iter().map(|it| format!("  {it} --> {}", it.place())).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// A letter's values: each shows its name, each table has two rows.
fn fill(needs: &[Need], namespace: &Namespace) -> Frame {
    let fill_one = |need: &Need| match need {
        Need::Value(entry) => Value::text(format!("V_{}", namespace.path(*entry).unwrap_or_default())),
        Need::Rows(..) => Value::Rows(vec![Frame(Vec::new()), Frame(Vec::new())]),
    };
    Frame(needs.iter().map(fill_one).collect())
}

/// The flaws of a document without their paragraphs, which move when text is merged.
fn flaws(bytes: &[u8]) -> Vec<String> {
    let findings = mailrun::merge::lint(bytes).expect("the package can be read");
    findings.iter().map(|it| format!("{}: {}", it.part, it.flaw)).collect()
}

#[test]
fn real_templates_merge_or_are_refused_for_a_reason() {
    let files = corpus();
    if files.is_empty() {
        // Said in the test's output; the corpus is not part of the project.
        return;
    }
    let mut report = Vec::new();
    let mut n_merged = 0;
    let mut n_flawed = 0;
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).expect("the file can be read");
        let template = match Template::compile(&bytes) {
            Ok(template) => template,
            Err(error) => {
                report.push(format!("{name}: refused: {error}"));
                continue;
            }
        };
        let (namespace, bound) = match bind(&template) {
            Ok(bound) => bound,
            Err(problems) => {
                report.push(format!("{name}: problems:\n{problems}"));
                continue;
            }
        };
        let mut letter = Vec::new();
        bound.letter(&fill(bound.needs(), &namespace), &moment(), &mut letter).expect("the letter renders");
        n_merged += 1;
        let before: Vec<String> = flaws(&bytes);
        let new: Vec<String> = flaws(&letter).into_iter().filter(|flaw| !before.contains(flaw)).collect();
        if !new.is_empty() {
            report.push(format!("{name}: new flaws: {}", new.join(", ")));
            n_flawed += 1;
        }
        for part in docx::names(&letter) {
            if part.starts_with("word/") && (part.ends_with(".xml") || part.ends_with(".rels")) {
                let text = docx::read(&letter, &part).expect("the part exists");
                let mut reader = quick_xml::Reader::from_str(&text);
                loop {
                    match reader.read_event() {
                        Ok(quick_xml::events::Event::Eof) => break,
                        Ok(_) => {}
                        Err(error) => panic!("{name}: {part} is broken: {error}"),
                    }
                }
            }
        }
    }
    report.push(format!("{} files, {n_merged} merged", files.len()));
    if let Some(folder) = option_env!("MAILRUN_CORPUS_REPORT") {
        std::fs::write(folder, report.join("\n")).expect("the report can be written");
    }
    assert_eq!(n_flawed, 0, "{}", report.join("\n"));
    assert!(n_merged * 2 > files.len(), "{}", report.join("\n"));
}
