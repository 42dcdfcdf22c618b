//! The reader of text tables agrees with the csv crate on what is valid, and panics on nothing.

use std::fs;
use std::path::Path;

use mailrun::contact::table::{Record, Table, TableError};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

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
