//! Owns the promise that a full or read-only disk stops cleanly. Needs root: it mounts a small tmpfs.

#![expect(clippy::unwrap_used, reason = "what a test sets up must succeed, or the test fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mailrun::delivery::folder::Folder;

/// One disk at a time: a `mount` that another test starts holds this one's open files until it runs.
static TURN: Mutex<()> = Mutex::new(());

/// A mounted tmpfs of one mebibyte, unmounted at the end.
struct SmallDisk {
    place: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl SmallDisk {
    fn mount() -> SmallDisk {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let place = tempfile::tempdir().unwrap();
        mount(&["-t", "tmpfs", "-o", "size=1m", "mailrun-test"], place.path());
        SmallDisk { place, _turn: turn }
    }

    fn path(&self) -> PathBuf {
        self.place.path().join("letters")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg(self.place.path()).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "cannot unmount {}",
            self.place.path().display()
        );
    }
}

fn mount(options: &[&str], path: &Path) {
    let status = Command::new("mount").args(options).arg(path).status().expect("`mount` is there");
    assert!(status.success(), "cannot mount {}: this test needs root", path.display());
}

#[test]
fn a_full_disk_leaves_whole_files_and_room_lets_the_run_go_on() {
    let disk = SmallDisk::mount();
    let letter = vec![7; 100_000];
    let folder = Folder::open(&disk.path()).unwrap();
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; 500_000]).unwrap();

    let mut written = Vec::new();
    let error = (1..100)
        .map(|line| format!("{line:06}.docx"))
        .find_map(|name| match folder.write(&name, &letter) {
            Ok(()) => {
                folder.publish(&[&name]).unwrap();
                written.push(name);
                None
            }
            Err(error) => Some(error),
        })
        .expect("the disk is full in the end");
    assert!(error.is_surroundings());
    assert_eq!(error.help().as_deref(), Some("make room on the disk, then `mailrun resume` goes on"));
    assert!(!written.is_empty());
    for entry in fs::read_dir(disk.path()).unwrap() {
        let entry = entry.unwrap();
        let is_whole = entry.metadata().unwrap().len() == 100_000;
        assert!(is_whole || entry.path() == ballast, "{} is torn", entry.path().display());
    }

    fs::remove_file(ballast).unwrap();
    let folder = Folder::open(&disk.path()).unwrap();
    folder.write("last.docx", &letter).unwrap();
    folder.publish(&["last.docx"]).unwrap();
    assert_eq!(fs::read(disk.path().join("last.docx")).unwrap(), letter);
}

#[test]
fn a_read_only_disk_is_said_to_be_one() {
    let disk = SmallDisk::mount();
    let folder = Folder::open(&disk.path()).unwrap();
    folder.write("a.docx", b"a").unwrap();
    mount(&["-o", "remount,ro"], disk.place.path());
    let error = folder.publish(&["a.docx"]).unwrap_err();
    assert!(error.is_surroundings());
    assert_eq!(error.help().as_deref(), Some("make the folder writable, then `mailrun resume` goes on"));
    assert!(folder.write("b.docx", b"b").unwrap_err().is_surroundings());
    assert!(!disk.path().join("a.docx").exists());
}
