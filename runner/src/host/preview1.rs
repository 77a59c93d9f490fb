//! `wasi_snapshot_preview1` for core modules: files by [`super::filesystem`], the rest by wasmtime-wasi.
//!
//! wasmtime-wasi keeps preview 1's descriptors to itself, and opens what a name leads to. So the table of descriptors
//! is ours, with the same descriptors behind it as in WASI 0.2 and thus the same rules; wasmtime-wasi has no folder, only
//! the three standard streams, and is asked for those under its own numbers.
//!
//! Absent: rights, which preview 1's successors dropped; `fd_allocate`; sockets; and `poll_oneoff` on a standard stream
//! that was moved to another number.

mod convert;
mod descriptors;
mod poll;
mod transfer;

use rustix::fs::Advice;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::types::{self, Errno, Error};
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self, WasiSnapshotPreview1};
use wiggle::{GuestMemory, GuestPtr};

use self::descriptors::{Descriptors, Entry, OpenFile};
use super::filesystem::{Descriptor, Direction, Filesystem, OpenOptions};

/// The longest name that a guest may give, in bytes: the system's own bound, so that no longer one is copied.
const MAX_PATH_BYTES: u32 = 4_096;

/// What a core module sees of the host.
pub(super) struct Preview1 {
    wasi: WasiP1Ctx,
    descriptors: Descriptors,
}

type Result<T, E = Error> = std::result::Result<T, E>;

/// Adds preview 1 to a linker.
pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut wasmtime::Linker<T>,
    get: fn(&mut T) -> &mut Preview1,
) -> wasmtime::Result<()> {
    wasi_snapshot_preview1::add_to_linker(linker, get)
}

impl Preview1 {
    /// `wasi` has no folder of its own.
    pub(super) fn new(wasi: WasiP1Ctx, filesystem: &Filesystem) -> Self {
        Self { wasi, descriptors: Descriptors::new(filesystem) }
    }
}

/// A name in the guest's memory.
fn path(memory: &GuestMemory<'_>, path: GuestPtr<str>) -> Result<String> {
    // A pointer that leads nowhere is worse than a name that is too long: it ends the guest.
    memory.as_slice(path.as_bytes())?;
    if path.len() > MAX_PATH_BYTES {
        return Err(Errno::Nametoolong.into());
    }
    Ok(memory.as_cow_str(path)?.into_owned())
}

impl WasiSnapshotPreview1 for Preview1 {
    fn set_hostcall_fuel(&mut self, fuel: usize) {
        // For what wasmtime-wasi copies. What is copied here has small bounds of its own.
        self.wasi.set_hostcall_fuel(fuel);
    }

    async fn fd_advise(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        offset: types::Filesize,
        length: types::Filesize,
        advice: types::Advice,
    ) -> Result<()> {
        let advice = match advice {
            types::Advice::Normal => Advice::Normal,
            types::Advice::Sequential => Advice::Sequential,
            types::Advice::Random => Advice::Random,
            types::Advice::Willneed => Advice::WillNeed,
            types::Advice::Dontneed => Advice::DontNeed,
            types::Advice::Noreuse => Advice::NoReuse,
        };
        Ok(self.descriptors.file(fd)?.descriptor.advise(offset, length, advice).await?)
    }

    fn fd_allocate(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        _: types::Filesize,
        _: types::Filesize,
    ) -> Result<()> {
        self.descriptors.file(fd)?;
        Err(Errno::Notsup.into())
    }

    async fn fd_close(&mut self, memory: &mut GuestMemory<'_>, fd: types::Fd) -> Result<()> {
        match self.descriptors.remove(fd)? {
            Entry::Standard(own) => self.wasi.fd_close(memory, own).await,
            Entry::Folder { .. } | Entry::File(_) => Ok(()),
        }
    }

    async fn fd_datasync(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<()> {
        Ok(self.descriptors.opened(fd)?.sync(false).await?)
    }

    async fn fd_fdstat_get(&mut self, memory: &mut GuestMemory<'_>, fd: types::Fd) -> Result<types::Fdstat> {
        match self.descriptors.get(fd)? {
            Entry::Standard(own) => self.wasi.fd_fdstat_get(memory, *own).await,
            Entry::Folder { .. } => Ok(convert::folder_status()),
            Entry::File(file) => Ok(convert::file_status(file)),
        }
    }

    fn fd_fdstat_set_flags(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd, flags: types::Fdflags) -> Result<()> {
        let file = self.descriptors.file_mut(fd)?;
        if flags.intersects(convert::SYNCHRONOUS) {
            return Err(Errno::Inval.into());
        }
        file.flags = flags;
        Ok(())
    }

    fn fd_fdstat_set_rights(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        _: types::Rights,
        _: types::Rights,
    ) -> Result<()> {
        self.descriptors.get(fd)?;
        Err(Errno::Notsup.into())
    }

    async fn fd_filestat_get(&mut self, memory: &mut GuestMemory<'_>, fd: types::Fd) -> Result<types::Filestat> {
        if let Entry::Standard(own) = self.descriptors.get(fd)? {
            return self.wasi.fd_filestat_get(memory, *own).await;
        }
        Ok(convert::filestat(&self.descriptors.opened(fd)?.metadata().await?))
    }

    async fn fd_filestat_set_size(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        size: types::Filesize,
    ) -> Result<()> {
        Ok(self.descriptors.file(fd)?.descriptor.set_size(size).await?)
    }

    async fn fd_filestat_set_times(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        access: types::Timestamp,
        change: types::Timestamp,
        flags: types::Fstflags,
    ) -> Result<()> {
        let (access, change) = convert::new_times(access, change, flags)?;
        Ok(self.descriptors.opened(fd)?.set_times(access, change).await?)
    }

    async fn fd_pread(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        buffers: types::IovecArray,
        offset: types::Filesize,
    ) -> Result<types::Size> {
        match self.descriptors.get(fd)? {
            Entry::Standard(own) => self.wasi.fd_pread(memory, *own, buffers, offset).await,
            Entry::Folder { .. } => Err(Errno::Isdir.into()),
            Entry::File(file) => transfer::read(memory, &file.descriptor, buffers, offset).await,
        }
    }

    fn fd_prestat_get(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<types::Prestat> {
        let name = self.descriptors.preopened(fd).ok_or(Errno::Badf)?;
        Ok(types::Prestat::Dir(types::PrestatDir { pr_name_len: name.len().try_into()? }))
    }

    fn fd_prestat_dir_name(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        buffer: GuestPtr<u8>,
        length: types::Size,
    ) -> Result<()> {
        let name = self.descriptors.preopened(fd).ok_or(Errno::Notdir)?.as_bytes();
        let needed = u32::try_from(name.len())?;
        if needed > length {
            return Err(Errno::Nametoolong.into());
        }
        Ok(memory.copy_from_slice(name, buffer.as_array(needed))?)
    }

    async fn fd_pwrite(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        buffers: types::CiovecArray,
        offset: types::Filesize,
    ) -> Result<types::Size> {
        match self.descriptors.get(fd)? {
            Entry::Standard(own) => self.wasi.fd_pwrite(memory, *own, buffers, offset).await,
            Entry::Folder { .. } => Err(Errno::Isdir.into()),
            Entry::File(file) => {
                let to = if file.appends() { Direction::End } else { Direction::At(offset) };
                transfer::write(memory, &file.descriptor, buffers, to).await
            }
        }
    }

    async fn fd_read(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        buffers: types::IovecArray,
    ) -> Result<types::Size> {
        match self.descriptors.get_mut(fd)? {
            Entry::Standard(own) => self.wasi.fd_read(memory, *own, buffers).await,
            Entry::Folder { .. } => Err(Errno::Isdir.into()),
            Entry::File(file) => {
                let read = transfer::read(memory, &file.descriptor, buffers, file.position).await?;
                file.advance(read)?;
                Ok(read)
            }
        }
    }

    async fn fd_readdir(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        buffer: GuestPtr<u8>,
        length: types::Size,
        cookie: types::Dircookie,
    ) -> Result<types::Size> {
        let folder = self.descriptors.folder(fd)?.clone();
        transfer::list(memory, &folder, buffer.as_array(length), cookie).await
    }

    async fn fd_renumber(&mut self, memory: &mut GuestMemory<'_>, from: types::Fd, to: types::Fd) -> Result<()> {
        self.descriptors.get(from)?;
        self.descriptors.get(to)?;
        if u32::from(from) != u32::from(to) {
            self.fd_close(memory, to).await?;
            self.descriptors.renumber(from, to)?;
        }
        Ok(())
    }

    async fn fd_seek(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        offset: types::Filedelta,
        whence: types::Whence,
    ) -> Result<types::Filesize> {
        let file = self.descriptors.seekable(fd)?;
        let start = match whence {
            types::Whence::Set => 0,
            types::Whence::Cur => file.position,
            types::Whence::End => file.descriptor.metadata().await?.stat().size,
        };
        file.position = start.checked_add_signed(offset).ok_or(Errno::Inval)?;
        Ok(file.position)
    }

    async fn fd_sync(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<()> {
        Ok(self.descriptors.opened(fd)?.sync(true).await?)
    }

    fn fd_tell(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<types::Filesize> {
        Ok(self.descriptors.seekable(fd)?.position)
    }

    async fn fd_write(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        buffers: types::CiovecArray,
    ) -> Result<types::Size> {
        match self.descriptors.get_mut(fd)? {
            Entry::Standard(own) => self.wasi.fd_write(memory, *own, buffers).await,
            Entry::Folder { .. } => Err(Errno::Isdir.into()),
            Entry::File(file) => {
                let appends = file.appends();
                let to = if appends { Direction::End } else { Direction::At(file.position) };
                let written = transfer::write(memory, &file.descriptor, buffers, to).await?;
                if appends {
                    file.position = file.descriptor.metadata().await?.stat().size;
                } else {
                    file.advance(written)?;
                }
                Ok(written)
            }
        }
    }

    async fn path_create_directory(
        &mut self,
        memory: &mut GuestMemory<'_>,
        folder: types::Fd,
        name: GuestPtr<str>,
    ) -> Result<()> {
        let folder = self.descriptors.folder(folder)?;
        Ok(folder.create_folder(path(memory, name)?).await?)
    }

    async fn path_filestat_get(
        &mut self,
        memory: &mut GuestMemory<'_>,
        folder: types::Fd,
        flags: types::Lookupflags,
        name: GuestPtr<str>,
    ) -> Result<types::Filestat> {
        let folder = self.descriptors.folder(folder)?;
        let metadata = folder.metadata_at(path(memory, name)?, convert::follows(flags)).await?;
        Ok(convert::filestat(&metadata))
    }

    async fn path_filestat_set_times(
        &mut self,
        memory: &mut GuestMemory<'_>,
        folder: types::Fd,
        flags: types::Lookupflags,
        name: GuestPtr<str>,
        access: types::Timestamp,
        change: types::Timestamp,
        time_flags: types::Fstflags,
    ) -> Result<()> {
        let (access, change) = convert::new_times(access, change, time_flags)?;
        let folder = self.descriptors.folder(folder)?;
        Ok(folder.set_times_at(path(memory, name)?, convert::follows(flags), access, change).await?)
    }

    async fn path_link(
        &mut self,
        memory: &mut GuestMemory<'_>,
        folder: types::Fd,
        flags: types::Lookupflags,
        name: GuestPtr<str>,
        new_folder: types::Fd,
        new_name: GuestPtr<str>,
    ) -> Result<()> {
        if convert::follows(flags) {
            return Err(Errno::Inval.into());
        }
        let (folder, new_folder) = (self.descriptors.folder(folder)?, self.descriptors.folder(new_folder)?);
        Ok(folder.link(path(memory, name)?, new_folder, path(memory, new_name)?).await?)
    }

    async fn path_open(
        &mut self,
        memory: &mut GuestMemory<'_>,
        folder: types::Fd,
        flags: types::Lookupflags,
        name: GuestPtr<str>,
        open_flags: types::Oflags,
        rights: types::Rights,
        _: types::Rights,
        file_flags: types::Fdflags,
    ) -> Result<types::Fd> {
        let name = path(memory, name)?;
        let folder = self.descriptors.folder(folder)?;
        if file_flags.intersects(convert::SYNCHRONOUS) {
            return Err(Errno::Notsup.into());
        }
        let options = OpenOptions {
            read: rights.contains(types::Rights::FD_READ),
            write: rights.contains(types::Rights::FD_WRITE),
            create: open_flags.contains(types::Oflags::CREAT),
            exclusive: open_flags.contains(types::Oflags::EXCL),
            truncate: open_flags.contains(types::Oflags::TRUNC),
            directory: open_flags.contains(types::Oflags::DIRECTORY),
            follow: convert::follows(flags),
        };
        let opened = folder.open(name, options).await.map_err(convert::opening)?;
        self.descriptors.add(if opened.is_folder() {
            Entry::Folder { descriptor: opened, preopened: None }
        } else {
            Entry::File(OpenFile { descriptor: opened, position: 0, flags: file_flags })
        })
    }

    async fn path_readlink(
        &mut self,
        memory: &mut GuestMemory<'_>,
        folder: types::Fd,
        name: GuestPtr<str>,
        buffer: GuestPtr<u8>,
        length: types::Size,
    ) -> Result<types::Size> {
        let folder = self.descriptors.folder(folder)?;
        let target = folder.read_link(path(memory, name)?).await?;
        let length = length.min(target.len().try_into()?);
        memory.copy_from_slice(&target.as_bytes()[..length as usize], buffer.as_array(length))?;
        Ok(length)
    }

    async fn path_remove_directory(
        &mut self,
        memory: &mut GuestMemory<'_>,
        folder: types::Fd,
        name: GuestPtr<str>,
    ) -> Result<()> {
        let folder = self.descriptors.folder(folder)?;
        Ok(folder.remove_folder(path(memory, name)?).await?)
    }

    async fn path_rename(
        &mut self,
        memory: &mut GuestMemory<'_>,
        folder: types::Fd,
        name: GuestPtr<str>,
        new_folder: types::Fd,
        new_name: GuestPtr<str>,
    ) -> Result<()> {
        let (folder, new_folder) = (self.descriptors.folder(folder)?, self.descriptors.folder(new_folder)?);
        Ok(folder.rename(path(memory, name)?, new_folder, path(memory, new_name)?).await?)
    }

    async fn path_symlink(
        &mut self,
        memory: &mut GuestMemory<'_>,
        target: GuestPtr<str>,
        folder: types::Fd,
        name: GuestPtr<str>,
    ) -> Result<()> {
        let folder = self.descriptors.folder(folder)?;
        Ok(folder.symlink(path(memory, target)?, path(memory, name)?).await?)
    }

    async fn path_unlink_file(
        &mut self,
        memory: &mut GuestMemory<'_>,
        folder: types::Fd,
        name: GuestPtr<str>,
    ) -> Result<()> {
        let folder = self.descriptors.folder(folder)?;
        Ok(folder.remove_file(path(memory, name)?).await?)
    }

    async fn poll_oneoff(
        &mut self,
        memory: &mut GuestMemory<'_>,
        subscriptions: GuestPtr<types::Subscription>,
        events: GuestPtr<types::Event>,
        count: types::Size,
    ) -> Result<types::Size> {
        match poll::files(memory, &self.descriptors, subscriptions, events, count).await? {
            0 => self.wasi.poll_oneoff(memory, subscriptions, events, count).await,
            ready => Ok(ready),
        }
    }

    fn args_get(
        &mut self,
        memory: &mut GuestMemory<'_>,
        arguments: GuestPtr<GuestPtr<u8>>,
        buffer: GuestPtr<u8>,
    ) -> Result<()> {
        self.wasi.args_get(memory, arguments, buffer)
    }

    fn args_sizes_get(&mut self, memory: &mut GuestMemory<'_>) -> Result<(types::Size, types::Size)> {
        self.wasi.args_sizes_get(memory)
    }

    fn environ_get(
        &mut self,
        memory: &mut GuestMemory<'_>,
        environment: GuestPtr<GuestPtr<u8>>,
        buffer: GuestPtr<u8>,
    ) -> Result<()> {
        self.wasi.environ_get(memory, environment, buffer)
    }

    fn environ_sizes_get(&mut self, memory: &mut GuestMemory<'_>) -> Result<(types::Size, types::Size)> {
        self.wasi.environ_sizes_get(memory)
    }

    fn clock_res_get(&mut self, memory: &mut GuestMemory<'_>, clock: types::Clockid) -> Result<types::Timestamp> {
        self.wasi.clock_res_get(memory, clock)
    }

    fn clock_time_get(
        &mut self,
        memory: &mut GuestMemory<'_>,
        clock: types::Clockid,
        precision: types::Timestamp,
    ) -> Result<types::Timestamp> {
        self.wasi.clock_time_get(memory, clock, precision)
    }

    fn proc_exit(&mut self, memory: &mut GuestMemory<'_>, status: types::Exitcode) -> wiggle::error::Error {
        self.wasi.proc_exit(memory, status)
    }

    fn proc_raise(&mut self, memory: &mut GuestMemory<'_>, signal: types::Signal) -> Result<()> {
        self.wasi.proc_raise(memory, signal)
    }

    fn sched_yield(&mut self, memory: &mut GuestMemory<'_>) -> Result<()> {
        self.wasi.sched_yield(memory)
    }

    fn random_get(&mut self, memory: &mut GuestMemory<'_>, buffer: GuestPtr<u8>, length: types::Size) -> Result<()> {
        self.wasi.random_get(memory, buffer, length)
    }

    fn sock_accept(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd, _: types::Fdflags) -> Result<types::Fd> {
        self.no_socket(fd)
    }

    fn sock_recv(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        _: types::IovecArray,
        _: types::Riflags,
    ) -> Result<(types::Size, types::Roflags)> {
        self.no_socket(fd)
    }

    fn sock_send(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        _: types::CiovecArray,
        _: types::Siflags,
    ) -> Result<types::Size> {
        self.no_socket(fd)
    }

    fn sock_shutdown(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd, _: types::Sdflags) -> Result<()> {
        self.no_socket(fd)
    }
}

impl Preview1 {
    fn no_socket<R>(&self, fd: types::Fd) -> Result<R> {
        self.descriptors.get(fd)?;
        Err(Errno::Notsock.into())
    }
}
