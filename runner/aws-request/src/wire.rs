//! Strict readers for the parts of an HTTP request, and the writers that make them anew.
//!
//! What is sent is never a slice of what was received: each part is decoded strictly, checked in decoded form, and
//! encoded again in the one form that AWS's canonicalisation leaves as it is. A reader here refuses whatever two
//! implementations could read in two ways (a stray percent sign, a dot segment, a doubled key), since the host would
//! authorize one reading and AWS would carry out the other.
//!
//! Nothing here knows an AWS service.

pub(crate) mod digest;
pub(crate) mod headers;
pub(crate) mod json;
pub(crate) mod path;
pub(crate) mod percent;
pub(crate) mod query;
pub(crate) mod xml;
