//! Owns the init command: a folder with a sample that runs as it stands.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::problem::Failure;
use super::terminal::Terminal;
use super::{DONE, PROBLEMS};

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder, which is made
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
}

/// The files of the sample.
const FILES: [(&str, &[u8]); 4] = [
    ("segment.toml", include_bytes!("../../templates/init/segment.toml")),
    ("mailrun.toml", include_bytes!("../../templates/init/mailrun.toml")),
    ("contacts.csv", include_bytes!("../../templates/init/contacts.csv")),
    ("letter.docx", include_bytes!("../../templates/init/letter.docx")),
];

pub(super) fn init(init: &Init, terminal: &Terminal) -> Result<u8, Failure> {
    fs::create_dir_all(&init.dir).map_err(Failure::output)?;
    if let Some((name, _)) = FILES.iter().find(|(name, _)| init.dir.join(name).exists()) {
        return Err(Failure::Stopped {
            code: PROBLEMS,
            message: format!("`{}` is there already", init.dir.join(name).display()),
            help: Some("name a new folder; nothing is overwritten".to_owned()),
        });
    }
    for (name, bytes) in FILES {
        let made = File::create_new(init.dir.join(name)).and_then(|mut file| file.write_all(bytes));
        made.map_err(Failure::output)?;
        terminal.say(&format!("made {}", init.dir.join(name).display()));
    }
    terminal.say("now: mailrun check segment.toml, mailrun preview segment.toml, mailrun run segment.toml");
    Ok(DONE)
}
