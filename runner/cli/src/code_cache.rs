//! Where things are kept between runs: compiled code, and the key that signs it.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder for compiled code: `rolebox/code` in `$XDG_CACHE_HOME`, else in `~/.cache`. `None` without a home: then
/// every run compiles.
///
/// <https://specifications.freedesktop.org/basedir-spec/latest/>
pub(crate) fn folder() -> Option<PathBuf> {
    below(std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME"))
}

/// The folder for configuration: `rolebox` in `$XDG_CONFIG_HOME`, else in `~/.config`. `None` without a home.
pub(crate) fn configuration() -> Option<PathBuf> {
    let configuration = of_user(std::env::var_os("XDG_CONFIG_HOME"), std::env::var_os("HOME"), ".config")?;
    Some(configuration.join("rolebox"))
}

fn below(cache_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    Some(of_user(cache_home, home, ".cache")?.join("rolebox").join("code"))
}

fn of_user(set: Option<OsString>, home: Option<OsString>, usual: &str) -> Option<PathBuf> {
    // The specification: a relative path counts as not set.
    let absolute = |path: Option<OsString>| path.map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(set).or_else(|| absolute(home).map(|home| home.join(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_lies_in_the_users_cache_folder() {
        for (cache_home, home, expected) in [
            (Some("/c"), Some("/h"), Some("/c/rolebox/code")),
            (None, Some("/h"), Some("/h/.cache/rolebox/code")),
            (Some("relative"), Some("/h"), Some("/h/.cache/rolebox/code")),
            (Some(""), None, None),
            (None, Some(""), None),
            (None, None, None),
        ] {
            let found = below(cache_home.map(OsString::from), home.map(OsString::from));
            assert_eq!(found, expected.map(PathBuf::from), "{cache_home:?} {home:?}");
        }
    }
}
