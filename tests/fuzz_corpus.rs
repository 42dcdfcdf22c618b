//! The seeds of the fuzz targets, and what they found, run as ordinary tests: nothing panics.

#[path = "../fuzz/drive/field_code.rs"]
mod field_code;
#[path = "../fuzz/drive/package.rs"]
mod package;
#[path = "../fuzz/drive/pictures.rs"]
mod pictures;
#[path = "../fuzz/drive/smtp_reply.rs"]
mod smtp_reply;
#[path = "../fuzz/drive/tags.rs"]
mod tags;

use std::fs;
use std::path::Path;

fn run_seeds(target: &str, drive: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut n_seeds = 0;
    for entry in fs::read_dir(&folder).expect("the target has a corpus") {
        let path = entry.expect("the corpus can be listed").path();
        drive(&fs::read(&path).expect("the seed can be read"));
        n_seeds += 1;
    }
    assert!(n_seeds > 0, "no seeds in {}", folder.display());
}

#[test]
fn no_package_panics() {
    run_seeds("package", package::drive);
}

#[test]
fn no_field_code_panics() {
    run_seeds("field_code", field_code::drive);
}

#[test]
fn no_picture_panics() {
    run_seeds("pictures", pictures::drive);
}

#[test]
fn no_tag_panics() {
    run_seeds("tags", tags::drive);
}

#[test]
fn no_smtp_reply_panics() {
    run_seeds("smtp_reply", smtp_reply::drive);
}
