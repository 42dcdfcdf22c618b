//! Owns the buffers that letters are made in: one for each letter that is being made, used again for the next.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::merge::Buffer;

/// Buffers for as many letters as are made at the same time.
#[derive(Debug, Default)]
pub(in crate::run) struct Buffers(Mutex<Vec<Buffer>>);

impl Buffers {
    /// Lends a buffer to some work.
    pub(in crate::run) fn lend<T>(&self, work: impl FnOnce(&mut Buffer) -> T) -> T {
        let mut buffer = self.idle().pop().unwrap_or_default();
        let done = work(&mut buffer);
        self.idle().push(buffer);
        done
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Buffer>> {
        // Nobody panics while the list is locked; and a buffer has nothing in it that could be half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
