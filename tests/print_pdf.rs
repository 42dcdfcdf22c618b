//! Letters as PDF: checked, printed in order, and never a wrong one under its name.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use mail_parser::{MessageParser, MimeHeaders};
use support::docx::{Docx, merge_field, p, t};
use support::place::{Place, SmallDisk};

const NAMES: [&str; 7] = ["Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Niklaus"];

/// A place with seven contacts who get a letter on paper as PDF, made by a program of ours in place of LibreOffice.
///
/// A name that is a word of `tests/judges/office.py` makes the program do what the word says.
fn place_of(names: &[&str]) -> Place {
    let place = Place::new();
    let rows: String = names
        .iter()
        .enumerate()
        .map(|(at, name)| format!("CT{:04},{name},Main Street {at},80{:02},Town\n", at + 1, 50 - at))
        .collect();
    place.write("contacts.csv", format!("no,name,address,post_code,city\n{rows}"));
    let body = p(&format!("{}{}", t("Letter number "), merge_field("no")))
        + &p(&format!("{}{}", t("Dear "), merge_field("name")));
    place.write("letter.docx", Docx::new(&body).bytes());
    place.write(
        "segment.toml",
        "[segment]\nno = \"SM1\"\ninteraction_template = \"L\"\n[contacts]\nfile = \"contacts.csv\"\nkey = \"no\"\n\
         [[template]]\ncode = \"L\"\ncorrespondence_type = \"hard-copy\"\ndefault_language = \"en\"\n\
         [template.languages]\nen = { document = \"letter.docx\", subject = \"Hello\" }\n",
    );
    let program =
        place.write("soffice", fs::read("tests/judges/office.py").expect("it is part of the project"));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    place.write(
        "mailrun.toml",
        "[output]\nletters = \"pdf\"\n[pdf]\nsoffice = \"./soffice\"\ntimeout = \"60s\"\nworkers = 1\n",
    );
    place
}

fn with_name(at: usize, name: &'static str) -> Vec<&'static str> {
    let mut names = NAMES.to_vec();
    names[at] = name;
    names
}

/// The names of the PDF files of a run.
fn pdfs(place: &Place) -> Vec<String> {
    place.files("out/SM1/letters").into_iter().filter(|name| name.ends_with(".pdf")).collect()
}

#[test]
fn a_converter_that_fails_at_one_letter_fails_that_letter_alone() {
    for (word, reason) in [
        ("Garbage", "it is no PDF"),
        ("Torn", "it is no PDF"),
        ("Empty", "LibreOffice made no PDF of it"),
        ("Crash", "LibreOffice made no PDF of it"),
        ("Hang", "LibreOffice did not end within 2s"),
        ("Foreign", "the PDF does not have the words of the letter"),
    ] {
        let place = place_of(&with_name(3, word));
        if word == "Hang" {
            let setup = place.read_text("mailrun.toml").replace("\"60s\"", "\"2s\"");
            place.write("mailrun.toml", setup);
        }
        let ended = place.run(&["run", "segment.toml", "--json"]).expect_code(3);
        let report = ended.json_lines().pop().expect("a report");
        assert_eq!((report["written"].as_u64(), report["failed"].as_u64()), (Some(6), Some(1)), "{word}");
        let failed = place.run(&["log", "list", "--state", "failed", "--json"]).expect_code(0).json_lines();
        let said = failed[0]["reason"].as_str().unwrap_or_default();
        assert!(said.starts_with(reason), "{word}: {said}");
        assert_eq!(failed[0]["contact"], "CT0004", "{word}");
        assert_eq!(pdfs(&place).len(), 6, "{word}");
        for file in pdfs(&place) {
            let status = Command::new("qpdf").arg("--check").arg(place.path(&file)).output();
            assert!(status.expect("qpdf runs").status.success(), "{word}: {file}");
        }
        let left: Vec<String> =
            place.files("out").into_iter().filter(|it| it.contains("mailrun-pdf")).collect();
        assert_eq!(left, Vec::<String>::new(), "{word}");
    }
}

#[test]
fn a_run_that_is_killed_while_letters_become_pdf_is_resumed() {
    let place = place_of(&with_name(3, "Kill"));
    let killed = place.command(&["run", "segment.toml"]).status().expect("it starts");
    assert_eq!(killed.code(), None, "the converter ends its caller");
    assert_eq!(pdfs(&place), Vec::<String>::new());
    let program = place.read_text("soffice").replace("\"Kill\" in whole", "False");
    place.write("soffice", program);
    let ended = place.run(&["resume", "SM1", "--json"]).expect_code(0);
    assert_eq!(ended.json_lines().pop().expect("a report")["written"], 7);
    assert_eq!(pdfs(&place).len(), 7);
    let left: Vec<String> = place.files("out").into_iter().filter(|it| it.contains("mailrun-pdf")).collect();
    assert_eq!(left, Vec::<String>::new());
}

/// Fails unless each PDF of a run is whole, and its letter's: it has the name of its contact.
#[track_caller]
fn expect_all_letters(place: &Place) {
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    assert_eq!((entries.len(), pdfs(place).len()), (NAMES.len(), NAMES.len()));
    for entry in entries {
        let file = place.path(&format!("out/SM1/letters/{}", entry["file"].as_str().expect("a name")));
        let checked = Command::new("qpdf").arg("--check").arg(&file).output().expect("qpdf runs");
        assert!(checked.status.success(), "{}", file.display());
        let text = Command::new("pdftotext").arg(&file).arg("-").output().expect("pdftotext runs").stdout;
        let name = entry["contact_name"].as_str().expect("a name");
        assert!(String::from_utf8_lossy(&text).contains(&format!("Dear {name}")), "{}", file.display());
    }
}

#[test]
fn a_full_disk_stops_the_run_wherever_it_fills_and_room_lets_it_go_on() {
    let mut n_stopped = 0;
    for n_free_pages in [1, 3, 5, 6, 7, 8, 10, 14, 18] {
        let place = place_of(&NAMES);
        let disk = SmallDisk::mount(&place.path("out"), 400);
        place.write("out/ballast", vec![0; (100 - n_free_pages) * 4_096]);
        let ended = place.run(&["run", "segment.toml"]);
        assert!(matches!(ended.code, Some(0 | 4)), "{n_free_pages}: {ended:?}");
        fs::remove_file(place.path("out/ballast")).expect("it is ours");
        if ended.code == Some(4) {
            n_stopped += 1;
            assert!(ended.stderr.contains(" space"), "{n_free_pages}: {}", ended.stderr);
            let is_begun = place.run(&["status", "SM1"]).code == Some(0);
            let go_on = if is_begun { &["resume"][..] } else { &["run", "segment.toml"] };
            let _ = place.run(go_on).expect_code(0);
        }
        expect_all_letters(&place);
        drop(disk);
    }
    assert!(n_stopped > 5, "only {n_stopped} runs filled the disk");
}

#[test]
fn a_print_file_is_whole_or_not_there_and_ready_comes_last() {
    let (mut n_stopped, mut n_changed) = (0, 0);
    for n_free_pages in (2..=14).step_by(2).chain([9, 11]) {
        let place = place_of(&NAMES);
        let disk = SmallDisk::mount(&place.path("out"), 400);
        place.write("out/ballast", vec![0; (100 - n_free_pages) * 4_096]);
        let at = |name: &str| place.path(&format!("out/SM1/{name}"));
        let ended = place.run(&["run", "segment.toml", "--print"]);
        assert!(matches!(ended.code, Some(0 | 4)), "{n_free_pages}: {ended:?}");
        fs::remove_file(place.path("out/ballast")).expect("it is ours");
        if ended.code == Some(4) {
            n_stopped += 1;
            assert!(!at("READY").exists(), "{n_free_pages}");
            if at("combined.pdf").exists() {
                let checked = Command::new("qpdf").arg("--check").arg(at("combined.pdf")).output();
                assert!(checked.expect("qpdf runs").status.success(), "{n_free_pages}");
            }
            // A letter that is not what the journal knows is not printed.
            if pdfs(&place).len() == NAMES.len() {
                n_changed += 1;
                let letter = pdfs(&place).remove(3);
                let whole = place.read(&letter);
                place.write(&letter, [&whole[..], b"%"].concat());
                let ended = place.run(&["resume", "SM1"]);
                assert!(ended.stderr.contains("cannot be printed"), "{n_free_pages}: {ended:?}");
                assert!(ended.code != Some(0) && !at("READY").exists(), "{n_free_pages}: {ended:?}");
                place.write(&letter, whole);
            }
            let is_begun = place.run(&["status", "SM1"]).code == Some(0);
            let go_on = if is_begun { &["resume"][..] } else { &["run", "segment.toml", "--print"] };
            let _ = place.run(go_on).expect_code(0);
        }
        let ready = Command::new("sha256sum").args(["-c", "READY"]).current_dir(at("")).output();
        assert!(ready.expect("sha256sum runs").status.success(), "{n_free_pages}");
        expect_all_letters(&place);
        drop(disk);
    }
    assert!(n_stopped > 4 && n_changed > 0, "{n_stopped} stopped, {n_changed} with all letters");
}

#[test]
fn without_libreoffice_nothing_happens_and_the_message_says_what_to_install() {
    let place = place_of(&NAMES);
    place.write("mailrun.toml", "[output]\nletters = \"pdf\"\n[pdf]\nsoffice = \"./nowhere/soffice\"\n");
    for command in ["check", "run"] {
        let ended = place.run(&[command, "segment.toml"]).expect_code(1);
        assert!(ended.stderr.contains("PDF needs LibreOffice"), "{}", ended.stderr);
        assert!(ended.stderr.contains("apt install libreoffice-writer-nogui"), "{}", ended.stderr);
    }
    assert!(!place.path("out").exists());
}

#[test]
fn a_print_file_accounts_for_every_page_in_the_order_that_was_asked_for() {
    for (arguments, sides, first) in [
        (&["run", "segment.toml", "--print"][..], "simplex", "CT0001"),
        (&["run", "segment.toml", "--print=presorted", "--duplex"], "duplex", "CT0007"),
    ] {
        let place = place_of(&NAMES);
        let _ = place.run(arguments).expect_code(0);
        let at = |name: &str| place.path(&format!("out/SM1/{name}"));
        let judged = Command::new("python3")
            .arg("tests/judges/print_file.py")
            .args([at("combined.pdf"), at("manifest.csv")])
            .arg(sides)
            .output()
            .expect("python runs");
        assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
        let n_pages = if sides == "duplex" { 14 } else { 7 };
        assert_eq!(String::from_utf8_lossy(&judged.stdout), format!("{n_pages} pages of 7 letters\n"));
        let ready = Command::new("sha256sum").args(["-c", "READY"]).current_dir(at("")).output();
        assert!(ready.expect("sha256sum runs").status.success());
        let checked = Command::new("qpdf").arg("--check").arg(at("combined.pdf")).output();
        assert!(checked.expect("qpdf runs").status.success());
        let ticket: serde_json::Value =
            serde_json::from_slice(&place.read("out/SM1/ticket.json")).expect("it is JSON");
        assert_eq!((ticket["letters"].as_u64(), ticket["sheets"].as_u64()), (Some(7), Some(7)));
        assert_eq!(ticket["proof"][0]["contact"], first);
    }
}

/// A place whose contacts get e-mails with their letter as PDF, each locked by the contact's postcode.
fn place_with_locked_letters(standard: &str) -> Place {
    let place = place_of(&NAMES);
    let contacts = place.read_text("contacts.csv").replace("no,name,", "no,email,name,");
    let contacts = contacts.lines().map(|row| match row.split_once(',') {
        Some((no, rest)) if no != "no" => format!("{no},{no}@example.org,{rest}\n"),
        _ => format!("{row}\n"),
    });
    place.write("contacts.csv", contacts.collect::<String>());
    let segment = place.read_text("segment.toml").replace("hard-copy", "email");
    place.write("segment.toml", format!("{segment}[template.email]\nattach = [\"pdf\"]\n"));
    let password = "password = \"{{contact.post_code}}\"";
    place.write(
        "mailrun.toml",
        format!("[smtp]\nfrom = \"a@example.org\"\n[pdf]\nsoffice = \"./soffice\"\n{password}\n{standard}"),
    );
    place
}

/// The PDF that is attached to a message.
fn attached(message: &[u8]) -> Vec<u8> {
    let message = MessageParser::new().parse(message).expect("it is a message");
    let pdf = message.attachments().find(|part| part.attachment_name() == Some("Hello.pdf"));
    pdf.expect("a PDF is attached").contents().to_vec()
}

#[test]
fn an_attached_pdf_opens_with_the_contacts_password_only() {
    let place = place_with_locked_letters("");
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let messages = place.files("out/SM1/outbox");
    assert_eq!(messages.len(), NAMES.len());
    for (message, (at, name)) in messages.iter().zip(NAMES.iter().enumerate()) {
        let file = place.write("attached.pdf", attached(&place.read(message)));
        let text = |password: &str| {
            let arguments = ["-upw", password, "attached.pdf", "-"];
            Command::new("pdftotext").args(arguments).current_dir(place.path("")).output().expect("it runs")
        };
        let opened = text(&format!("80{:02}", 50 - at));
        assert!(String::from_utf8_lossy(&opened.stdout).contains(&format!("Dear {name}")), "{opened:?}");
        assert!(!text("").status.success() && !text("8051").status.success(), "{name}");
        let password = format!("--password=80{:02}", 50 - at);
        let seen = Command::new("qpdf").args([&password, "--show-encryption"]).arg(&file).output();
        let seen = seen.expect("qpdf runs");
        assert!(
            String::from_utf8_lossy(&seen.stdout).contains("stream encryption method: AESv3"),
            "{seen:?}"
        );
        let checked = Command::new("qpdf").args([&password, "--check"]).arg(&file).output();
        assert!(checked.expect("qpdf runs").status.success(), "{name}");
    }
}

#[test]
fn a_message_that_is_too_large_with_its_pdf_fails_and_is_not_sent() {
    for limit in ["attachment_limit = \"600 B\"", "message_limit = \"2 kB\""] {
        let place = place_with_locked_letters("");
        let set_up = place.read_text("mailrun.toml").replace("[pdf]\n", &format!("{limit}\n[pdf]\n"));
        place.write("mailrun.toml", &set_up);
        let checked = place.run(&["check", "segment.toml"]).expect_code(0);
        assert!(checked.stderr.contains("measured without their PDF"), "{}", checked.stderr);
        let ended = place.run(&["run", "segment.toml", "--json"]).expect_code(3);
        let report = ended.report();
        assert_eq!((&report["failed"], &report["written"]), (&7.into(), &0.into()), "{report}");
        assert_eq!(place.files("out/SM1/outbox"), Vec::<String>::new(), "{limit}");
        let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
        let reason = entries[0].to_string();
        let size = limit.split('"').nth(1).expect("a size");
        assert!(reason.contains(&format!("but the limit is {size}")), "{reason}");
    }
    let place = place_with_locked_letters("");
    let set_up = place.read_text("mailrun.toml").replace("[pdf]\n", "message_limit = \"1 MB\"\n[pdf]\n");
    place.write("mailrun.toml", set_up);
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    assert_eq!(place.files("out/SM1/outbox").len(), NAMES.len());
}

#[test]
fn a_password_that_is_missing_or_locks_an_archive_is_found_by_check() {
    let place = place_with_locked_letters("");
    let contacts = place.read_text("contacts.csv").replace(",8048,", ",,");
    place.write("contacts.csv", contacts);
    let ended = place.run(&["check", "segment.toml", "--json"]).expect_code(1);
    let problems = ended.json_lines();
    assert_eq!(problems[0]["problem"]["id"], "no-pdf-password", "{problems:?}");
    assert!(problems[0]["problem"]["place"].as_str().is_some_and(|place| place.contains("CT0003")));
    let place = place_with_locked_letters("standard = \"pdf/a-1b\"\n");
    let problems = place.run(&["check", "segment.toml", "--json"]).expect_code(1).json_lines();
    assert_eq!(problems[0]["problem"]["id"], "locked-archive", "{problems:?}");
}

#[test]
fn a_preview_shows_what_is_attached_and_draws_the_pages() {
    let place = place_with_locked_letters("");
    // A name so long that it is cut keeps the number of its page.
    let contacts = place.read_text("contacts.csv").replace("Ada", &"Ada".repeat(60));
    place.write("contacts.csv", contacts);
    let ended = place.run(&["preview", "segment.toml", "--first", "2", "--png"]).expect_code(0);
    let expected = ["docx", "pdf", "1.png", "eml"];
    let shown: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(shown.len(), 2 * expected.len(), "{shown:?}");
    for (name, ending) in shown.iter().zip(expected.iter().cycle()) {
        assert!(name.ends_with(ending), "{shown:?}");
    }
    let file = |ending: &str| {
        let name = place.files("out").into_iter().find(|name| name.ends_with(ending));
        place.read(&name.unwrap_or_else(|| panic!("there is no {ending}")))
    };
    assert!(file(".png").starts_with(b"\x89PNG"));
    // The PDF beside it can be read; the one in the message is as it would go out.
    let find = |bytes: &[u8]| bytes.windows(8).any(|it| it == b"/Encrypt");
    assert!(find(&attached(&file(".eml"))) && !find(&file(".pdf")));
    place.write("nowhere/soffice", "");
    let mut without = place.command(&["preview", "segment.toml", "--png"]);
    let ended = without.env("PATH", place.path("nowhere")).output().expect("it starts");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("apt install poppler-utils"), "{said}");
}
