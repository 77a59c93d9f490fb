//! Files: a volume gives regular files and folders only, and what a guest does with them holds up nobody else.

mod flow;
mod kinds;
mod names;
mod preview1;
mod volume;

pub(crate) use self::kinds::files;
