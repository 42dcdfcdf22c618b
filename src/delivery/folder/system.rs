//! Owns the system calls of a folder: few of them a file on Linux, portable ones elsewhere.

#[cfg(target_os = "linux")]
pub(super) use linux::Directory;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::Directory;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::{self, Write};
    use std::path::Path;

    use rustix::fd::OwnedFd;
    use rustix::fs::{
        AtFlags, FlockOperation, Mode, OFlags, flock, fsync, open, openat, renameat, syncfs, unlinkat,
    };

    /// An open directory. Names are looked up in it and not by their whole path, also if it is moved meanwhile.
    #[derive(Debug)]
    pub(in crate::delivery::folder) struct Directory(OwnedFd);

    impl Directory {
        pub(in crate::delivery::folder) fn open(path: &Path) -> io::Result<Directory> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            Ok(Directory(open(path, flags, Mode::empty())?))
        }

        /// Locks the folder for this process, until it is dropped or the process ends; fails if another one has it.
        pub(in crate::delivery::folder) fn lock(&self) -> io::Result<()> {
            Ok(flock(&self.0, FlockOperation::NonBlockingLockExclusive)?)
        }

        /// Writes a file in three system calls: open, write, close.
        pub(in crate::delivery::folder) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mode = Mode::from_raw_mode(0o666);
            File::from(openat(&self.0, name, flags, mode)?).write_all(bytes)
        }

        /// Creates a file to be written piece by piece, and read again.
        pub(in crate::delivery::folder) fn create(&self, name: &str) -> io::Result<File> {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(File::from(openat(&self.0, name, flags, Mode::from_raw_mode(0o666))?))
        }

        pub(in crate::delivery::folder) fn remove(&self, name: &str) -> io::Result<()> {
            Ok(unlinkat(&self.0, name, AtFlags::empty())?)
        }

        pub(in crate::delivery::folder) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            Ok(renameat(&self.0, from, &self.0, to)?)
        }

        /// Brings every file of the folder's file system to the disk: one call for a batch of any size.
        ///
        /// It reports write-back errors since Linux 5.8 (syncfs(2), section VERSIONS).
        pub(in crate::delivery::folder) fn sync_files(&self) -> io::Result<()> {
            Ok(syncfs(&self.0)?)
        }

        pub(in crate::delivery::folder) fn sync_names(&self) -> io::Result<()> {
            Ok(fsync(&self.0)?)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::fs::{self, File};
    use std::io::{self, Write};
    use std::path::{Path, PathBuf};

    /// A directory, by its path.
    #[derive(Debug)]
    pub(in crate::delivery::folder) struct Directory(PathBuf);

    impl Directory {
        pub(in crate::delivery::folder) fn open(path: &Path) -> io::Result<Directory> {
            fs::read_dir(path)?;
            Ok(Directory(path.to_owned()))
        }

        /// Nothing: there is no lock that a folder's process takes with it here.
        #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as where folders can be locked")]
        pub(in crate::delivery::folder) fn lock(&self) -> io::Result<()> {
            Ok(())
        }

        /// Writes a file and brings it to the disk at once: there is no sync for a whole batch here.
        pub(in crate::delivery::folder) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
            let mut file = File::create(self.0.join(name))?;
            file.write_all(bytes)?;
            file.sync_all()
        }

        /// Creates a file to be written piece by piece, and read again.
        pub(in crate::delivery::folder) fn create(&self, name: &str) -> io::Result<File> {
            File::options().read(true).write(true).create(true).truncate(true).open(self.0.join(name))
        }

        pub(in crate::delivery::folder) fn remove(&self, name: &str) -> io::Result<()> {
            fs::remove_file(self.0.join(name))
        }

        pub(in crate::delivery::folder) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            fs::rename(self.0.join(from), self.0.join(to))
        }

        pub(in crate::delivery::folder) fn sync_files(&self) -> io::Result<()> {
            Ok(())
        }

        pub(in crate::delivery::folder) fn sync_names(&self) -> io::Result<()> {
            // A directory can be opened and synced on Unix alone; elsewhere the system keeps its names itself.
            if cfg!(unix) { File::open(&self.0)?.sync_all() } else { Ok(()) }
        }
    }
}
