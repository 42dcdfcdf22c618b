//! Owns the rules of the house: rooms in order, each file opening with what it owns, effects in `cli` alone.
//!
//! The rules stand at the top of the functions that check them; every message says what to do. The checker is
//! tested itself, on small sources, by the tests at the end.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a file of the library may have, its own tests not counted.
const LINES_PER_FILE: usize = 600;

/// Names that say nothing of what a file owns.
const NAMES_OF_NOTHING: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "types", "errors", "misc"];

/// What only the command line may do: a sequence of tokens, and where to take it from instead.
const EFFECTS: &[(&[&str], &str)] = &[
    (&["println", "!"], "return the text or observe a step; `cli` prints"),
    (&["eprintln", "!"], "return the text or observe a step; `cli` prints"),
    (&["print", "!"], "return the text or observe a step; `cli` prints"),
    (&["eprint", "!"], "return the text or observe a step; `cli` prints"),
    (&["dbg", "!"], "remove it"),
    (&["io", "::", "stdout"], "write to the writer that the caller gives"),
    (&["io", "::", "stderr"], "write to the writer that the caller gives"),
    (&["SystemTime", "::", "now"], "take the moment as an argument; `cli` reads the clock"),
    (&["ZonedDateTime", "::", "now"], "take the moment as an argument; `cli` reads the clock"),
    (&["Timestamp", "::", "now"], "take the moment as an argument; `cli` reads the clock"),
    (&["env", "::", "var"], "take the value as an argument; `cli` reads the environment"),
    (&["env", "::", "var_os"], "take the value as an argument; `cli` reads the environment"),
    (&["env", "::", "vars"], "take the value as an argument; `cli` reads the environment"),
    (&["env", "::", "args"], "take the value as an argument; `cli` reads the arguments"),
];

/// Folders of a machine that mean nothing on another one; put together here so that this file passes itself.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/t", "mp/")];

/// The rooms that use no other room, because they are worth using alone.
const ROOMS_THAT_STAND_ALONE: &[&str] = &["merge"];

#[test]
fn rooms_use_only_rooms_listed_before_them() {
    let house = House::read();
    house.expect_none(uses_of_later_rooms);
}

#[test]
fn the_library_root_lists_rooms_and_has_no_code() {
    let house = House::read();
    let root = house.file("src/lib.rs");
    let rest: Vec<String> = tokens(&root.text)
        .chunks(4)
        .filter(|four| {
            let texts: Vec<&str> = four.iter().map(|token| token.text.as_str()).collect();
            !matches!(texts[..], ["pub", "mod", _, ";"])
        })
        .map(|four| {
            format!(
                "src/lib.rs:{}: only `pub mod room;` stands here: move the rest into a room",
                four[0].line
            )
        })
        .collect();
    assert_eq!(rest, Vec::<String>::new());
    assert!(!house.rooms.is_empty(), "src/lib.rs lists no room");
}

#[test]
fn the_binary_knows_the_command_line_only() {
    let house = House::read();
    let others: Vec<String> = paths_into(&tokens(&house.file("src/main.rs").text), "mailrun")
        .into_iter()
        .filter(|(name, _)| name != "cli")
        .map(|(name, line)| format!("src/main.rs:{line}: the binary uses `{name}`: let `cli` do it"))
        .collect();
    assert_eq!(others, Vec::<String>::new());
}

#[test]
fn every_file_opens_with_what_it_owns_and_is_short_enough_to_read() {
    let house = House::read();
    house.expect_none(|file, _| shape(file));
    for path in files_below(Path::new("tests")).into_iter().chain(files_below(Path::new("benches"))) {
        if is_rust(&path) {
            assert!(
                read(&path).starts_with("//! "),
                "{}: open the file with `//!` and what it owns",
                path.display()
            );
        }
    }
}

#[test]
fn only_the_command_line_touches_the_outside() {
    House::read().expect_none(|file, _| effects(file));
}

#[test]
fn nothing_names_a_folder_of_somebodys_machine() {
    let mut found = Vec::new();
    for folder in [".ci", "benches", "docs", "fixtures", "src", "templates", "tests"] {
        for path in files_below(Path::new(folder)) {
            found.extend(machine_paths(&path));
        }
    }
    for name in ["CHANGELOG.md", "Cargo.toml", "README.md"] {
        found.extend(machine_paths(Path::new(name)));
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_template_and_fixture_is_described() {
    let readme = Path::new("fixtures/README.md");
    let described = if readme.exists() { read(readme) } else { String::new() };
    let mut found = paths_that_do_not_exist(&described, |path| Path::new(path).exists());
    let shipped = entries_of(Path::new("fixtures")).into_iter().chain(files_below(Path::new("templates")));
    found.extend(shipped.filter(|path| path != readme).map(|path| path.display().to_string()).filter_map(
        |path| {
            let is_described = described.contains(&format!("`{path}"))
                || described.contains(&format!("`{}", path.trim_start_matches("fixtures/")))
                || described.contains(&format!("`{}", path.trim_start_matches("templates/")));
            (!is_described)
                .then(|| format!("{path}: describe it in fixtures/README.md: made with, shows, used by"))
        },
    ));
    assert_eq!(found, Vec::<String>::new());
}

/// One source file of the library or binary.
struct SourceFile {
    /// From the top of the repository, with `/`: `src/merge/field.rs`.
    path: String,
    text: String,
}

impl SourceFile {
    /// The room that the file belongs to; none for `lib.rs` and `main.rs`.
    fn room(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        let room = below.split('/').next()?.trim_end_matches(".rs");
        (!matches!(room, "lib" | "main")).then_some(room)
    }

    /// How many modules lie between the file's items and the crate's root: 1 for `src/merge/mod.rs`.
    fn depth(&self) -> usize {
        let below = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        below.split('/').count()
    }

    /// The text before the file's own tests, and the tests.
    fn code_and_tests(&self) -> (&str, &str) {
        let start = self.text.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|&at| {
            let after = self.text[at..].trim_start_matches("#[cfg(test)]").trim_start();
            after.starts_with("mod tests {")
        });
        self.text.split_at(start.unwrap_or(self.text.len()))
    }
}

struct House {
    /// In the order of `lib.rs`.
    rooms: Vec<String>,
    files: Vec<SourceFile>,
}

impl House {
    fn read() -> House {
        let files: Vec<SourceFile> = files_below(Path::new("src"))
            .into_iter()
            .filter(|path| is_rust(path))
            .map(|path| SourceFile { text: read(&path), path: path.display().to_string().replace('\\', "/") })
            .collect();
        let root = files.iter().find(|file| file.path == "src/lib.rs").expect("a library has a root");
        House { rooms: rooms(&root.text), files }
    }

    fn file(&self, path: &str) -> &SourceFile {
        self.files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} is missing"))
    }

    #[track_caller]
    fn expect_none(&self, rule: impl Fn(&SourceFile, &[String]) -> Vec<String>) {
        let found: Vec<String> = self.files.iter().flat_map(|file| rule(file, &self.rooms)).collect();
        assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    }
}

/// The modules that `lib.rs` lists, in its order.
#[test]
fn the_formats_list_every_key_of_the_mail_server() {
    let listed = read(Path::new("docs/formats.md"));
    let section = listed.split("\n[smtp]\n").nth(1).and_then(|rest| rest.split("\n[fallback]\n").next());
    let section = section.expect("the formats list the mail server and the fax gateway");
    let tables = ["Smtp", "Automatic", "WarmUp", "Retry", "Dkim", "Fax", "SendWindow"];
    assert_lists_keys(section, &["src/setup/mail.rs", "src/setup/window.rs"], &tables);
}

#[test]
fn the_page_on_printing_lists_every_key_of_pdf_print_and_marks() {
    let listed = read(Path::new("docs/print.md"));
    let files = ["src/setup/pdf.rs", "src/setup/print.rs", "src/setup/marks.rs"];
    assert_lists_keys(&listed, &files, &["Pdf", "Print", "PageMark", "OmrMark", "CodeMark"]);
    let bars = read(Path::new("src/setup/marks.rs"));
    let bars = bars.split("pub enum Bar {").nth(1).and_then(|rest| rest.split("\n}\n").next());
    for bar in bars.expect("it has bars").lines().filter_map(|line| line.trim().strip_suffix(',')) {
        let name: String = bar.char_indices().fold(String::new(), |name, (at, sign)| match sign {
            'A'..='Z' if at > 0 => format!("{name}-{}", sign.to_ascii_lowercase()),
            '0'..='9' if !name.ends_with(|it: char| it.is_ascii_digit()) => format!("{name}-{sign}"),
            _ => format!("{name}{}", sign.to_ascii_lowercase()),
        });
        assert!(listed.contains(&format!("`{name}`")), "docs/print.md says nothing of the bar `{name}`");
    }
}

/// Each field of the tables, which are structs of the files, stands in the text as a key.
fn assert_lists_keys(text: &str, files: &[&str], tables: &[&str]) {
    let source: String = files.iter().map(|file| read(Path::new(file))).collect();
    for table in tables {
        let body = source.split(&format!("pub struct {table} {{\n")).nth(1);
        let body = body.and_then(|rest| rest.split("\n}\n").next());
        let body = body.unwrap_or_else(|| panic!("{table} is in {files:?}"));
        let keys = body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'));
        let is_listed = |key: &str| text.contains(&format!("{key} = ")) || text.contains(&format!(".{key}]"));
        let missing: Vec<&str> = keys.map(|(key, _)| key).filter(|key| !is_listed(key)).collect();
        assert!(missing.is_empty(), "no {missing:?} of {table} is listed");
    }
}

fn rooms(root: &str) -> Vec<String> {
    tokens(root).windows(2).filter(|two| two[0].text == "mod").map(|two| two[1].text.clone()).collect()
}

/// A room uses only rooms that `lib.rs` lists before it; `merge` uses none.
fn uses_of_later_rooms(file: &SourceFile, rooms: &[String]) -> Vec<String> {
    let Some(room) = file.room() else { return Vec::new() };
    let Some(own_place) = rooms.iter().position(|name| name == room) else {
        return vec![format!(
            "{}: `{room}` is no room: list it in src/lib.rs, or move the file into one",
            file.path
        )];
    };
    let stands_alone = ROOMS_THAT_STAND_ALONE.contains(&room);
    let all = tokens(&file.text);
    let lines_of_code = file.code_and_tests().0.lines().count();
    let mut uses = paths_into(&all, "crate");
    uses.extend(paths_out_through_super(&all, |line| file.depth() + usize::from(line > lines_of_code)));
    uses.sort_by_key(|(_, line)| *line);
    uses.into_iter()
        .filter_map(|(used, line)| {
            let place = rooms.iter().position(|name| *name == used)?;
            let path = &file.path;
            if used == room {
                None
            } else if stands_alone {
                Some(format!("{path}:{line}: `{room}` stands alone, but uses `{used}`: let the caller give the value"))
            } else if place > own_place {
                Some(format!("{path}:{line}: `{room}` uses `{used}`, which comes after it: own a trait or take a value, and let `{used}` bring it"))
            } else {
                None
            }
        })
        .collect()
}

/// A file opens with `//!`, has at most [`LINES_PER_FILE`] lines before its tests, and a name that tells.
fn shape(file: &SourceFile) -> Vec<String> {
    let mut found = Vec::new();
    let path = &file.path;
    if !file.text.starts_with("//! ") {
        found.push(format!("{path}: open the file with `//!` and what it owns"));
    }
    let n_lines = file.code_and_tests().0.lines().count();
    if n_lines >= LINES_PER_FILE {
        found.push(format!("{path}: {n_lines} lines before its tests, but less than {LINES_PER_FILE} can be read: split it by owner"));
    }
    if let Some(name) = path.trim_end_matches(".rs").split('/').find(|name| NAMES_OF_NOTHING.contains(name)) {
        found.push(format!("{path}: `{name}` names nothing: move each thing to its owner"));
    }
    found
}

/// Only `cli` prints, reads the clock, and reads the environment.
fn effects(file: &SourceFile) -> Vec<String> {
    if matches!(file.room(), Some("cli")) {
        return Vec::new();
    }
    let all = tokens(&file.text);
    let mut found = Vec::new();
    for start in 0..all.len() {
        for (effect, instead) in EFFECTS {
            let here = all[start..].iter().take(effect.len()).map(|token| token.text.as_str());
            if here.eq(effect.iter().copied()) {
                found.push(format!(
                    "{}:{}: `{}` outside `cli`: {instead}",
                    file.path,
                    all[start].line,
                    effect.concat()
                ));
            }
        }
    }
    found
}

fn machine_paths(path: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(number, line)| {
            let found = MACHINE_PATHS.iter().filter(|folder| names_folder(line, folder));
            let message = |folder: &&str| {
                format!(
                    "{}:{}: `{folder}` is a folder of one machine: use a path from the checkout",
                    path.display(),
                    number + 1
                )
            };
            found.map(message).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether an absolute path below `folder` stands in the line; `example.com/home/` and `out/home/` are none.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-})".contains(before))
    })
}

/// Paths in backticks that look like files of ours but are not there.
fn paths_that_do_not_exist(markdown: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let named = markdown.split('`').skip(1).step_by(2);
    named
        .filter(|name| {
            name.starts_with("templates/") || name.starts_with("fixtures/") || name.starts_with("tests/")
        })
        .filter(|name| !name.contains(['*', '{', ' ']) && !exists(name))
        .map(|name| {
            format!("fixtures/README.md: `{name}` does not exist: correct the name or remove the entry")
        })
        .collect()
}

/// A word, `::`, or a single sign of Rust source, with the line that it stands in, from 1.
#[derive(Debug, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

/// The first names of all paths that begin with `base::`, also in groups: `crate::{a::B, c}` gives `a` and `c`.
fn paths_into(tokens: &[Token], base: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.text == base && tokens.get(at + 1).is_some_and(|next| next.text == "::") {
            found.extend(first_names(&tokens[at + 2..]));
        }
    }
    found
}

/// The first names of paths that leave the room by `super::super::…`; `depth` tells how many it takes in a line.
fn paths_out_through_super(tokens: &[Token], depth: impl Fn(usize) -> usize) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        while tokens.get(at).is_some_and(|token| token.text == "super")
            && tokens.get(at + 1).is_some_and(|next| next.text == "::")
        {
            at += 2;
        }
        if at > start && (at - start) / 2 >= depth(tokens[start].line) {
            found.extend(first_names(&tokens[at..]));
        }
        at = at.max(start + 1);
    }
    found
}

/// The name that a path goes on with, or all names at the top of a `{…}` group.
fn first_names(rest: &[Token]) -> Vec<(String, usize)> {
    let is_group = rest.first().is_some_and(|token| token.text == "{");
    if !is_group {
        return rest.first().map(|token| (token.text.clone(), token.line)).into_iter().collect();
    }
    let mut names = Vec::new();
    let mut depth = 0;
    for (at, token) in rest.iter().enumerate() {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => break,
            "}" => depth -= 1,
            _ if depth == 1 && matches!(rest[at - 1].text.as_str(), "{" | ",") => {
                names.push((token.text.clone(), token.line));
            }
            _ => {}
        }
    }
    names
}

/// Splits Rust source into words and signs; comments, strings and characters are left out.
fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(&here) = chars.get(at) {
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let end = match here {
            '/' if next == '/' => end_of_line(&chars, at),
            '/' if next == '*' => end_of_comment(&chars, at),
            '"' => end_of_string(&chars, at),
            '\'' => end_of_character(&chars, at),
            _ if here.is_alphanumeric() || here == '_' => {
                let word_end = (at..chars.len())
                    .find(|&i| !(chars[i].is_alphanumeric() || chars[i] == '_'))
                    .unwrap_or(chars.len());
                let word: String = chars[at..word_end].iter().collect();
                match raw_string_end(&chars, &word, word_end) {
                    Some(end) => end,
                    None => {
                        tokens.push(Token { text: word, line });
                        word_end
                    }
                }
            }
            ':' if next == ':' => {
                tokens.push(Token { text: "::".to_owned(), line });
                at + 2
            }
            _ => {
                if !here.is_whitespace() {
                    tokens.push(Token { text: here.to_string(), line });
                }
                at + 1
            }
        };
        line += chars[at..end].iter().filter(|&&c| c == '\n').count();
        at = end;
    }
    tokens
}

fn end_of_line(chars: &[char], at: usize) -> usize {
    (at..chars.len()).find(|&i| chars[i] == '\n').unwrap_or(chars.len())
}

/// Block comments nest.
fn end_of_comment(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// The end of `'x'` or `'\n'`; of a lifetime only the sign, its name is a word.
fn end_of_character(chars: &[char], start: usize) -> usize {
    if chars.get(start + 1) == Some(&'\\') {
        let close = (start + 3..chars.len()).find(|&i| chars[i] == '\'').unwrap_or(chars.len() - 1);
        close + 1
    } else if chars.get(start + 2) == Some(&'\'') {
        start + 3
    } else {
        start + 1
    }
}

/// The end of a raw string whose prefix is `word`: `r"…"`, `r#"…"#`, `br"…"`.
fn raw_string_end(chars: &[char], word: &str, at: usize) -> Option<usize> {
    if !matches!(word, "r" | "br" | "cr") {
        return None;
    }
    let n_hashes = chars[at..].iter().take_while(|&&c| c == '#').count();
    if chars.get(at + n_hashes) != Some(&'"') {
        return None;
    }
    let is_end =
        |i: usize| chars[i] == '"' && chars[i + 1..].iter().take_while(|&&c| c == '#').count() >= n_hashes;
    let close = (at + n_hashes + 1..chars.len()).find(|&i| is_end(i)).unwrap_or(chars.len());
    Some((close + 1 + n_hashes).min(chars.len()))
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The entries of a folder in the order of their names; none if there is no such folder.
fn entries_of(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    paths.sort();
    paths
}

/// All files below a folder, in the order of their paths.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    entries_of(folder)
        .into_iter()
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect()
}

mod checker {
    //! Owns the tests of the checker: each rule is broken once and must be heard.

    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    fn check_rooms(path: &str, text: &str, expected: &[&str]) {
        let rooms = rooms("//! mod no;\npub mod contact;\npub mod merge;\npub mod run;\npub mod cli;\n");
        assert_eq!(uses_of_later_rooms(&file(path, text), &rooms), expected);
    }

    #[test]
    fn an_earlier_room_may_be_used_and_a_later_one_not() {
        check_rooms("src/run/mod.rs", "use crate::contact::Contact;\nuse crate::run::plan;", &[]);
        check_rooms(
            "src/contact/mod.rs",
            "\nuse crate::run::Plan;",
            &[
                "src/contact/mod.rs:2: `contact` uses `run`, which comes after it: own a trait or take a value, and let `run` bring it",
            ],
        );
    }

    #[test]
    fn a_room_is_heard_in_groups_and_in_the_middle_of_code() {
        let later =
            "`contact` uses `run`, which comes after it: own a trait or take a value, and let `run` bring it";
        let in_group = format!("src/contact/mod.rs:3: {later}");
        check_rooms(
            "src/contact/mod.rs",
            "use crate::{\n  contact::{a, run},\n  run::{self, cli},\n};",
            &[&in_group],
        );
        let in_code = format!("src/contact/mod.rs:1: {later}");
        check_rooms("src/contact/mod.rs", "fn f() { crate::run::f() }", &[&in_code]);
    }

    #[test]
    fn merge_stands_alone() {
        check_rooms(
            "src/merge/field.rs",
            "use crate::contact::Contact;",
            &[
                "src/merge/field.rs:1: `merge` stands alone, but uses `contact`: let the caller give the value",
            ],
        );
    }

    #[test]
    fn a_way_out_through_super_is_heard() {
        let later =
            "`contact` uses `run`, which comes after it: own a trait or take a value, and let `run` bring it";
        let expected = format!("src/contact/mod.rs:1: {later}");
        check_rooms("src/contact/mod.rs", "use super::run::Plan;", &[&expected]);
        check_rooms("src/contact/import.rs", "use super::run::Plan;", &[]);
        check_rooms("src/contact/mod.rs", "#[cfg(test)]\nmod tests {\nuse super::run;\n}", &[]);
        let expected = format!("src/contact/mod.rs:3: {later}");
        check_rooms(
            "src/contact/mod.rs",
            "#[cfg(test)]\nmod tests {\nuse super::super::run;\n}",
            &[&expected],
        );
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        let quiet = [
            "//! [`crate::run`]\n/* crate::run /* crate::run */ crate::run */",
            "const A: &str = \"\\\"crate::run::x\";",
            "const A: &str = r#\"\"crate::run::x\"#;",
            "fn f<'a>(x: &'a str) -> char { '\"' } // crate::run",
        ];
        for text in quiet {
            check_rooms("src/contact/mod.rs", text, &[]);
        }
        let heard = "fn f<'a>() -> char { '\\'' }\nuse crate::run;";
        assert_eq!(paths_into(&tokens(heard), "crate"), [("run".to_owned(), 2)]);
    }

    #[test]
    fn a_file_outside_the_rooms_is_heard() {
        check_rooms(
            "src/web/mod.rs",
            "",
            &["src/web/mod.rs: `web` is no room: list it in src/lib.rs, or move the file into one"],
        );
    }

    #[test]
    fn a_file_without_owner_too_long_or_named_nothing_is_heard() {
        let long = format!("//! Owns much.\n{}", "\n".repeat(LINES_PER_FILE));
        let long_tests =
            format!("//! Owns little.\n#[cfg(test)]\nmod tests {{{}}}", "\n".repeat(LINES_PER_FILE));
        assert_eq!(shape(&file("src/run/plan.rs", "//! Owns the plan.\n")), Vec::<String>::new());
        assert_eq!(shape(&file("src/run/plan.rs", &long_tests)), Vec::<String>::new());
        assert_eq!(
            shape(&file("src/run/plan.rs", &long)),
            ["src/run/plan.rs: 601 lines before its tests, but less than 600 can be read: split it by owner"]
        );
        assert_eq!(
            shape(&file("src/run/plan.rs", "use std::fs;\n")),
            ["src/run/plan.rs: open the file with `//!` and what it owns"]
        );
        assert_eq!(
            shape(&file("src/run/types.rs", "//! Owns.\n")),
            ["src/run/types.rs: `types` names nothing: move each thing to its owner"]
        );
    }

    #[test]
    fn effects_outside_the_command_line_are_heard() {
        assert_eq!(
            effects(&file("src/run/mod.rs", "fn f() {\n    std::env::var(\"X\");\n}")),
            [
                "src/run/mod.rs:2: `env::var` outside `cli`: take the value as an argument; `cli` reads the environment"
            ]
        );
        assert_eq!(
            effects(&file("src/run/mod.rs", "// println!\nfn f() { write!(x, \"println!\") }")),
            Vec::<String>::new()
        );
        assert_eq!(effects(&file("src/cli/mod.rs", "fn f() { println!() }")), Vec::<String>::new());
        assert_eq!(effects(&file("src/store/mod.rs", "fn f() { println!() }")).len(), 1);
    }

    #[test]
    fn a_path_of_a_machine_is_heard_and_a_path_in_an_address_is_not() {
        let folder = MACHINE_PATHS[1];
        assert!(names_folder(&format!("\"{folder}jana/letter.docx\""), folder));
        assert!(!names_folder(&format!("https://example.com{folder}"), folder));
    }

    #[test]
    fn a_described_file_must_be_there() {
        let readme =
            "`templates/gone.docx` and `templates/here.docx`, made with `docx-rs`, `tests/word_*.rs`";
        let missing = paths_that_do_not_exist(readme, |path| path == "templates/here.docx");
        assert_eq!(
            missing,
            [
                "fixtures/README.md: `templates/gone.docx` does not exist: correct the name or remove the entry"
            ]
        );
    }
}
