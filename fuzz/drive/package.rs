//! Drives templates from bytes: a zip archive as it is; bytes that begin with `<` are the main part of a sound
//! package, because no fuzzer finds its way through checksums.

use std::io::{Cursor, Write};

use mailrun::merge::{Template, Value, Values};

pub(crate) fn drive(data: &[u8]) {
    if data.starts_with(b"<") {
        compile(&package(data));
    } else {
        compile(data);
    }
}

fn compile(bytes: &[u8]) {
    let Ok(template) = Template::compile(bytes) else { return };
    let mut values = Values::new();
    for field in template.fields() {
        values.set(&field.name, Value::text("7"));
    }
    // Most inputs have a field that is not supported: an error is the answer, not a fault.
    if let Ok(letter) = template.render(&values) {
        assert!(Template::compile(&letter.bytes).is_ok(), "a letter is a Word document");
    }
}

fn package(document: &[u8]) -> Vec<u8> {
    const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
    const RELATIONSHIPS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let parts: [(&str, &[u8]); 3] = [
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", RELATIONSHIPS.as_bytes()),
        ("word/document.xml", document),
    ];
    for (name, content) in parts {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("in memory");
        archive.write_all(content).expect("in memory");
    }
    archive.finish().expect("in memory").into_inner()
}
