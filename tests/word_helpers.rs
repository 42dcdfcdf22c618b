//! The helpers of tags: each example of docs/tags.md, in a letter and in a text, in two locales; and what is refused.

mod support;

use mailrun::merge::{Escape, FieldMap, Frame, Moment, Namespace, Need, Template, Text, Value, Values};

use support::docx::{Docx, body, p, t};

const TAGS: &str = include_str!("../docs/tags.md");

fn moment(locale: &str) -> Moment {
    let now = jiff::civil::date(2026, 3, 1).at(9, 0, 0, 0);
    Moment { now, locale: locale.to_owned(), record: 1, sequence: 1 }
}

fn scalars() -> [(&'static str, Value); 6] {
    [
        ("name", Value::text("Ann")),
        ("city", Value::Blank),
        ("amount", Value::text("1234.5")),
        ("n", Value::Number(2.into())),
        ("due", Value::Date(jiff::civil::date(2026, 3, 5))),
        ("currency", Value::text("CHF")),
    ]
}

const ORDERS: [[&str; 2]; 2] = [["Tea", "3"], ["Milk", "12.5"]];

fn namespace() -> Namespace {
    let mut names = Namespace::new();
    for (name, _) in scalars() {
        names.value(name);
    }
    let mut orders = Namespace::new();
    orders.value("item");
    orders.value("price");
    names.rows("orders", orders);
    names
}

fn in_a_text(source: &str, locale: &str) -> String {
    let text = Text::compile(source, Escape::None).expect(source).bind(&namespace()).expect(source);
    let row = |needs: &[Need], order: &[&str; 2]| {
        let value = |need: &Need| match need {
            Need::Value(entry) => Value::text(order[*entry]),
            Need::Rows(..) => Value::Blank,
        };
        Frame(needs.iter().map(value).collect())
    };
    let value = |need: &Need| match need {
        Need::Value(entry) => scalars()[*entry].1.clone(),
        Need::Rows(_, needs) => Value::Rows(ORDERS.iter().map(|order| row(needs, order)).collect()),
    };
    let frame = Frame(text.needs().iter().map(value).collect());
    text.render(&frame, &moment(locale)).expect("a text renders")
}

fn in_a_letter(source: &str, locale: &str) -> String {
    let mut values = Values::at(moment(locale));
    for (name, value) in scalars() {
        values.set(name, value);
    }
    let rows = ORDERS.map(|[item, price]| {
        let mut row = Values::new();
        row.set("item", Value::text(item));
        row.set("price", Value::text(price));
        row
    });
    values.set_rows("orders", rows.into());
    let escaped = source.replace('&', "&amp;").replace('<', "&lt;");
    let letter = Docx::new(&p(&t(&escaped))).template().render(&values).expect(source);
    let xml = body(&letter);
    let texts = xml.split("<w:t xml:space=\"preserve\">").skip(1);
    texts.filter_map(|it| it.split("</w:t>").next()).collect()
}

#[test]
fn every_example_of_the_documentation_comes_out_in_a_letter_and_in_a_text() {
    let mut n_examples = 0;
    for line in TAGS.lines().filter(|line| line.starts_with("| `{{") && !line.starts_with("| `{{#each")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [tag, american, swiss] = cells.as_slice() else { continue };
        let tag = tag.trim_matches('`');
        for (locale, expected) in [("en-US", american), ("de-CH", swiss)] {
            // The unbreakable spaces of ICU are written as plain ones in the table.
            let plain = |shown: String| shown.replace(['\u{a0}', '\u{202f}'], " ");
            assert_eq!(plain(in_a_text(tag, locale)), **expected, "{tag} in a text, {locale}");
            assert_eq!(plain(in_a_letter(tag, locale)), **expected, "{tag} in a letter, {locale}");
        }
        n_examples += 1;
    }
    assert!(n_examples > 25, "only {n_examples} examples were found");
}

#[test]
fn a_word_takes_the_form_of_its_number_and_language() {
    let tag = "{{plural n one=\"plik\" few=\"pliki\" many=\"plików\" other=\"pliku\"}}";
    for (number, expected) in [("1", "plik"), ("3", "pliki"), ("5", "plików"), ("1.5", "pliku")] {
        let tag = tag.replace("plural n", &format!("plural {number}"));
        assert_eq!(in_a_text(&tag, "pl-PL"), expected, "{number}");
    }
    assert_eq!(in_a_text("{{plural 0 \"jour\" \"jours\"}}", "fr-FR"), "jour");
    assert_eq!(in_a_text("{{plural 0 \"day\" \"days\"}}", "en-US"), "days");
}

#[test]
fn data_that_is_no_date_or_number_is_shown_as_it_stands() {
    for (tag, expected) in [
        ("{{date name}}", "Ann"),
        ("{{add_days name 3}}", "Ann"),
        ("{{number name 2}}", "Ann"),
        ("{{money name \"EUR\"}}", "Ann"),
        ("{{money amount name}}", "1,234.50 Ann"),
        ("{{date city}}{{number city}}{{money city currency}}{{upper city}}", ""),
        ("{{sum orders item}}", "!Syntax Error"),
        ("{{add_days due 4000000}}", "3/5/2026"),
        ("{{date (add_months \"2026-01-31\" 1) \"yyyy-MM-dd\"}}", "2026-02-28"),
    ] {
        assert_eq!(in_a_text(tag, "en-US").replace('\u{a0}', " "), expected, "{tag}");
    }
}

#[test]
fn a_helper_that_cannot_work_is_a_problem_before_any_letter() {
    for (tag, expected) in [
        ("{{uper name}}", "there is no helper `uper`; did you mean `upper`?"),
        ("{{upper name city}}", "`upper` takes 1 argument, found 2; "),
        ("{{money amount}}", "`money` takes 2 arguments, found 1; "),
        ("{{date due \"long\" 3}}", "`date` takes 1 or 2 arguments, found 3; "),
        ("{{date due \"medum\"}}", "`medum` is no date style and no picture; did you mean `medium`?"),
        (
            "{{date due \"xyz\"}}",
            "`xyz` is no date style and no picture; styles are short, medium, long, full and time; a picture is \
             such as `dd.MM.yyyy`",
        ),
        ("{{date due 3}}", "argument 2 of `date` is a date style or picture in quotes, found 3; "),
        (
            "{{number due (eq n 2)}}",
            "argument 2 of `number` is 0 to 20 decimals, or a picture in quotes, found true or false; ",
        ),
        ("{{number \"abc\"}}", "argument 1 of `number` is a number, found \"abc\"; "),
        ("{{date \"tomorrow\"}}", "argument 1 of `date` is a date, found \"tomorrow\"; "),
        ("{{add_days due \"soon\"}}", "argument 2 of `add_days` is a number, found \"soon\"; "),
        (
            "{{money amount \"CFH\"}}",
            "there is no currency `CFH`; write its code of three letters (ISO 4217), such as `EUR`",
        ),
        ("{{upper (eq n 2)}}", "argument 1 of `upper` is a text, found true or false; "),
        ("{{join \"a\" \"b\"}}", "argument 1 of `join` is the name of a table, found \"a\"; "),
        (
            "{{plural n one=\"a\"}}",
            "`plural` takes a number and forms by name, of them `other`; write `{{plural n one=\"line\" other=\"lines\"}}`",
        ),
        ("{{#fi name}}x{{/if}}", "there is no block `#fi`; did you mean `#if`?"),
        (
            "{{upper orders}}",
            "`orders` is a table, not one value; repeat it: `{{#each orders}}` … `{{/each}}`",
        ),
        ("{{join orders \"itm\"}}", "tag `itm` has no value; did you mean `item`?"),
        (
            "{{join orders \"city\"}}",
            "tag `city` has no value; write the name of a column of the data, or one that docs/formats.md lists",
        ),
        ("{{count name}}", "`name` has no rows to repeat; only a child table can be repeated"),
        (
            "{{capitalize}}",
            "tag `capitalize` has no value; `capitalize` is a helper and wants a value: `{{capitalize …}}`",
        ),
    ] {
        let template = Template::compile(&Docx::new(&p(&t(tag))).bytes()).expect("the package is whole");
        let problems = template.bind(&namespace(), &FieldMap::new()).expect_err(tag);
        let first = problems.first().expect("there is one");
        assert_eq!(format!("{first}; {}", first.help().unwrap_or_default()), expected, "{tag}");
        assert!(first.place().starts_with("word/document.xml, paragraph 1"), "{}", first.place());
        let in_text = match Text::compile(tag, Escape::None) {
            Err(error) => format!("{error}; {}", error.help().unwrap_or_default()),
            Ok(text) => {
                let problems = text.bind(&namespace()).expect_err(tag);
                let first = problems.first().expect("there is one");
                format!("{first}; {}", first.help().unwrap_or_default())
            }
        };
        assert_eq!(in_text, expected, "{tag} in a text");
    }
}
