//! Owns the promise that a name in the output folder stands for a whole document or for nothing.

#![expect(clippy::unwrap_used, reason = "what a test sets up must succeed, or the test fails")]

use std::fs;

use mailrun::delivery::folder::{Destination, Folder, FolderError};
use mailrun::delivery::outbox::{Outbox, sha256};
use mailrun::delivery::outcome::Outcome;
use mailrun::delivery::{Change, DeliveryError, Parcel, Transport};
use sha2::{Digest, Sha256};

fn names(path: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_has_its_name_only_after_it_is_published() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(&place.path().join("letters")).unwrap();
    folder.write("a.docx", b"letter a").unwrap();
    assert!(!folder.path().join("a.docx").exists());
    folder.publish(&["a.docx"]).unwrap();
    assert_eq!(fs::read(folder.path().join("a.docx")).unwrap(), b"letter a");
    assert_eq!(names(folder.path()), ["a.docx"]);
}

#[test]
fn publishing_again_after_a_kill_replaces_the_file() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    for content in [&b"a longer first letter"[..], b"second"] {
        folder.write("a.docx", content).unwrap();
        folder.publish(&["a.docx"]).unwrap();
        assert_eq!(fs::read(folder.path().join("a.docx")).unwrap(), content);
    }
}

#[test]
fn what_a_killed_run_left_half_written_is_gone_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    folder.write("half.docx", b"half").unwrap();
    fs::write(place.path().join(".keep.tmp"), b"the user's").unwrap();
    fs::write(place.path().join("b.docx"), b"b").unwrap();
    drop(folder);
    Folder::open(place.path()).unwrap();
    assert_eq!(names(place.path()), [".keep.tmp", "b.docx"]);
}

#[test]
fn a_name_that_leads_out_of_the_folder_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(&place.path().join("letters")).unwrap();
    for name in ["../x", "/etc/x", "..", ".", "", "a/b", "a\\b", "a\0b"] {
        let error = folder.write(name, b"x").unwrap_err();
        assert_eq!(error.id(), "not-a-name", "{name:?}");
        assert!(!error.is_surroundings());
    }
    assert_eq!(names(place.path()), ["letters"]);
}

#[test]
fn a_folder_whose_name_is_a_file_is_a_failure_of_the_surroundings() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("letters");
    fs::write(&path, b"a file").unwrap();
    let error = Folder::open(&path).unwrap_err();
    assert!(error.is_surroundings());
    assert_eq!(error.to_string(), format!("cannot create folder `{}`", path.display()));
    assert_eq!(error.help(), Some(format!("`{}` must be a folder, or free to become one", path.display())));
}

#[test]
fn a_link_under_a_temporary_name_is_not_followed() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(&place.path().join("letters")).unwrap();
    let target = place.path().join("target");
    fs::write(&target, b"untouched").unwrap();
    std::os::unix::fs::symlink(&target, folder.path().join(".a.docx.mailrun-tmp")).unwrap();
    assert!(matches!(folder.write("a.docx", b"x"), Err(FolderError::Io { .. })));
    assert_eq!(fs::read(&target).unwrap(), b"untouched");
}

#[test]
fn many_workers_write_and_each_line_ends_written_once_in_order() {
    let place = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(Folder::open(place.path()).unwrap());
    let letters: Vec<(u64, String, Vec<u8>)> = (1..=1200)
        .map(|line| (line, format!("{line:06}.docx"), line.to_string().repeat(100).into_bytes()))
        .collect();
    let staged: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = letters
            .chunks(300)
            .map(|chunk| {
                scope.spawn(|| {
                    let stage = |(line, name, bytes): &(u64, String, Vec<u8>)| {
                        outbox
                            .stage(
                                *line,
                                Parcel::Letter {
                                    name,
                                    bytes,
                                    digest: Sha256::digest(bytes).into(),
                                    beside: None,
                                    enclosures: &[],
                                },
                            )
                            .unwrap()
                    };
                    chunk.iter().map(stage).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let mut lines = Vec::new();
    outbox
        .deliver(&mut staged.into_iter(), &mut |steps| {
            for step in steps {
                let Change::Done(Outcome::Written { file, sha256: digest, .. }) = &step.change else {
                    panic!("{step:?}");
                };
                assert_eq!(digest, &sha256(&fs::read(place.path().join(file))?));
                lines.push(step.line);
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(lines, (1..=1200).collect::<Vec<u64>>());
    assert_eq!(names(place.path()).len(), 1200);
}

#[test]
fn a_journal_that_cannot_be_written_stops_the_delivery() {
    let place = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(Folder::open(place.path()).unwrap());
    let letter = Parcel::Letter {
        name: "a.docx",
        bytes: b"a",
        digest: Sha256::digest(b"a").into(),
        beside: None,
        enclosures: &[],
    };
    let staged = outbox.stage(1, letter).unwrap();
    let stopped = outbox.deliver(&mut [staged].into_iter(), &mut |_| Err("journal".into()));
    assert!(matches!(stopped, Err(DeliveryError::Record(_))));
}

#[test]
fn a_digest_is_written_in_hexadecimal() {
    assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

#[test]
fn a_new_folder_appears_with_all_its_files_or_not_at_all() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("letters");
    let begun = Destination::open(&path).unwrap();
    begun.write("a.docx", b"letter a").unwrap();
    begun.publish(&["a.docx"]).unwrap();
    assert!(!path.exists());
    let other = Destination::open(&path).unwrap_err();
    assert!(other.help().is_some_and(|help| help.contains("another process is filling the folder")));
    drop(begun);
    assert_eq!(names(place.path()), Vec::<String>::new(), "what is not finished is removed");

    // What a killed process left is nobody's.
    fs::create_dir(place.path().join(".letters.mailrun-new")).unwrap();
    fs::write(place.path().join(".letters.mailrun-new/old.docx"), b"half").unwrap();
    let begun = Destination::open(&path).unwrap();
    begun.write("a.docx", b"letter a").unwrap();
    begun.finish().unwrap();
    assert_eq!(names(place.path()), ["letters"]);
    assert_eq!(names(&path), ["a.docx"]);

    // A folder that stands takes files one by one.
    let standing = Destination::open(&path).unwrap();
    standing.write("b.docx", b"letter b").unwrap();
    standing.publish(&["b.docx"]).unwrap();
    standing.finish().unwrap();
    assert_eq!(names(&path), ["a.docx", "b.docx"]);
}
