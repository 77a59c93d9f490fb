//! The commands, one a file.

#[cfg(feature = "compiler")]
pub(crate) mod compile;
pub(crate) mod explain;
pub(crate) mod local_aws;
pub(crate) mod run;
