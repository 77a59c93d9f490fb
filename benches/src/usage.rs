//! What processes hold, as the system counts it.

use std::fs;

use anyhow::{Context, Result};

/// What one process holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    /// Proportional set size in bytes: pages that are shared with others count in part.
    pub(crate) pss: f64,
    /// Resident set size in bytes: pages that are shared count in full.
    pub(crate) rss: f64,
    /// Bytes of page tables.
    pub(crate) page_tables: f64,
    /// Memory mappings, of which Linux allows 65,530 by default
    /// (<https://docs.kernel.org/admin-guide/sysctl/vm.html#max-map-count>).
    pub(crate) mappings: usize,
}

/// What this process holds.
pub(crate) fn held() -> Result<Held> {
    held_by("self")
}

/// What the process with this id holds.
pub(crate) fn held_by(process: &str) -> Result<Held> {
    let read = |name: &str| fs::read_to_string(format!("/proc/{process}/{name}")).context("procfs");
    let (rollup, status) = (read("smaps_rollup")?, read("status")?);
    let bytes = |text: &str, key: &str| -> Result<f64> {
        let line = text.lines().find(|line| line.starts_with(key)).with_context(|| format!("procfs has no {key}"))?;
        let number = line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok());
        Ok(number.with_context(|| format!("{line:?} has no number"))? * 1024.0)
    };
    Ok(Held {
        pss: bytes(&rollup, "Pss:")?,
        rss: bytes(&rollup, "Rss:")?,
        page_tables: bytes(&status, "VmPTE:")?,
        mappings: read("maps")?.lines().count(),
    })
}

/// Bytes of memory that the system could still give.
pub(crate) fn memory_available() -> Result<f64> {
    let text = fs::read_to_string("/proc/meminfo").context("procfs")?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:")).context("MemAvailable")?;
    let number = line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok());
    Ok(number.context("a number")? * 1024.0)
}
