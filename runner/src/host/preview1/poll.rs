//! `poll_oneoff` for files, which are always ready.

use wasmtime_wasi::p1::types::{self, Errno, Error};
use wiggle::{GuestMemory, GuestPtr};

use super::descriptors::{Descriptors, Entry, OpenFile};

/// Subscriptions in one call that are looked at. wasmtime-wasi has no room for more, and ends the guest that asks.
const MAX_SUBSCRIPTIONS: u32 = 1_024;

/// Writes an event for each subscription to a file, and says how many there are.
///
/// If there are any, others need not be waited for: the guest asks again about those.
pub(super) async fn files(
    memory: &mut GuestMemory<'_>,
    descriptors: &Descriptors,
    subscriptions: GuestPtr<types::Subscription>,
    events: GuestPtr<types::Event>,
    count: types::Size,
) -> Result<types::Size, Error> {
    if count > MAX_SUBSCRIPTIONS {
        return Ok(0);
    }
    let mut ready = 0;
    for index in 0..count {
        let subscription = memory.read(subscriptions.add(index)?)?;
        let (fd, reads) = match subscription.u {
            types::SubscriptionU::Clock(_) => continue,
            types::SubscriptionU::FdRead(file) => (file.file_descriptor, true),
            types::SubscriptionU::FdWrite(file) => (file.file_descriptor, false),
        };
        let file = match descriptors.get(fd)? {
            Entry::Standard(own) if u32::from(*own) == u32::from(fd) => continue,
            Entry::Standard(_) => return Err(Errno::Notsup.into()),
            Entry::Folder { .. } => return Err(Errno::Badf.into()),
            Entry::File(file) => file,
        };
        let event = types::Event {
            userdata: subscription.userdata,
            error: Errno::Success,
            type_: if reads { types::Eventtype::FdRead } else { types::Eventtype::FdWrite },
            fd_readwrite: if reads { readable(file).await? } else { something(types::Eventrwflags::empty()) },
        };
        memory.write(events.add(ready)?, event)?;
        ready += 1;
    }
    Ok(ready)
}

/// At the end there is nothing to wait for.
async fn readable(file: &OpenFile) -> Result<types::EventFdReadwrite, Error> {
    let ended = file.descriptor.metadata().await?.stat().size <= file.position;
    Ok(something(if ended { types::Eventrwflags::FD_READWRITE_HANGUP } else { types::Eventrwflags::empty() }))
}

fn something(flags: types::Eventrwflags) -> types::EventFdReadwrite {
    types::EventFdReadwrite { nbytes: 1, flags }
}
