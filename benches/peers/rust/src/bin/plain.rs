//! Writes files as they are: LETTER COUNT FOLDER [THREADS]. The limit of all that writes letters.

use std::error::Error;
use std::{fs, io, thread};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (letter, count, folder, n_threads) = match arguments.as_slice() {
        [letter, count, folder] => (letter, count, folder, 1),
        [letter, count, folder, threads] => (letter, count, folder, threads.parse()?),
        _ => return Err("expected 3 or 4 arguments".into()),
    };
    let (letter, count) = (fs::read(letter)?, count.parse::<usize>()?);
    let write_from = |first: usize| -> io::Result<()> {
        (first..=count).step_by(n_threads).try_for_each(|number| fs::write(format!("{folder}/{number:06}.docx"), &letter))
    };
    thread::scope(|scope| {
        let write_from = &write_from;
        let threads: Vec<_> = (1..=n_threads).map(|first| scope.spawn(move || write_from(first))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a thread that writes does not panic"))
    })?;
    Ok(())
}
