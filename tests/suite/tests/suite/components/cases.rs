//! The cases, by what they attack.

mod compile;
mod entrance;
mod exits;
mod floods;
mod imports;
mod malformed;
mod memory;
mod pointers;
mod proposals;
mod recursion;
mod resources;
mod text;

use super::case::Case;

/// All cases.
pub(super) fn all() -> Vec<Case> {
    [
        memory::cases(),
        recursion::cases(),
        resources::cases(),
        compile::cases(),
        malformed::cases(),
        entrance::cases(),
        pointers::cases(),
        text::cases(),
        floods::cases(),
        exits::cases(),
        imports::cases(),
        proposals::cases(),
    ]
    .concat()
}

/// Those about what the host holds for a guest.
pub(super) fn of_resources() -> Vec<Case> {
    [resources::cases(), floods::cases()].concat()
}
