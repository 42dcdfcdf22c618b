//! Owns the hermetic place in which the command line is tested: a folder of its own, a fixed clock, no home, no color.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The moment at which every test happens: a Sunday morning.
pub(crate) const NOW: &str = "2026-03-01T09:00:00+01:00[Europe/Zurich]";

/// How long a command may take before it counts as hanging.
const LIMIT: Duration = Duration::from_secs(120);

/// A new, empty folder in which commands run; removed when dropped.
pub(crate) struct Place {
    folder: TempDir,
    now: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = TempDir::with_prefix("mailrun-test-").expect("a temporary folder can be made");
        fs::create_dir(folder.path().join("here")).expect("a folder can be made");
        fs::create_dir(folder.path().join("home")).expect("a folder can be made");
        Place { folder, now: NOW.to_owned() }
    }

    /// A place that starts with a copy of a folder of the project, such as `fixtures/spring-appeal`.
    #[track_caller]
    pub(crate) fn with_copy_of(folder: &str) -> Place {
        let place = Place::new();
        place.copy_of(folder, "");
        place
    }

    /// Copies what a folder of the project holds into a folder of the place; `""` is where commands run.
    #[track_caller]
    pub(crate) fn copy_of(&self, folder: &str, to: &str) {
        copy(Path::new(folder), &self.path(to));
    }

    /// Copies a folder of the place into another.
    #[track_caller]
    pub(crate) fn copy_here(&self, from: &str, to: &str) {
        copy(&self.path(from), &self.path(to));
    }

    /// Sets the clock of the commands that follow.
    pub(crate) fn set_now(&mut self, now: &str) {
        now.clone_into(&mut self.now);
    }

    /// The path of a file in the working folder; `""` is the folder itself.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let here = self.folder.path().join("here");
        if name.is_empty() { here } else { here.join(name) }
    }

    /// Writes a file, with the folders above it.
    #[track_caller]
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).expect("a folder can be made");
        }
        fs::write(&path, content).unwrap_or_else(|error| panic!("{name} cannot be written: {error}"));
        path
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name))
            .unwrap_or_else(|error| panic!("{name} cannot be read: {error}\nthere are {:?}", self.files("")))
    }

    #[track_caller]
    pub(crate) fn read_text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap_or_else(|error| panic!("{name} is no UTF-8: {error}"))
    }

    /// All files below a folder, relative to the working folder, in order of their names. Empty if there is no such folder.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        collect_files(&self.path(folder), &mut found);
        let here = self.path("");
        let name =
            |path: PathBuf| path.strip_prefix(&here).expect("it is below").to_string_lossy().into_owned();
        let mut names: Vec<String> = found.into_iter().map(name).collect();
        names.sort();
        names
    }

    /// Runs `mailrun` with these arguments and `--now`.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_command(self.command(arguments), "")
    }

    /// The same, with text on standard input.
    #[track_caller]
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        self.run_command(self.command(arguments), input)
    }

    /// Runs `mailrun` beneath another program: `strace -f -e inject=fsync:error=EIO`, say.
    #[track_caller]
    pub(crate) fn run_under(&self, program: &[&str], arguments: &[&str]) -> Ended {
        let mailrun = self.command(arguments);
        let mut command = self.bare(program[0]);
        command.args(&program[1..]).arg(mailrun.get_program()).args(mailrun.get_args());
        self.run_command(command, "")
    }

    /// `mailrun` ready to start, for a test that has to kill it or to change its surroundings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(env!("CARGO_BIN_EXE_mailrun"));
        command.args(arguments).arg("--now").arg(&self.now);
        command
    }

    fn bare(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path("")).env_clear();
        command.env("PATH", super::variable("PATH").expect("a machine has a PATH"));
        command
            .env("HOME", self.folder.path().join("home"))
            .env("TZ", "UTC")
            .env("NO_COLOR", "1")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    #[track_caller]
    fn run_command(&self, command: Command, input: &str) -> Ended {
        let shown = format!("{command:?}");
        let mut command = assert_cmd::Command::from_std(command);
        let output = command.timeout(LIMIT).write_stdin(input).output();
        let output = output.unwrap_or_else(|error| panic!("{shown} did not run: {error}"));
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).unwrap_or_else(|error| panic!("{shown} printed no UTF-8: {error}"))
        };
        // The folder has another name each time; the messages that tests compare must not.
        let here = self.path("").display().to_string();
        let steady = |bytes: Vec<u8>| text(bytes).replace(&here, "[here]");
        Ended {
            code: output.status.code(),
            stdout: steady(output.stdout),
            stderr: steady(output.stderr),
            command: shown,
        }
    }
}

/// What came of a command. The working folder's path reads `[here]` in both texts.
#[must_use = "a command whose end nobody looks at proves nothing"]
#[derive(Debug)]
pub(crate) struct Ended {
    /// None if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    command: String,
}

impl Ended {
    /// Fails, with all that was printed, unless the command ended with this code.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Ended {
        let Ended { code: ended, stdout, stderr, command } = &self;
        assert_eq!(*ended, Some(code), "\n{command}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---");
        self
    }

    /// Standard output as JSON Lines, one value a line.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let value = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}\n{self:#?}"))
        };
        self.stdout.lines().map(value).collect()
    }

    /// The last line of standard output as JSON: the report of a command.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        self.json_lines().pop().unwrap_or_else(|| panic!("nothing on standard output\n{self:#?}"))
    }
}

/// A tmpfs that is soon full, mounted on an empty folder; unmounted when dropped. Needs root.
pub(crate) struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    #[track_caller]
    pub(crate) fn mount(folder: &Path, size_kib: u32) -> SmallDisk {
        fs::create_dir_all(folder).expect("a folder can be made");
        let options = format!("size={size_kib}k,mode=0700");
        let output =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "mailrun-test"]).arg(folder).output();
        let output = output.expect("mount can be started");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "a tmpfs cannot be mounted (this test needs root): {text}");
        SmallDisk { folder: folder.to_owned() }
    }

    /// Mounts it anew with other options, such as `size=100m`; what is on it stays.
    #[track_caller]
    pub(crate) fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = Command::new("mount").args(["-o", &options]).arg(&self.folder).status();
        assert!(status.is_ok_and(|status| status.success()), "cannot remount: this test needs root");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, so that a file left open by a failed test does not keep it; a failure shows at the next mount.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
    }
}

fn collect_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            collect_files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[track_caller]
fn copy(from: &Path, to: &Path) {
    let mut files = Vec::new();
    collect_files(from, &mut files);
    assert!(!files.is_empty(), "{} has no files", from.display());
    for file in files {
        let target = to.join(file.strip_prefix(from).expect("it is below"));
        fs::create_dir_all(target.parent().expect("a file is in a folder")).expect("a folder can be made");
        fs::copy(&file, &target)
            .unwrap_or_else(|error| panic!("{} cannot be copied: {error}", file.display()));
    }
}
