//! The folder of a run: written under a temporary name beside its place, and moved there when
//! it is whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a run's folder could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is there already.
    #[error(
        "the folder {0} exists already\n  to keep it, choose another with --out; to replace it, add --force"
    )]
    Exists(PathBuf),
    /// It is there already and is no run of p2psim, so that `--force` does not remove it.
    #[error(
        "{0} exists and is not the folder of a run, so --force does not replace it\n  choose another with --out"
    )]
    NotARun(PathBuf),
    /// It has no name of its own: `/`, `.`, `..`.
    #[error(
        "{0} cannot be the folder of a run\n  name a folder that does not exist yet with --out"
    )]
    NoName(PathBuf),
    /// The system refused.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

impl FolderError {
    /// Makes an error of the system into one that names what was attempted.
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| FolderError::Io { what, path, source }
    }
}

/// The files by which a folder is known to be a run's.
const MARKS: [&str; 2] = ["scenario.yaml", "summary.json"];

/// A run's folder while it is being written; removed again if it is not completed.
#[derive(Debug)]
pub struct RunFolder {
    place: PathBuf,
    temporary: PathBuf,
    replace: bool,
    kept: bool,
}

impl RunFolder {
    /// Begins a folder that will stand at `place`; `replace` allows an earlier run to be there.
    ///
    /// # Errors
    /// When something is at `place` that must not be replaced, or the system refuses.
    pub fn create(place: &Path, replace: bool) -> Result<Self, FolderError> {
        let name = place
            .file_name()
            .ok_or_else(|| FolderError::NoName(place.to_owned()))?;
        check_place(place, replace)?;
        let parent = match place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        fs::create_dir_all(&parent).map_err(FolderError::io("create", &parent))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".unfinished-{}", std::process::id()));
        let temporary = parent.join(hidden);
        if temporary.exists() {
            // Left by a process of the same number that was killed.
            fs::remove_dir_all(&temporary).map_err(FolderError::io("remove", &temporary))?;
        }
        fs::create_dir(&temporary).map_err(FolderError::io("create", &temporary))?;
        Ok(RunFolder {
            place: place.to_owned(),
            temporary,
            replace,
            kept: false,
        })
    }

    /// Where to write for now.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Writes a file of the folder, and the folders above it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.temporary.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(FolderError::io("create", parent))?;
        }
        fs::write(&path, bytes).map_err(FolderError::io("write", &path))
    }

    /// Moves the finished folder to its place and returns it.
    ///
    /// # Errors
    /// When something has come to stand at the place meanwhile, or the system refuses; what was
    /// written stays under its temporary name.
    pub fn complete(mut self) -> Result<PathBuf, FolderError> {
        self.kept = true;
        let place = self.place.clone();
        check_place(&place, self.replace)?;
        if place.exists() {
            // Put aside first: at no time is there half of a folder under the final name.
            let aside = self.temporary.with_extension("replaced");
            fs::rename(&place, &aside).map_err(FolderError::io("move", &place))?;
            self.move_to(&place)?;
            fs::remove_dir_all(&aside).map_err(FolderError::io("remove", &aside))?;
        } else {
            self.move_to(&place)?;
        }
        Ok(place)
    }

    /// Moves the folder of an interrupted run to `<place>-interrupted` (numbered where that is
    /// taken) and returns it.
    ///
    /// # Errors
    /// When the system refuses; what was written stays under its temporary name.
    pub fn interrupt(mut self) -> Result<PathBuf, FolderError> {
        self.kept = true;
        let mut count = 1_u32;
        loop {
            let mut name = self.place.clone().into_os_string();
            name.push("-interrupted");
            if count > 1 {
                name.push(format!("-{count}"));
            }
            let place = PathBuf::from(name);
            if !place.exists() {
                self.move_to(&place)?;
                return Ok(place);
            }
            count += 1;
        }
    }

    fn move_to(&self, place: &Path) -> Result<(), FolderError> {
        fs::rename(&self.temporary, place).map_err(FolderError::io("write", place))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.kept {
            // A run that failed leaves nothing; if even this fails there is nobody to tell.
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

fn check_place(place: &Path, replace: bool) -> Result<(), FolderError> {
    // A link that leads nowhere also takes the place.
    if fs::symlink_metadata(place).is_err() {
        return Ok(());
    }
    if !replace {
        return Err(FolderError::Exists(place.to_owned()));
    }
    let is_run = MARKS.iter().all(|name| place.join(name).is_file());
    let is_empty = fs::read_dir(place).is_ok_and(|mut entries| entries.next().is_none());
    if is_run || is_empty {
        Ok(())
    } else {
        Err(FolderError::NotARun(place.to_owned()))
    }
}
