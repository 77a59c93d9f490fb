//! The commands, one a file.

pub(crate) mod explain;
pub(crate) mod local_aws;
pub(crate) mod run;
