//! Searches guest memory for keys.

use std::sync::{Arc, Mutex, PoisonError};

use rolebox::settings::MemoryInspector;
use rolebox_local_aws::IssuedSession;

/// Copies of the linear memories of guests that have ended.
#[derive(Clone, Default)]
pub(crate) struct MemoryScan(Arc<Mutex<Vec<Vec<u8>>>>);

impl MemoryScan {
    pub(crate) fn inspector(&self) -> MemoryInspector {
        let memories = self.0.clone();
        Arc::new(move |memory: &[u8]| {
            memories.lock().unwrap_or_else(PoisonError::into_inner).push(memory.to_vec());
        })
    }

    pub(crate) fn memories(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(Vec::len).sum()
    }

    /// What of the sessions' keys is in any memory.
    pub(crate) fn find(&self, sessions: &[IssuedSession]) -> Vec<&'static str> {
        let memories = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = memories.iter().flat_map(|memory| sessions.iter().map(move |session| (memory, session)));
        pairs.filter_map(|(memory, session)| holds(memory, session)).collect()
    }
}

/// The part of the session's key that is in `memory`, if one is.
pub(crate) fn holds(memory: &[u8], session: &IssuedSession) -> Option<&'static str> {
    let parts = [
        ("a secret access key", session.secret_access_key.expose()),
        ("a session token", session.session_token.expose()),
        ("an access key id", session.access_key_id.as_str()),
    ];
    let mut found = parts.into_iter().filter(|(_, text)| memchr::memmem::find(memory, text.as_bytes()).is_some());
    found.next().map(|(part, _)| part)
}
