//! Capabilities as a session policy for `sts:AssumeRole`.

/// The longest session policy that STS takes, in characters
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>). STS also packs policy and tags into a
/// binary form of an unpublished size: only its answer tells how full that is.
pub const SESSION_POLICY_LIMIT: usize = 2048;

/// A session policy: JSON of at most [`SESSION_POLICY_LIMIT`] characters, all of them in STS's alphabet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionPolicy {
    json: String,
}

impl SessionPolicy {
    /// The policy that denies everything. STS takes no empty document.
    pub fn deny_everything() -> Self {
        Self { json: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#.into() }
    }

    /// The JSON text, for `sts:AssumeRole`'s `Policy`.
    pub fn as_str(&self) -> &str {
        &self.json
    }
}

/// Capabilities that make no session policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionPolicyError {
    /// Too long for STS.
    #[error(
        "the session policy of these capabilities has {length} characters and STS takes at most 2048; the longest part \
         comes from capabilities[{longest}]: write its ARNs or actions as fewer, shorter patterns"
    )]
    TooLong {
        /// Its length in characters.
        length: usize,
        /// The capability that contributes most.
        longest: usize,
    },
}
