//! `wasi:filesystem` of WASI 0.2: its calls, translated.
//!
//! The resource table holds our own types behind the resources of wasmtime-wasi's bindings. Only this module makes and
//! reads those resources, and [`types`] hides which type that is.

use bytes::Bytes;
use rustix::fs::Advice;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::filesystem::{preopens, types};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::descriptor::{Descriptor, Direction};
use super::error::{ErrorCode, io_code};
use super::listing::Listing;
use super::open::OpenOptions;
use super::stream::{ReadStream, WriteStream};
use super::{Filesystem, TRANSFER_BYTES};

/// A container's files during one call.
pub(in crate::host) struct FilesystemView<'a> {
    pub(in crate::host) filesystem: &'a mut Filesystem,
    pub(in crate::host) table: &'a mut ResourceTable,
}

struct HasFilesystem;

impl HasData for HasFilesystem {
    type Data<'a> = FilesystemView<'a>;
}

/// Adds `wasi:filesystem` to a linker, in the place of what has that name there.
pub(in crate::host) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> FilesystemView<'_>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    preopens::add_to_linker::<T, HasFilesystem>(linker, get)?;
    types::add_to_linker::<T, HasFilesystem>(linker, get)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl FilesystemView<'_> {
    fn descriptor(&self, resource: &Resource<types::Descriptor>) -> FsResult<Descriptor> {
        let own: Resource<Descriptor> = Resource::new_borrow(resource.rep());
        Ok(self.table.get(&own)?.clone())
    }

    fn push(&mut self, descriptor: Descriptor) -> Result<Resource<types::Descriptor>, wasmtime::Error> {
        Ok(Resource::new_own(self.table.push(descriptor)?.rep()))
    }
}

impl preopens::Host for FilesystemView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<types::Descriptor>, String)>> {
        let filesystem = self.filesystem.clone();
        filesystem.preopened().map(|(folder, path)| Ok((self.push(folder)?, path.to_owned()))).collect()
    }
}

impl types::Host for FilesystemView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.downcast_ref().map(io_code))
    }
}

impl types::HostDescriptor for FilesystemView<'_> {
    fn read_via_stream(
        &mut self,
        file: Resource<types::Descriptor>,
        offset: types::Filesize,
    ) -> FsResult<Resource<DynInputStream>> {
        let file = self.descriptor(&file)?.as_file()?.clone();
        let stream: DynInputStream = Box::new(ReadStream::new(file, offset));
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(
        &mut self,
        file: Resource<types::Descriptor>,
        offset: types::Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        let file = self.descriptor(&file)?.as_file()?.as_mutable()?.clone();
        let stream: DynOutputStream = Box::new(WriteStream::new(file, Direction::At(offset)));
        Ok(self.table.push(stream)?)
    }

    fn append_via_stream(&mut self, file: Resource<types::Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        let file = self.descriptor(&file)?.as_file()?.as_mutable()?.clone();
        let stream: DynOutputStream = Box::new(WriteStream::new(file, Direction::End));
        Ok(self.table.push(stream)?)
    }

    async fn advise(
        &mut self,
        file: Resource<types::Descriptor>,
        offset: types::Filesize,
        length: types::Filesize,
        advice: types::Advice,
    ) -> FsResult<()> {
        let advice = match advice {
            types::Advice::Normal => Advice::Normal,
            types::Advice::Sequential => Advice::Sequential,
            types::Advice::Random => Advice::Random,
            types::Advice::WillNeed => Advice::WillNeed,
            types::Advice::DontNeed => Advice::DontNeed,
            types::Advice::NoReuse => Advice::NoReuse,
        };
        let file = self.descriptor(&file)?;
        if file.is_folder() {
            // What WASI's own tests expect of a folder here.
            return Err(ErrorCode::BadDescriptor.into());
        }
        Ok(file.advise(offset, length, advice).await?)
    }

    async fn sync_data(&mut self, descriptor: Resource<types::Descriptor>) -> FsResult<()> {
        Ok(self.descriptor(&descriptor)?.sync(false).await?)
    }

    async fn get_flags(&mut self, descriptor: Resource<types::Descriptor>) -> FsResult<types::DescriptorFlags> {
        Ok(self.descriptor(&descriptor)?.flags())
    }

    async fn get_type(&mut self, descriptor: Resource<types::Descriptor>) -> FsResult<types::DescriptorType> {
        let folder = self.descriptor(&descriptor)?.is_folder();
        Ok(if folder { types::DescriptorType::Directory } else { types::DescriptorType::RegularFile })
    }

    async fn set_size(&mut self, file: Resource<types::Descriptor>, size: types::Filesize) -> FsResult<()> {
        Ok(self.descriptor(&file)?.set_size(size).await?)
    }

    async fn set_times(
        &mut self,
        descriptor: Resource<types::Descriptor>,
        access: types::NewTimestamp,
        change: types::NewTimestamp,
    ) -> FsResult<()> {
        Ok(self.descriptor(&descriptor)?.set_times(access, change).await?)
    }

    async fn read(
        &mut self,
        file: Resource<types::Descriptor>,
        length: types::Filesize,
        offset: types::Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(TRANSFER_BYTES);
        let bytes = self.descriptor(&file)?.read(length, offset).await?;
        let ended = bytes.is_empty();
        Ok((bytes, ended))
    }

    async fn write(
        &mut self,
        file: Resource<types::Descriptor>,
        bytes: Vec<u8>,
        offset: types::Filesize,
    ) -> FsResult<types::Filesize> {
        let written = self.descriptor(&file)?.write(Bytes::from(bytes), Direction::At(offset)).await?;
        Ok(written as types::Filesize)
    }

    async fn read_directory(
        &mut self,
        folder: Resource<types::Descriptor>,
    ) -> FsResult<Resource<types::DirectoryEntryStream>> {
        let listing = self.descriptor(&folder)?.list().await?;
        Ok(Resource::new_own(self.table.push(listing)?.rep()))
    }

    async fn sync(&mut self, descriptor: Resource<types::Descriptor>) -> FsResult<()> {
        Ok(self.descriptor(&descriptor)?.sync(true).await?)
    }

    async fn create_directory_at(&mut self, folder: Resource<types::Descriptor>, path: String) -> FsResult<()> {
        Ok(self.descriptor(&folder)?.create_folder(path).await?)
    }

    async fn stat(&mut self, descriptor: Resource<types::Descriptor>) -> FsResult<types::DescriptorStat> {
        Ok(self.descriptor(&descriptor)?.metadata().await?.stat())
    }

    async fn stat_at(
        &mut self,
        folder: Resource<types::Descriptor>,
        flags: types::PathFlags,
        path: String,
    ) -> FsResult<types::DescriptorStat> {
        Ok(self.descriptor(&folder)?.metadata_at(path, follows(flags)).await?.stat())
    }

    async fn set_times_at(
        &mut self,
        folder: Resource<types::Descriptor>,
        flags: types::PathFlags,
        path: String,
        access: types::NewTimestamp,
        change: types::NewTimestamp,
    ) -> FsResult<()> {
        Ok(self.descriptor(&folder)?.set_times_at(path, follows(flags), access, change).await?)
    }

    async fn link_at(
        &mut self,
        folder: Resource<types::Descriptor>,
        flags: types::PathFlags,
        path: String,
        new_folder: Resource<types::Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let (folder, new_folder) = (self.descriptor(&folder)?, self.descriptor(&new_folder)?);
        if follows(flags) {
            return Err(ErrorCode::Invalid.into());
        }
        Ok(folder.link(path, &new_folder, new_path).await?)
    }

    async fn open_at(
        &mut self,
        folder: Resource<types::Descriptor>,
        path_flags: types::PathFlags,
        path: String,
        open_flags: types::OpenFlags,
        flags: types::DescriptorFlags,
    ) -> FsResult<Resource<types::Descriptor>> {
        let synchronous = types::DescriptorFlags::FILE_INTEGRITY_SYNC
            | types::DescriptorFlags::DATA_INTEGRITY_SYNC
            | types::DescriptorFlags::REQUESTED_WRITE_SYNC;
        if flags.intersects(synchronous) {
            return Err(ErrorCode::Unsupported.into());
        }
        let options = OpenOptions {
            read: flags.contains(types::DescriptorFlags::READ),
            write: flags.contains(types::DescriptorFlags::WRITE),
            create: open_flags.contains(types::OpenFlags::CREATE),
            exclusive: open_flags.contains(types::OpenFlags::EXCLUSIVE),
            truncate: open_flags.contains(types::OpenFlags::TRUNCATE),
            directory: open_flags.contains(types::OpenFlags::DIRECTORY),
            follow: follows(path_flags),
        };
        let opened = self.descriptor(&folder)?.open(path, options).await?;
        self.push(opened).map_err(FsError::trap)
    }

    fn drop(&mut self, descriptor: Resource<types::Descriptor>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Descriptor>::new_own(descriptor.rep()))?;
        Ok(())
    }

    async fn readlink_at(&mut self, folder: Resource<types::Descriptor>, path: String) -> FsResult<String> {
        Ok(self.descriptor(&folder)?.read_link(path).await?)
    }

    async fn remove_directory_at(&mut self, folder: Resource<types::Descriptor>, path: String) -> FsResult<()> {
        Ok(self.descriptor(&folder)?.remove_folder(path).await?)
    }

    async fn rename_at(
        &mut self,
        folder: Resource<types::Descriptor>,
        path: String,
        new_folder: Resource<types::Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let (folder, new_folder) = (self.descriptor(&folder)?, self.descriptor(&new_folder)?);
        Ok(folder.rename(path, &new_folder, new_path).await?)
    }

    async fn symlink_at(&mut self, folder: Resource<types::Descriptor>, target: String, path: String) -> FsResult<()> {
        Ok(self.descriptor(&folder)?.symlink(target, path).await?)
    }

    async fn unlink_file_at(&mut self, folder: Resource<types::Descriptor>, path: String) -> FsResult<()> {
        Ok(self.descriptor(&folder)?.remove_file(path).await?)
    }

    async fn is_same_object(
        &mut self,
        one: Resource<types::Descriptor>,
        other: Resource<types::Descriptor>,
    ) -> wasmtime::Result<bool> {
        let (one, other) = (self.descriptor(&one)?, self.descriptor(&other)?);
        Ok(one.metadata().await?.is_same_file(&other.metadata().await?))
    }

    async fn metadata_hash(&mut self, descriptor: Resource<types::Descriptor>) -> FsResult<types::MetadataHashValue> {
        Ok(self.descriptor(&descriptor)?.metadata().await?.hash())
    }

    async fn metadata_hash_at(
        &mut self,
        folder: Resource<types::Descriptor>,
        flags: types::PathFlags,
        path: String,
    ) -> FsResult<types::MetadataHashValue> {
        Ok(self.descriptor(&folder)?.metadata_at(path, follows(flags)).await?.hash())
    }
}

impl types::HostDirectoryEntryStream for FilesystemView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<types::DirectoryEntryStream>,
    ) -> FsResult<Option<types::DirectoryEntry>> {
        let own: Resource<Listing> = Resource::new_borrow(stream.rep());
        Ok(self.table.get_mut(&own)?.next().await?)
    }

    fn drop(&mut self, stream: Resource<types::DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Listing>::new_own(stream.rep()))?;
        Ok(())
    }
}

fn follows(flags: types::PathFlags) -> bool {
    flags.contains(types::PathFlags::SYMLINK_FOLLOW)
}
