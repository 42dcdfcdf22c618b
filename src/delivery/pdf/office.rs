//! Owns LibreOffice's process: a profile of its own, one call for many documents, an end to it when it hangs.
//!
//! Its exit status and what it says mean nothing: it ends with 0 when it made nothing, or something else. What counts is
//! which files it left; whoever takes them checks them.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::PdfError;

/// How often a call is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What the profile says: no macros, no links followed or updated, no fetching from documents that nobody trusts, nothing
/// recovered or locked, no first-start talk, and a proxy that leads nowhere for whatever is left.
const PROFILE: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
"#,
    r#"<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop><prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
"#,
    r#"<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
"#,
    r#"<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetProxyType" oor:op="fuse"><value>1</value></prop><prop oor:name="ooInetHTTPProxyName" oor:op="fuse"><value>127.0.0.1</value></prop><prop oor:name="ooInetHTTPProxyPort" oor:op="fuse"><value>9</value></prop><prop oor:name="ooInetHTTPSProxyName" oor:op="fuse"><value>127.0.0.1</value></prop><prop oor:name="ooInetHTTPSProxyPort" oor:op="fuse"><value>9</value></prop><prop oor:name="ooInetNoProxy" oor:op="fuse"><value></value></prop></item>
"#,
    r#"<item oor:path="/org.openoffice.Office.Common/Misc"><prop oor:name="FirstRun" oor:op="fuse"><value>false</value></prop><prop oor:name="UseLocking" oor:op="fuse"><value>false</value></prop></item>
"#,
    r#"<item oor:path="/org.openoffice.Office.Recovery/RecoveryInfo"><prop oor:name="Enabled" oor:op="fuse"><value>false</value></prop></item>
"#,
    r#"<item oor:path="/org.openoffice.Setup/Office"><prop oor:name="ooSetupInstCompleted" oor:op="fuse"><value>true</value></prop></item>
</oor:items>
"#
);

/// A place for one LibreOffice process at a time.
#[derive(Debug)]
pub(super) struct Desk {
    folder: PathBuf,
}

/// How a call is made.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    pub(super) program: &'a Path,
    /// What LibreOffice is asked to convert to: a filter and its options.
    pub(super) filter: &'a str,
    /// How long it may go on without another file.
    pub(super) patience: Duration,
}

/// What a call left behind.
#[derive(Debug)]
pub(super) struct Left {
    /// The file of each document; none where it made none.
    pub(super) files: Vec<Option<Vec<u8>>>,
    /// Whether it was ended because it did not go on.
    pub(super) is_timed_out: bool,
}

impl Desk {
    /// Sets up a place below a folder, with a fresh profile.
    pub(super) fn set_up(folder: &Path) -> Result<Desk, PdfError> {
        let user = folder.join("profile").join("user");
        fs::create_dir_all(&user)
            .and_then(|()| fs::write(user.join("registrymodifications.xcu"), PROFILE))
            .map_err(|source| PdfError::Folder { folder: folder.to_owned(), source })?;
        Ok(Desk { folder: folder.to_owned() })
    }

    /// Converts documents in one call, in their order.
    pub(super) fn convert(&self, call: &Call<'_>, documents: &[&[u8]]) -> Result<Left, PdfError> {
        let failed = |source| PdfError::Folder { folder: self.folder.clone(), source };
        let (into, out) = (self.fresh("in").map_err(failed)?, self.fresh("out").map_err(failed)?);
        let mut command = Command::new(call.program);
        command
            .arg(format!("-env:UserInstallation=file://{}", uri_path(&self.folder.join("profile"))))
            .args([
                "--headless",
                "--norestore",
                "--nologo",
                "--nodefault",
                "--convert-to",
                call.filter,
                "--outdir",
            ])
            .arg(&out);
        for (number, document) in documents.iter().enumerate() {
            let input = into.join(format!("{number:06}.docx"));
            fs::write(&input, document).map_err(failed)?;
            command.arg(input);
        }
        command
            .env("SAL_USE_VCLPLUGIN", "svp")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let child = command
            .spawn()
            .map_err(|source| PdfError::Program { program: call.program.to_owned(), source })?;
        let is_timed_out = attend(child, &out, call.patience).map_err(failed)?;
        let read = |number: usize| fs::read(out.join(format!("{number:06}.pdf"))).ok();
        let files =
            (0..documents.len()).map(read).map(|file| file.filter(|bytes| !bytes.is_empty())).collect();
        // What stays is overwritten by the next call, and goes with the folder.
        let _ = fs::remove_dir_all(&into);
        let _ = fs::remove_dir_all(&out);
        Ok(Left { files, is_timed_out })
    }

    fn fresh(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.folder.join(name);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        fs::create_dir(&folder)?;
        Ok(folder)
    }
}

/// Waits for the end of a process; ends its whole group if no file comes for too long. Tells whether it had to.
fn attend(mut child: Child, out: &Path, patience: Duration) -> io::Result<bool> {
    let group = Pid::from_child(&child);
    let (mut n_files, mut since) = (0, Instant::now());
    let is_timed_out = loop {
        if child.try_wait()?.is_some() {
            break false;
        }
        if since.elapsed() > patience {
            let n_now = fs::read_dir(out)?.count();
            if n_now <= n_files {
                break true;
            }
            (n_files, since) = (n_now, Instant::now());
        }
        thread::sleep(LOOK_EVERY);
    };
    // The program is a script with children; none of them may outlive the call. Mostly there is nobody left to end.
    let _ = kill_process_group(group, Signal::KILL);
    child.wait()?;
    Ok(is_timed_out)
}

/// A path as it stands in a URI: what is no plain character is escaped (RFC 3986 §2.1).
fn uri_path(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let escaped = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
            char::from(*byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    path.as_os_str().as_bytes().iter().map(escaped).collect()
}
