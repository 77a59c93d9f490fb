//! Preview 1's descriptors: numbers for open files, with the position that WASI 0.2 leaves to the guest.

use wasmtime_wasi::p1::types::{Errno, Error, Fd, Fdflags, Size};

use super::{Descriptor, Filesystem};

/// The numbers of standard input, output and error, here and in wasmtime-wasi.
const STANDARD: std::ops::Range<u32> = 0..3;

/// What each number stands for. A new one gets the lowest number that is free, as in POSIX.
pub(super) struct Descriptors(Vec<Option<Entry>>);

pub(super) enum Entry {
    /// A standard stream, by the number that wasmtime-wasi knows it by.
    Standard(Fd),
    Folder {
        descriptor: Descriptor,
        /// The name that the guest knows a mount by.
        preopened: Option<String>,
    },
    File(OpenFile),
}

pub(super) struct OpenFile {
    pub(super) descriptor: Descriptor,
    /// In bytes.
    pub(super) position: u64,
    pub(super) flags: Fdflags,
}

impl OpenFile {
    pub(super) fn appends(&self) -> bool {
        self.flags.contains(Fdflags::APPEND)
    }

    pub(super) fn advance(&mut self, bytes: Size) -> Result<(), Error> {
        self.position = self.position.checked_add(bytes.into()).ok_or(Errno::Overflow)?;
        Ok(())
    }
}

impl Descriptors {
    pub(super) fn new(filesystem: &Filesystem) -> Self {
        let standard = STANDARD.map(|number| Entry::Standard(number.into()));
        let folders = filesystem
            .preopened()
            .map(|(descriptor, name)| Entry::Folder { descriptor, preopened: Some(name.to_owned()) });
        Self(standard.chain(folders).map(Some).collect())
    }

    fn slot(&mut self, fd: Fd) -> Result<&mut Option<Entry>, Error> {
        let slot = self.0.get_mut(u32::from(fd) as usize).filter(|slot| slot.is_some());
        Ok(slot.ok_or(Errno::Badf)?)
    }

    pub(super) fn get(&self, fd: Fd) -> Result<&Entry, Error> {
        Ok(self.0.get(u32::from(fd) as usize).and_then(Option::as_ref).ok_or(Errno::Badf)?)
    }

    pub(super) fn get_mut(&mut self, fd: Fd) -> Result<&mut Entry, Error> {
        Ok(self.0.get_mut(u32::from(fd) as usize).and_then(Option::as_mut).ok_or(Errno::Badf)?)
    }

    /// A file, and no folder.
    pub(super) fn file(&self, fd: Fd) -> Result<&OpenFile, Error> {
        match self.get(fd)? {
            Entry::File(file) => Ok(file),
            _ => Err(Errno::Badf.into()),
        }
    }

    pub(super) fn file_mut(&mut self, fd: Fd) -> Result<&mut OpenFile, Error> {
        match self.get_mut(fd)? {
            Entry::File(file) => Ok(file),
            _ => Err(Errno::Badf.into()),
        }
    }

    /// A file that has a position.
    pub(super) fn seekable(&mut self, fd: Fd) -> Result<&mut OpenFile, Error> {
        match self.get_mut(fd)? {
            Entry::File(file) => Ok(file),
            Entry::Standard(_) => Err(Errno::Spipe.into()),
            Entry::Folder { .. } => Err(Errno::Badf.into()),
        }
    }

    pub(super) fn folder(&self, fd: Fd) -> Result<&Descriptor, Error> {
        match self.get(fd)? {
            Entry::Folder { descriptor, .. } => Ok(descriptor),
            Entry::File(_) => Err(Errno::Notdir.into()),
            Entry::Standard(_) => Err(Errno::Badf.into()),
        }
    }

    /// A file or folder, and no standard stream.
    pub(super) fn opened(&self, fd: Fd) -> Result<&Descriptor, Error> {
        match self.get(fd)? {
            Entry::File(OpenFile { descriptor, .. }) | Entry::Folder { descriptor, .. } => Ok(descriptor),
            Entry::Standard(_) => Err(Errno::Badf.into()),
        }
    }

    /// The guest's name for a mount.
    pub(super) fn preopened(&self, fd: Fd) -> Option<&str> {
        match self.get(fd) {
            Ok(Entry::Folder { preopened, .. }) => preopened.as_deref(),
            _ => None,
        }
    }

    pub(super) fn add(&mut self, entry: Entry) -> Result<Fd, Error> {
        let free = self.0.iter().position(Option::is_none).unwrap_or(self.0.len());
        let number = u32::try_from(free)?;
        if free == self.0.len() {
            self.0.push(None);
        }
        self.0[free] = Some(entry);
        Ok(number.into())
    }

    pub(super) fn remove(&mut self, fd: Fd) -> Result<Entry, Error> {
        let entry = self.slot(fd)?.take().ok_or(Errno::Badf)?;
        Ok(entry)
    }

    /// `to` was removed.
    pub(super) fn renumber(&mut self, from: Fd, to: Fd) -> Result<(), Error> {
        let entry = self.remove(from)?;
        let place = self.0.get_mut(u32::from(to) as usize).ok_or(Errno::Badf)?;
        *place = Some(entry);
        Ok(())
    }
}
