//! Owns the answers that a merge is given to the questions of ASK and FILLIN. Fails on a file that is no JSON object of
//! plain values, with its line.

use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};

use crate::merge::Value;
use crate::run::problem::Problem;

/// Answers by the bookmark of ASK, or by the question of either field, in the order of their file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers(Vec<(String, Value)>);

impl Answers {
    /// Reads a JSON object: bookmark or question → answer, which is a text, a number, true or false, or null for none.
    ///
    /// # Errors
    ///
    /// All that is wrong with the text; `file` is its name.
    pub fn read(file: &str, text: &[u8]) -> Result<Answers, Vec<Problem>> {
        let problem = |message: String, place: String| Problem {
            id: "malformed-answers",
            message,
            place,
            help: Some("write one JSON object: `{\"Question\": \"answer\"}`".to_owned()),
        };
        let object: Map<String, Json> = serde_json::from_slice(text).map_err(|error| {
            let place = format!("{file}, line {}, column {}", error.line(), error.column());
            vec![problem("the answers are no JSON object".to_owned(), place)]
        })?;
        let mut answers = Vec::new();
        let mut problems = Vec::new();
        for (question, answer) in object {
            let value = match answer {
                Json::Null => Value::Blank,
                Json::Bool(truth) => Value::Bool(truth),
                Json::String(text) => Value::text(text),
                Json::Number(number) => {
                    let written = number.to_string();
                    let exact = written.parse().or_else(|_| Decimal::from_scientific(&written));
                    exact.map_or_else(|_| Value::text(written), Value::Number)
                }
                Json::Array(_) | Json::Object(_) => {
                    let message = format!("the answer to `{question}` is not one value");
                    problems.push(problem(message, file.to_owned()));
                    continue;
                }
            };
            answers.push((question, value));
        }
        if problems.is_empty() { Ok(Answers(answers)) } else { Err(problems) }
    }

    /// Returns the questions with their answers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(question, answer)| (question.as_str(), answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_plain_values() {
        let text = br#"{"City": "Bern", "n": 1.50, "paid": true, "none": null}"#;
        let answers = Answers::read("a.json", text).expect("an object");
        let read: Vec<(&str, &Value)> = answers.iter().collect();
        assert_eq!(
            read,
            [
                ("City", &Value::text("Bern")),
                ("n", &Value::Number(Decimal::new(15, 1))),
                ("paid", &Value::Bool(true)),
                ("none", &Value::Blank),
            ]
        );
    }

    #[test]
    fn what_is_no_object_of_plain_values_is_refused_with_its_place() {
        for (text, expected) in [
            ("[1]", "a.json, line 1, column 0: the answers are no JSON object"),
            ("{\n \"a\": }", "a.json, line 2, column 7: the answers are no JSON object"),
            ("{\"a\": [1]}", "a.json: the answer to `a` is not one value"),
        ] {
            let problems = Answers::read("a.json", text.as_bytes()).expect_err(text);
            let shown: Vec<String> =
                problems.iter().map(|it| format!("{}: {}", it.place, it.message)).collect();
            assert_eq!(shown, [expected]);
        }
    }
}
