//! The reader of text tables agrees with the csv crate on what is valid, and panics on nothing.

mod support;

use std::cell::Cell;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use mailrun::contact::table::{Record, Table, TableError, TableWriter};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use support::docx;

fn read(path: &Path) -> Result<Vec<Vec<String>>, TableError> {
    let mut table = Table::open(path)?;
    let (mut record, mut records) = (Record::default(), Vec::new());
    while table.read(&mut record)? {
        records.push((0..table.columns().len()).map(|column| record.text(column).into_owned()).collect());
    }
    Ok(records)
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-zé;\",\t\r\n \u{1F600}]{0,12}", "[ -~]{1,9}"]
}

proptest! {
    #[test]
    fn what_the_csv_crate_writes_is_read_as_it_was(
        rows in proptest::collection::vec((cell(), cell()), 0..40),
        separator in proptest::sample::select(b";,\t".to_vec()),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut writer = csv::WriterBuilder::new().delimiter(separator).from_path(&path).unwrap();
        writer.write_record(["number", "first", "second"]).unwrap();
        let mut expected = Vec::new();
        for (number, (first, second)) in rows.into_iter().enumerate() {
            let row = vec![number.to_string(), first, second];
            writer.write_record(&row).unwrap();
            expected.push(row);
        }
        writer.flush().unwrap();
        prop_assert_eq!(read(&path).unwrap(), expected);
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        start in proptest::sample::select(vec!["", "no,name\n", "[{\"no\":", "\u{feff}", "\"", "PK\x03\x04"]),
        name in proptest::sample::select(vec!["a.csv", "a.tsv", "a.json", "a.xlsx", "a.ods"]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, [start.as_bytes(), &bytes].concat()).unwrap();
        if let Err(error) = read(&path) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

/// A sheet of `OpenDocument` (§9): two rows, a repeated cell, a number and a date.
const ODS: &str = r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body><office:spreadsheet><table:table table:name="S"><table:table-row><table:table-cell office:value-type="string"><text:p>no</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>name</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>since</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell office:value-type="float" office:value="1.5"><text:p>1.5</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>Ann &amp; Bo</text:p></table:table-cell><table:table-cell office:value-type="date" office:date-value="2026-03-01"><text:p>1 March</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#;

fn workbooks() -> [(&'static str, Vec<u8>); 2] {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("a.xlsx");
    let mut writer = TableWriter::create(&path, &["no", "name", "since"]).expect("a table can be written");
    writer.add(&["1", "Ann & Bo", "2026-03-01"]).expect("a row can be written");
    writer.finish().expect("a table can be ended");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let manifest = r#"<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2"/>"#;
    let kind = "application/vnd.oasis.opendocument.spreadsheet";
    for (name, content) in [("mimetype", kind), ("META-INF/manifest.xml", manifest), ("content.xml", ODS)] {
        zip.start_file(name, SimpleFileOptions::default()).expect("a part can be begun");
        zip.write_all(content.as_bytes()).expect("a part can be written");
    }
    [
        ("a.xlsx", fs::read(path).expect("the table is there")),
        ("a.ods", zip.finish().expect("a package can be ended").into_inner()),
    ]
}

#[test]
fn a_workbook_that_breaks_off_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ods");
    let [_, (_, workbook)] = workbooks();
    for end in ["</table:table>", "</table:table-row>", "</text:p>", "</office:document-content>"] {
        let at = ODS.rfind(end).expect("it is there");
        for content in [ODS[..at].to_owned(), ODS.replacen(end, &end[..end.len() - 2], 1)] {
            fs::write(&path, docx::exchanged(&workbook, "content.xml", content.as_bytes())).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("content.xml"), "{end}: {error}");
        }
    }
}

#[test]
fn no_change_inside_a_workbook_makes_it_panic() {
    let folder = tempfile::tempdir().unwrap();
    for (name, workbook) in workbooks() {
        let path = folder.path().join(name);
        fs::write(&path, &workbook).unwrap();
        assert_eq!(read(&path).unwrap()[0][1], "Ann & Bo", "{name}");
        let is_read =
            |part: &String| part == "content.xml" || part.starts_with("xl/") && !part.contains("theme");
        let parts: Vec<String> = docx::names(&workbook).into_iter().filter(is_read).collect();
        let (n_read, n_refused) = (Cell::new(0), Cell::new(0));
        let changes =
            (select(parts), any::<Index>(), 0..4_usize, proptest::collection::vec(any::<u8>(), 0..4));
        TestRunner::default()
            .run(&changes, |(part, at, n_cut, bytes)| {
                let mut content = docx::read_bytes(&workbook, &part).expect("the part is there");
                let at = at.index(content.len());
                let end = content.len().min(at + n_cut);
                content.splice(at..end, bytes);
                fs::write(&path, docx::exchanged(&workbook, &part, &content)).unwrap();
                match read(&path) {
                    Ok(_) => n_read.set(n_read.get() + 1),
                    Err(error) => {
                        n_refused.set(n_refused.get() + 1);
                        prop_assert!(!error.to_string().is_empty());
                    }
                }
                Ok(())
            })
            .unwrap();
        assert!(n_read.get() > 10 && n_refused.get() > 10, "{name}: {n_read:?} read, {n_refused:?} refused");
    }
}
