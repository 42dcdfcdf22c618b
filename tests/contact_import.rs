//! Bad data is named: file, line, column, what is wrong, and what to do; all of it at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its file has failed")]

use std::fs;
use std::path::Path;

use mailrun::contact::ContactNo;
use mailrun::contact::import::{
    ContactColumns, ContactImport, ImportError, ImportProblem, ImportedContact, Problems, RowImport,
    import_addresses,
};

/// Imports a file of this name and content, and shows what came of it: the contacts or the problems.
fn import(name: &str, content: &[u8], columns: &ContactColumns) -> Result<Vec<ImportedContact>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    import_path(&path, columns).map_err(|problems| shown(&problems, folder.path()))
}

fn import_path(path: &Path, columns: &ContactColumns) -> Result<Vec<ImportedContact>, Problems> {
    let mut contacts = Vec::new();
    let read = ContactImport::open(path, columns)?.read_all(|contact| -> Result<(), ()> {
        contacts.push(contact.clone());
        Ok(())
    });
    match read {
        Ok(n) => assert_eq!(n as usize, contacts.len()),
        Err(ImportError::Problems(problems)) => return Err(problems),
        Err(ImportError::Accept(())) => unreachable!("every contact is accepted"),
    }
    Ok(contacts)
}

fn shown(problems: &Problems, folder: &Path) -> String {
    let folder = format!("{}/", folder.display());
    let line = |problem: &ImportProblem| {
        let help = problem.help().map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{}: {problem}{help}", problem.place().replace(&folder, ""))
    };
    problems.problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn utf_16(text: &str, big_endian: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() })
        .collect()
}

/// A file that is wrong, and all that is said about it.
fn refused(name: &str, content: impl AsRef<[u8]>, expected: &str) {
    let found = import(name, content.as_ref(), &ContactColumns::default());
    assert_eq!(found.expect_err(expected), expected);
}

/// A file that is odd but right: number and name of each contact.
fn taken(name: &str, content: impl AsRef<[u8]>, expected: &[(&str, &str)]) {
    let found = import(name, content.as_ref(), &ContactColumns::default()).unwrap();
    let found: Vec<_> =
        found.iter().map(|found| (found.contact.no.as_str(), found.contact.name.as_str())).collect();
    assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(content.as_ref()));
}

#[test]
fn every_broken_text_table_is_named_with_its_place() {
    const TWICE: &str = "write a quote within quotes twice";
    const ENDING: &str = "give the file the ending of what it is, or save it as what it says";
    let check = |content: &str, expected: &str| refused("a.csv", content, &format!("a.csv{expected}"));
    check("", ": the table has no header | the first line names the columns");
    check("\n\n\n", ": the table has no header | the first line names the columns");
    check(";;\n", ", line 1: the table has no header | the first line names the columns");
    let no_key = ": the table has no column `no`, which is to hold the contact number";
    check(
        "nr,name\n1,A\n",
        &format!("{no_key} | did you mean `nr`? name the column with `key`, or `--key` on the command line"),
    );
    check(
        "kunde,name\n1,A\n",
        &format!("{no_key} | name the column with `key`, or `--key` on the command line"),
    );
    check(
        "no,name,name\n",
        ", line 1, column `name`: columns 2 and 3 have the same name | rename one of them",
    );
    let held = "the field `email` is held by the column `E-Mail` already | rename one of them";
    check("no,E-Mail,email\n1,a,b\n", &format!(", column `email`: {held}"));
    let fewer = "write a separator for every column, so that what has no value is an empty field";
    check("no,name,city\n1,A\n", &format!(", line 2: 2 fields, but the header has 3 | {fewer}"));
    check("no,name,city\n1\n", &format!(", line 2: 1 field, but the header has 3 | {fewer}"));
    let quote = "put quotes around a value that holds the separator or a line break";
    check("no,name\n1,A,B\n", &format!(", line 2: 3 fields, but the header has 2 | {quote}"));
    let unclosed = format!("the quote is never closed | close it, or {TWICE}");
    check("no,name\n1,\"A\n2,B\n", &format!(", line 2, column `name`: {unclosed}"));
    check("no,\"name\n1,A\n", &format!(", line 1: {unclosed}"));
    let behind = "`B\" C\"` stands behind a closing quote";
    check("no,name\n1,\"A \"B\" C\"\n", &format!(", line 2, column `name`: {behind} | {TWICE}"));
    let nul = "the cell holds the character NUL | save the file again as UTF-8 text";
    check("no,name\n1,A\0B\n", &format!(", line 2, column `name`: {nul}"));
    let own = "give every contact a number of its own";
    let twice = "the contact number `1` stands twice, first on line 2";
    check("no,name\n1,A\n1,B\n", &format!(", line 3, column `no`: {twice} | {own}"));
    check("no,name\n,A\n", &format!(", line 2, column `no`: the contact number is empty | {own}"));
    let kind = ", line 2, column `type`:";
    check("no,type\n1,firm\n", &format!("{kind} `firm` is no contact type | write `person` or `company`"));
    check("no,type\n1,persn\n", &format!("{kind} `persn` is no contact type | did you mean `person`?"));
    let truth = "write `true` or `false`, `yes` or `no`, `1` or `0`";
    check(
        "no,minor\n1,maybe\n",
        &format!(", line 2, column `minor`: `maybe` is neither true nor false | {truth}"),
    );
    check(
        "no,correspondence_type\n1,letter\n",
        ", line 2, column `correspondence_type`: `letter` is no correspondence type | write `hard-copy`, `email` or `fax`",
    );
    check(
        "no,language\n1,German\n",
        ", line 2, column `language`: `German` is no language tag | write a tag such as `fr` or `fr-CH`",
    );
    check(
        "no,name,\n1,A,x\n",
        ", line 2, column `no. 3`: `x` stands in a column without a name | give the column a name in the header",
    );
    check(
        &format!("no,name\n1,{}\n", "x".repeat(10_000_000)),
        ", line 2, column `name`: the cell has 10 MB or more; it must be shorter than 10000000 bytes \
         | shorten the value; see whether a closing quote is missing",
    );
    check(&",".repeat(16_384), ", line 1: 16385 columns, but a table can have 16384");
    refused(
        "a.csv",
        b"no,name\n1,J\xC3\xBCrg\n2,\xFCrg\n",
        "a.csv, line 3: the byte 0xFC is not UTF-8, though the rest of the file is | save the file again as UTF-8",
    );
    check("PK\x03\x04rest", &format!(": this is a zip archive, such as a workbook, not text | {ENDING}"));
    check("%PDF-1.7", &format!(": this is a PDF, not text | {ENDING}"));
    refused(
        "a.txt",
        "no\n1\n",
        "a.txt: `.txt` is no kind of table | use a .csv, .tsv, .xlsx, .ods or .json file",
    );
    let xlsx = |found: &str| format!("a.xlsx: this is {found}, not an XLSX workbook | {ENDING}");
    refused("a.xlsx", "no,name\n", &xlsx("no zip archive"));
    refused("a.xlsx", "", &xlsx("an empty file"));
    refused("a.xlsx", b"\xD0\xCF\x11\xE0", &xlsx("an old Office file, or one with a password"));
}

#[test]
fn every_broken_json_is_named_with_its_line() {
    let check = |content: &str, expected: &str| refused("a.json", content, &format!("a.json{expected}"));
    check("{}", ", line 1: the file is damaged: an array of objects is expected: `[{…}, …]`");
    check("[\n{\"no\":1},\n7]", ", line 3: the file is damaged: an object `{…}` is expected");
    check("[{\"no\":01}]", ", line 1: the file is damaged: a value is expected");
    check("[{\"no\":\"1}]", ", line 1: the file is damaged: a string has no end");
    check("[{\"no\":1,\"no\":2}]", ", line 1: the file is damaged: an object has a name twice");
    check("[{\"no\":1}", ", line 1: the file is damaged: `,` or `]` is expected");
    check("[]", ": the table has no header | the first line names the columns");
    let deep = format!("[{{\"no\":{}", "[".repeat(100_000));
    check(&deep, ", line 1: the file is damaged: it nests deeper than 32 levels");
    refused("a.json", b"[{\"no\":\"\xFC\"}]", "a.json: the file is damaged: JSON is UTF-8, and this is not");
}

#[test]
fn an_odd_table_is_read_as_it_was_meant() {
    taken("a.csv", "\u{feff}no,name\n1,Zoë\n", &[("1", "Zoë")]);
    taken("a.csv", "no;name\r\n1;Roth, Jana\r\n", &[("1", "Roth, Jana")]);
    taken("a.csv", "no\tname\n1\tA;B,C\n", &[("1", "A;B,C")]);
    taken("a.tsv", "no\tname\n1\tA\n", &[("1", "A")]);
    taken("a.csv", "sep=;\nno;name\n1;A\n", &[("1", "A")]);
    taken("a.csv", "no,name\r1,A\r2,B", &[("1", "A"), ("2", "B")]);
    taken("a.csv", " no , name \n 1 , A \n", &[("1", "A")]);
    taken("a.csv", "no, name\n1, \"Roth, Jana\"\n", &[("1", "Roth, Jana")]);
    taken("a.csv", "no,name\n\n1,\"A\nB\"\n\n,\n \n", &[("1", "A\nB")]);
    taken("a.csv", "no,name,,\n1,A,,\n", &[("1", "A")]);
    taken("a.csv", "no,name\n1,\"say \"\"hi\"\"\"\n", &[("1", "say \"hi\"")]);
    taken("a.csv", "no,name\n1,5\" pipe\n", &[("1", "5\" pipe")]);
    taken("a.csv", "no\n1\n2\n", &[("1", ""), ("2", "")]);
    taken("a.csv", "no,name\n", &[]);
    taken("a.csv", "no,name\n../../x,A\x1b[31m\n", &[("../../x", "A\x1b[31m")]);
    taken("a.csv", b"no;name\n1;M\xFCller\n2;Andr\xE9 Gro\xDF\n", &[("1", "Müller"), ("2", "André Groß")]);
    for text in ["no;name\n1;Jürg\n", "\u{feff}no;name\n1;Jürg\n"] {
        taken("a.csv", utf_16(text, false), &[("1", "Jürg")]);
        taken("a.csv", utf_16(text, true), &[("1", "Jürg")]);
    }
    taken("a.json", "[{\"no\":12345678901234567890,\"name\":\"\\u00fc\"}]", &[("12345678901234567890", "ü")]);
    taken("a.json", "[{\"no\":1.10},{\"name\":\"B\",\"no\":\"2\"}]", &[("1.10", ""), ("2", "B")]);
}

#[test]
fn all_bad_rows_are_reported_at_once() {
    refused(
        "a.csv",
        "no,type,minor\n1,person,yes\n2,x,y\n3\n1,company,0\n",
        "a.csv, line 3, column `type`: `x` is no contact type | write `person` or `company`\n\
         a.csv, line 3, column `minor`: `y` is neither true nor false | write `true` or `false`, `yes` or `no`, `1` or `0`\n\
         a.csv, line 4: 1 field, but the header has 3 | write a separator for every column, so that what has no value \
         is an empty field\n\
         a.csv, line 5, column `no`: the contact number `1` stands twice, first on line 2 | give every contact a number of its own",
    );
}

#[test]
fn of_many_problems_a_thousand_are_kept_and_all_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, format!("no,name\n{}", "x\n".repeat(5000))).unwrap();
    let problems = import_path(&path, &ContactColumns::default()).unwrap_err();
    assert_eq!((problems.problems.len(), problems.total), (1000, 5000));
}

#[test]
fn the_map_and_the_key_name_columns() {
    let map = |column: &str, field: &str| vec![(column.to_owned(), field.to_owned())];
    let columns = ContactColumns { key: "Kundennummer".to_owned(), map: map("Mail privat", "email") };
    let table = "Kundennummer;First Name;Mail privat;Gerät\n7;Jana;j@x.org;Pumpe \n";
    let found = import("a.csv", table.as_bytes(), &columns).unwrap();
    let contact = &found[0].contact;
    let fields = (contact.no.as_str(), contact.first_name.as_str(), contact.email.as_str());
    assert_eq!(fields, ("7", "Jana", "j@x.org"));
    assert_eq!(contact.column("Gerät"), Some("Pumpe "));
    let wrong = ContactColumns { key: "Kundennumer".to_owned(), map: map("Mail", "e_mial") };
    assert_eq!(
        import("a.csv", table.as_bytes(), &wrong).unwrap_err(),
        "a.csv: the table has no column `Mail`\n\
         a.csv: a contact has no field `e_mial` | did you mean `email`?\n\
         a.csv: the table has no column `Kundennumer`, which is to hold the contact number | did you mean `Kundennummer`? \
         name the column with `key`, or `--key` on the command line"
    );
}

#[test]
fn the_cells_of_a_workbook_keep_their_types_without_binary_noise() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    for (column, name) in (0..).zip(["no", "sum", "big", "since", "minor", "post_code"]) {
        sheet.write(0, column, name).unwrap();
    }
    sheet.write(2, 0, 1_234_567_890_123_456.0).unwrap();
    sheet.write(2, 1, 0.1 + 0.2).unwrap();
    sheet.write(2, 2, 1e15).unwrap();
    sheet.write_with_format(2, 3, 46_082.0, &date).unwrap();
    sheet.write(2, 4, true).unwrap();
    sheet.write(2, 5, "00123").unwrap();
    let found = import("a.xlsx", &workbook.save_to_buffer().unwrap(), &ContactColumns::default()).unwrap();
    let contact = &found[0].contact;
    let columns: Vec<&str> = contact.columns.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(columns, ["0.3", "1000000000000000", "2026-03-01"]);
    assert_eq!((found[0].row, contact.no.as_str()), (3, "1234567890123456"));
    assert_eq!((contact.minor, contact.post_code.as_str()), (true, "00123"));
}

#[test]
fn a_child_row_of_an_unknown_contact_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.csv");
    fs::write(&path, "contact_no,item\n1,Pumpe\n9,Rohr\n").unwrap();
    let known = |contact: &ContactNo| contact.as_str() == "1";
    let mut n_rows = 0;
    let read = RowImport::open(&path, "contact_no").unwrap().read_all::<()>(&known, |_| {
        n_rows += 1;
        Ok(())
    });
    let Err(ImportError::Problems(problems)) = read else { panic!("{read:?}") };
    let expected = "orders.csv, line 3, column `contact_no`: there is no contact `9`";
    assert_eq!((shown(&problems, folder.path()).as_str(), n_rows), (expected, 1));
}

#[test]
fn a_wrong_alternative_address_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let check = |content: &str, expected: &str| {
        fs::write(&path, content).unwrap();
        let found = match import_addresses(&path, &|contact| contact.as_str() == "1") {
            Ok(addresses) => format!("{} addresses", addresses.len()),
            Err(problems) => shown(&problems, folder.path()),
        };
        assert_eq!(found, expected);
    };
    check("contact,starting date,ending date\n1,2026-06-01,2026-08-31\n1,,\n", "2 addresses");
    check(
        "contact,endng_date\n",
        "a.csv: an alternative address has no field `endng_date` | did you mean `ending_date`?",
    );
    check(
        "contact,starting_date,ending_date\n1,1.6.2026,\n2,,\n1,2026-02-01,2026-01-01\n1,2026-02-01,\n",
        "a.csv, line 2, column `starting_date`: `1.6.2026` is no date | write the date as `2026-03-01`\n\
         a.csv, line 3, column `contact`: there is no contact `2`\n\
         a.csv, line 4, column `ending_date`: the address ends on 2026-01-01, before it starts on 2026-02-01\n\
         a.csv, line 5, column `starting_date`: contact `1` has two addresses that start on 2026-02-01, the first on line 4 | let one of them start on another day",
    );
}
