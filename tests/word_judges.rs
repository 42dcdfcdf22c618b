//! What other programs say of our letters: the Open XML SDK validator hears no error that the template has not, and
//! LibreOffice and python-docx open them and read the same values.
//!
//! Some of the documents are judged each time; `MAILRUN_JUDGE_ALL=1` judges all, with the corpus:
//! `MAILRUN_JUDGE_ALL=1 tests/run --test word_judges`.

mod support;

use std::fs;
use std::path::PathBuf;

use mailrun::merge::Template;

use support::place::Place;
use support::{documents, is_wanted, office, python, sample};

/// How many documents there are for each that is judged every time.
const EVERY: usize = 12;

/// Documents and their letters, written side by side. Those that cannot be merged are left out.
fn letters(place: &Place) -> Vec<(PathBuf, PathBuf)> {
    let step = if is_wanted("MAILRUN_JUDGE_ALL") { 1 } else { EVERY };
    let letter = |(number, path): (usize, PathBuf)| {
        let template = Template::compile(&fs::read(&path).expect("the file can be read")).ok()?;
        let letter = sample::letter(&template).ok()?;
        Some((path, place.write(&format!("letters/{number:04}.docx"), letter)))
    };
    let documents = documents();
    let n_wanted = documents.len().div_ceil(step);
    let found: Vec<_> = documents.into_iter().step_by(step).enumerate().filter_map(letter).collect();
    assert!(!found.is_empty() && found.len() > n_wanted / 2, "only {} of {n_wanted}", found.len());
    found
}

#[test]
fn letters_have_no_error_that_their_template_has_not() {
    let place = Place::new();
    let (templates, letters): (Vec<_>, Vec<_>) = letters(&place).into_iter().unzip();
    let (before, after) = (office::validate(&templates), office::validate(&letters));
    let mut new = Vec::new();
    for ((template, before), after) in templates.iter().zip(&before).zip(&after) {
        let found: Vec<_> = after.difference(before).collect();
        if !found.is_empty() {
            new.push(format!("{}: {found:#?}", template.display()));
        }
    }
    assert!(new.is_empty(), "{} of {} templates:\n{}", new.len(), templates.len(), new.join("\n"));
}

#[test]
fn libreoffice_and_python_docx_read_the_same_values() {
    let place = Place::new();
    let (templates, letters): (Vec<_>, Vec<_>) = letters(&place).into_iter().unzip();
    let (before, after) = (python::open(&templates), python::open(&letters));
    let texts = office::text(&letters);
    let mut wrong = Vec::new();
    for (((template, before), after), text) in templates.iter().zip(&before).zip(&after).zip(&texts) {
        // python-docx opens no Strict documents, whoever wrote them.
        if before.error.is_none() && after.error.is_some() {
            wrong.push(format!("{}: python-docx: {:?}", template.display(), after.error));
        }
        let words = after.body.iter().flat_map(|line| line.split_whitespace());
        let lost: Vec<&str> = words.filter(|word| word.starts_with("V_") && !text.contains(*word)).collect();
        if !lost.is_empty() {
            wrong.push(format!("{}: LibreOffice does not show {lost:?}", template.display()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} letters:\n{}", wrong.len(), letters.len(), wrong.join("\n"));
}
