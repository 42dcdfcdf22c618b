//! Writes files as they are: LETTER COUNT FOLDER. The limit of all that writes letters.

use std::error::Error;
use std::fs;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, letter, count, folder] = arguments.as_slice() else { return Err("expected 3 arguments".into()) };
    let letter = fs::read(letter)?;
    for number in 1..=count.parse::<u64>()? {
        fs::write(format!("{folder}/{number:06}.docx"), &letter)?;
    }
    Ok(())
}
