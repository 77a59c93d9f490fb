//! Bytes between files and a guest's memory, in bounded parts.

use bytes::Bytes;
use wasmtime_wasi::p1::types::{self, Errno, Error};
use wiggle::{GuestMemory, GuestPtr};

use super::convert;
use crate::host::filesystem::{Descriptor, Direction, TRANSFER_BYTES};

/// Buffers that one call uses at most, as many as POSIX systems take; those after them are for the next call.
const MAX_BUFFERS: usize = 1_024;

/// Fills the guest's buffers in their order. 0 means the end.
pub(super) async fn read(
    memory: &mut GuestMemory<'_>,
    file: &Descriptor,
    buffers: types::IovecArray,
    offset: u64,
) -> Result<types::Size, Error> {
    let buffers = parts(buffers.iter().map(|buffer| {
        let buffer = memory.read(buffer?)?;
        Ok((buffer.buf, buffer.buf_len))
    }))?;
    let length = buffers.iter().map(|buffer| buffer.len() as usize).sum();
    let bytes = file.read(length, offset).await?;
    let mut rest = &bytes[..];
    for buffer in buffers {
        let (part, after) = rest.split_at(rest.len().min(buffer.len() as usize));
        rest = after;
        memory.copy_from_slice(part, buffer.as_ptr().as_array(part.len().try_into()?))?;
    }
    Ok(bytes.len().try_into()?)
}

/// Writes the guest's buffers in their order, or a first part of them.
pub(super) async fn write(
    memory: &mut GuestMemory<'_>,
    file: &Descriptor,
    buffers: types::CiovecArray,
    to: Direction,
) -> Result<types::Size, Error> {
    let buffers = parts(buffers.iter().map(|buffer| {
        let buffer = memory.read(buffer?)?;
        Ok((buffer.buf, buffer.buf_len))
    }))?;
    let mut bytes = Vec::new();
    for buffer in buffers {
        bytes.extend_from_slice(&memory.as_cow(buffer)?);
    }
    Ok(file.write(Bytes::from(bytes), to).await?.try_into()?)
}

/// The first buffers, as far as one transfer goes.
fn parts(
    buffers: impl Iterator<Item = Result<(GuestPtr<u8>, types::Size), Error>>,
) -> Result<Vec<GuestPtr<[u8]>>, Error> {
    let mut room = u32::try_from(TRANSFER_BYTES)?;
    let mut parts = Vec::new();
    for buffer in buffers.take(MAX_BUFFERS) {
        let (start, length) = buffer?;
        let length = length.min(room);
        room -= length;
        if length > 0 {
            parts.push(start.as_array(length));
        }
        if room == 0 {
            break;
        }
    }
    Ok(parts)
}

/// Fills `buffer` with a folder's entries from `cookie` on. It is filled to its end, if with a part of an entry, unless
/// there are no more: that is how a guest tells.
pub(super) async fn list(
    memory: &mut GuestMemory<'_>,
    folder: &Descriptor,
    buffer: GuestPtr<[u8]>,
    cookie: types::Dircookie,
) -> Result<types::Size, Error> {
    let (mut filled, mut next) = (0, Some(cookie));
    while let Some(cookie) = next.filter(|_| filled < buffer.len()) {
        let room = buffer.len() - filled;
        let part = folder.preview1_entries(cookie, room as usize).await.map_err(convert::opening)?;
        let length = room.min(part.bytes.len().try_into()?);
        let place = buffer.get_range(filled..filled + length).ok_or(Errno::Overflow)?;
        memory.copy_from_slice(&part.bytes[..length as usize], place)?;
        filled += length;
        next = part.next;
    }
    Ok(filled)
}
