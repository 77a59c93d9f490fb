//! The commands, one a file.

#[cfg(feature = "compiler")]
pub(crate) mod compile;
pub(crate) mod explain;
#[cfg(feature = "local-aws")]
pub(crate) mod local_aws;
pub(crate) mod run;
