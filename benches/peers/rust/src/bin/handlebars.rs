//! Merges with docx-handlebars: TEMPLATE CONTACTS.json FOLDER. It takes the template's bytes for each letter.

use std::error::Error;
use std::fs;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, template, contacts, folder] = arguments.as_slice() else { return Err("expected 3 arguments".into()) };
    let template = fs::read(template)?;
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(contacts)?)?;
    for (number, row) in (1..).zip(&rows) {
        let letter = docx_handlebars::render_template(template.clone(), row).map_err(|error| error.to_string())?;
        fs::write(format!("{folder}/{number:06}.docx"), letter)?;
    }
    Ok(())
}
