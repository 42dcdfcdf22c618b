//! Owns the picture files that letters show: in which folder they may be, what is wrong with one, and which are at hand
//! while letters are made. Fails on a file that is missing, elsewhere, or no picture.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::merge::{BoundTemplate, Frame, Moment, Picture, PictureError, PictureUse, Pictures, picture};
use crate::run::plan::{PlannedLetter, PlannedLine};
use crate::run::problem::Problem;
use crate::run::records::{Records, RecordsError};
use crate::segment::{Attachment, Digest};

/// The pictures that are kept in memory at a time, in bytes; a single one may be larger.
const KEPT_BYTES: usize = 64 << 20;
/// How many names of checked pictures are remembered.
const REMEMBERED: usize = 100_000;

/// Why the file that a value names is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureFault {
    /// An address of the web, or data in place of a file.
    #[error("picture `{name}` is an address, and nothing is fetched")]
    Address {
        /// The name.
        name: String,
    },
    /// A file outside the folder for pictures.
    #[error("picture `{name}` is outside the folder `{}`", folder.display())]
    Outside {
        /// The name.
        name: String,
        /// The folder.
        folder: PathBuf,
    },
    /// No such file.
    #[error("picture `{name}` is not in the folder `{}`", folder.display())]
    Missing {
        /// The name.
        name: String,
        /// The folder.
        folder: PathBuf,
    },
    /// The file cannot be read, or is a folder or device.
    #[error("picture `{name}` cannot be read: {reason}")]
    Unreadable {
        /// The name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The file is no picture that a letter can show.
    #[error("`{name}` cannot be shown: {source}")]
    NoPicture {
        /// The name.
        name: String,
        /// What is wrong with it.
        source: PictureError,
    },
}

impl PictureFault {
    /// Returns the stable id of the fault.
    pub fn id(&self) -> &'static str {
        match self {
            PictureFault::Address { .. } => "picture-address",
            PictureFault::Outside { .. } => "picture-outside",
            PictureFault::Missing { .. } => "picture-missing",
            PictureFault::Unreadable { .. } => "picture-unreadable",
            PictureFault::NoPicture { .. } => "no-picture",
        }
    }

    /// Returns what to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            PictureFault::Address { .. } => {
                Some("save the picture in the folder for pictures, and give the name of the file".to_owned())
            }
            PictureFault::Outside { .. } => Some(
                "put the file into the folder, or name another folder with `pictures`; the value is a path within it"
                    .to_owned(),
            ),
            PictureFault::Missing { .. } => Some(
                "put the file there, correct the value, or name another folder with `pictures`; a blank value shows \
                 nothing"
                    .to_owned(),
            ),
            PictureFault::Unreadable { .. } => None,
            PictureFault::NoPicture { source, .. } => Some(source.help()),
        }
    }

    /// Returns the fault as a problem of what is at `place`.
    pub fn problem(&self, place: &str, wanted: &PictureUse) -> Problem {
        Problem {
            id: self.id(),
            message: self.to_string(),
            place: format!("{place}: {} in {}", wanted.code, wanted.part),
            help: self.help(),
        }
    }
}

/// The folder below which pictures may be.
#[derive(Clone, Debug)]
pub struct PictureFolder {
    folder: PathBuf,
}

impl PictureFolder {
    /// Takes a folder; whether it exists is seen when a picture is read.
    pub fn new(folder: &Path) -> PictureFolder {
        // The folder of a file that was named without one is the working folder.
        let is_here = folder.as_os_str().is_empty();
        PictureFolder { folder: if is_here { PathBuf::from(".") } else { folder.to_owned() } }
    }

    /// Reads the picture file of a name: a path within the folder, with `/` or `\`.
    ///
    /// # Errors
    ///
    /// [`PictureFault`]; links that lead out of the folder are outside it.
    pub fn read(&self, name: &str) -> Result<Picture, PictureFault> {
        let path = self.find(name)?;
        let unreadable =
            |error: io::Error| PictureFault::Unreadable { name: name.to_owned(), reason: error.to_string() };
        let no_picture = |source| PictureFault::NoPicture { name: name.to_owned(), source };
        let mut bytes = Vec::new();
        let limit = picture::LIMIT_BYTES + 1;
        fs::File::open(path).map_err(unreadable)?.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
        Picture::read(bytes).map_err(no_picture)
    }

    fn find(&self, name: &str) -> Result<PathBuf, PictureFault> {
        let scheme = name.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
        // A single letter is a drive of Windows.
        if scheme.len() > 1
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return Err(PictureFault::Address { name: name.to_owned() });
        }
        let outside = || PictureFault::Outside { name: name.to_owned(), folder: self.folder.clone() };
        let missing = || PictureFault::Missing { name: name.to_owned(), folder: self.folder.clone() };
        let written = name.replace('\\', "/");
        if written.split('/').any(|step| step == "..") || (scheme.len() == 1 && !cfg!(windows)) {
            return Err(outside());
        }
        if written.contains('\0') {
            return Err(missing());
        }
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let folder = fs::canonicalize(folder).map_err(|_| missing())?;
        let joined = folder.join(&written);
        // What is outside is not asked whether it exists.
        if !joined.starts_with(&folder) {
            return Err(outside());
        }
        let path = fs::canonicalize(&joined).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => missing(),
            _ => PictureFault::Unreadable { name: name.to_owned(), reason: error.to_string() },
        })?;
        if !path.starts_with(&folder) {
            return Err(outside());
        }
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(path),
            Ok(_) => {
                Err(PictureFault::Unreadable { name: name.to_owned(), reason: "it is no file".to_owned() })
            }
            Err(error) => Err(PictureFault::Unreadable { name: name.to_owned(), reason: error.to_string() }),
        }
    }
}

/// The pictures of a plan while it is made: each file is read, checked and kept in the store once.
#[derive(Debug, Default)]
pub(in crate::run) struct Gathering {
    known: BTreeMap<(PathBuf, String), Result<Digest, PictureFault>>,
}

impl Gathering {
    /// Puts the pictures that a line's letter asks for into the store, and their digests into its plan.
    ///
    /// # Errors
    ///
    /// A store that fails. Faults of pictures are the problems of the line.
    pub(in crate::run) fn gather(
        &mut self,
        records: &mut dyn Records,
        folder: &Path,
        line: &mut PlannedLine,
        place: &dyn Fn() -> String,
    ) -> Result<Vec<Problem>, RecordsError> {
        let mut problems = Vec::new();
        let Some(letter) = &mut line.letter else { return Ok(problems) };
        for wanted in &line.wanted {
            match self.digest(records, folder, &wanted.name)? {
                Ok(digest) => {
                    letter.pictures.insert(wanted.name.clone(), digest);
                }
                Err(fault) => problems.push(fault.problem(&place(), wanted)),
            }
        }
        for enclosure in &mut letter.enclosures {
            enclosure.pictures.clone_from(&letter.pictures);
        }
        Ok(problems)
    }

    fn digest(
        &mut self,
        records: &mut dyn Records,
        folder: &Path,
        name: &str,
    ) -> Result<Result<Digest, PictureFault>, RecordsError> {
        let key = (folder.to_owned(), name.to_owned());
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let digest = match PictureFolder::new(folder).read(name) {
            Ok(picture) => {
                let attachment = Attachment::new(name, picture.bytes().to_vec());
                records.put_attachment(&attachment)?;
                Ok(attachment.digest)
            }
            Err(fault) => Err(fault),
        };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(key, digest.clone());
        Ok(digest)
    }
}

/// The pictures of the letters that are being made, out of the store.
#[derive(Debug, Default)]
pub struct Album {
    pictures: BTreeMap<Digest, Picture>,
}

impl Album {
    /// Fetches the pictures of letters, as many letters as the memory for pictures allows, but at least one; tells how
    /// many. What `before` has already is shared with it.
    ///
    /// # Errors
    ///
    /// A store that fails. A picture that it lacks is found when its letter is made.
    pub fn fetch<'l>(
        records: &mut dyn Records,
        letters: impl Iterator<Item = &'l PlannedLetter>,
        before: &Album,
    ) -> Result<(Album, usize), RecordsError> {
        let mut album = Album::default();
        let (mut n_bytes, mut n_letters) = (0, 0);
        for letter in letters {
            for digest in letter.pictures.values() {
                if album.pictures.contains_key(digest) {
                    continue;
                }
                let picture = match before.pictures.get(digest) {
                    Some(picture) => Some(picture.clone()),
                    None => records.attachment(digest)?.and_then(|it| Picture::read(it.bytes).ok()),
                };
                let Some(picture) = picture else { continue };
                n_bytes += picture.bytes().len();
                if n_bytes > KEPT_BYTES && n_letters > 0 {
                    return Ok((album, n_letters));
                }
                album.pictures.insert(digest.clone(), picture);
            }
            n_letters += 1;
        }
        Ok((album, n_letters))
    }

    /// Returns the pictures of a letter by the names that its values give them.
    pub(in crate::run) fn of(&self, letter: &PlannedLetter) -> Pictures {
        let named = letter.pictures.iter().filter_map(|(name, digest)| {
            let picture = self.pictures.get(digest)?;
            Some((name.clone(), picture.clone()))
        });
        named.collect()
    }
}

/// Pictures out of a folder, those used last at hand, for letters without a store.
#[derive(Debug)]
pub(in crate::run) struct Shelf {
    folder: PictureFolder,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    pictures: BTreeMap<String, Picture>,
    n_bytes: usize,
}

impl Shelf {
    pub(in crate::run) fn new(folder: &Path) -> Shelf {
        Shelf { folder: PictureFolder::new(folder), kept: Mutex::default() }
    }

    /// Returns the pictures that a letter of these records asks for.
    ///
    /// # Errors
    ///
    /// Each that is at fault, with where it is asked for.
    pub(in crate::run) fn pictures(
        &self,
        template: &BoundTemplate,
        records: &[Frame],
        moment: &Moment,
    ) -> Result<Pictures, Vec<(PictureFault, PictureUse)>> {
        let wanted = template.wanted(records, moment);
        let mut faults = Vec::new();
        let mut pictures = Vec::new();
        for wanted in wanted.pictures {
            match self.picture(&wanted.name) {
                Ok(picture) => pictures.push((wanted.name, picture)),
                Err(fault) => faults.push((fault, wanted)),
            }
        }
        if faults.is_empty() { Ok(pictures.into_iter().collect()) } else { Err(faults) }
    }

    fn picture(&self, name: &str) -> Result<Picture, PictureFault> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(picture) = kept().pictures.get(name) {
            return Ok(picture.clone());
        }
        let picture = self.folder.read(name)?;
        let mut kept = kept();
        if kept.n_bytes + picture.bytes().len() > KEPT_BYTES {
            *kept = Kept::default();
        }
        kept.n_bytes += picture.bytes().len();
        kept.pictures.insert(name.to_owned(), picture.clone());
        Ok(picture)
    }
}
