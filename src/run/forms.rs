//! Owns the forms of a run: its documents and texts, each understood once however many lines use it. What is wrong
//! with a document or text is found here, once.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::sync::Arc;

use crate::contact::CorrespondenceType;
use crate::delivery::mailbox::Mailbox;
use crate::delivery::mjml::{self, MjmlError};
use crate::interaction::template::{CommentForm, EmailBody};
use crate::interaction::{EffectiveInteraction, InteractionTemplate, Standing};
use crate::merge::odd_value::Told;
use crate::merge::{BoundTemplate, BoundText, CommentAs, Escape, FieldMap, Need, Template, Text};
use crate::run::desk::Desk;
use crate::run::envelope::{bounce_problem, has_tags};
use crate::run::load::ContactTable;
use crate::run::plan::{NameSources, PlannedLetter, RunDocument};
use crate::run::problem::Problem;
use crate::run::records::{Records, RecordsError};
use crate::run::values::{Names, Uses};
use crate::run::warning::{of_document, warnings};
use crate::run::{seed, server};
use crate::segment::Digest;
use crate::setup::Setup;

/// The documents and texts of a run.
#[derive(Debug)]
pub struct Forms<'a> {
    /// The documents, by number.
    pub documents: Vec<RunDocument>,
    desk: &'a Desk,
    template_names: BTreeMap<String, Arc<Names>>,
    letters: BTreeMap<(String, Digest), Option<LetterForm>>,
    texts: BTreeMap<String, Option<BoundText>>,
    is_sender_known: bool,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// The fields of each document that were told of for an odd value.
    told: BTreeMap<usize, Told>,
    /// The paths of the names that documents and texts use.
    used: BTreeSet<String>,
}

/// A document as an interaction template uses it.
#[derive(Clone, Debug)]
pub struct LetterForm {
    /// Its number in the run.
    pub document: usize,
    /// Its file name.
    pub name: String,
    /// The names that it may use.
    pub names: Arc<Names>,
    /// The document, bound to them.
    pub template: BoundTemplate,
    /// What the body of its message needs in its frame; none where the letter is the body.
    pub body_needs: Option<Vec<Need>>,
    /// What the plain text beside that body needs in its frame; none where it is made of the HTML.
    pub text_needs: Option<Vec<Need>>,
    /// What it uses that not every line has.
    pub uses: Uses,
    /// Whether it has a place for a comment.
    pub takes_comment: bool,
    /// The document, if it can leave a contact out (SKIPIF).
    pub skipping: Option<BoundTemplate>,
}

impl<'a> Forms<'a> {
    /// Begins with no document and no text.
    pub fn new(desk: &'a Desk) -> Forms<'a> {
        Forms {
            documents: Vec::new(),
            desk,
            template_names: BTreeMap::new(),
            letters: BTreeMap::new(),
            texts: BTreeMap::new(),
            is_sender_known: false,
            problems: Vec::new(),
            warnings: Vec::new(),
            told: BTreeMap::new(),
            used: BTreeSet::new(),
        }
    }

    /// Understands what an effective interaction uses, unless it is understood already.
    ///
    /// # Errors
    ///
    /// A store that cannot be read; problems of documents and texts are collected.
    pub fn learn(
        &mut self,
        records: &mut dyn Records,
        effective: &EffectiveInteraction<'_>,
    ) -> Result<(), RecordsError> {
        self.learn_text("description", effective.description.value);
        self.learn_text("subject", effective.subject.value);
        self.learn_text("comment", effective.comment.value);
        if let Some(formula) = effective.salutation.value {
            self.learn_text("formal salutation", &formula.formal);
            self.learn_text("informal salutation", &formula.informal);
        }
        if self.desk.header.household {
            // Everybody of a household is greeted by a formula of their own.
            for formula in &self.desk.presets.formulas {
                self.learn_text("formal salutation", &formula.formal);
                self.learn_text("informal salutation", &formula.informal);
            }
        }
        if let Standing::Due(kind) = effective.standing {
            self.learn_sender(kind);
        }
        let (Standing::Due(_), Some(document)) = (effective.standing, effective.document.value) else {
            return Ok(());
        };
        // A key is made only for what is new: a million lines look their document up without a copy.
        let code = &effective.template.value.code;
        for document in iter::once(document).chain(effective.enclosures.value) {
            if self.letter(code, document).is_none() {
                let form = self.letter_form(records, effective.template.value, document)?;
                self.letters.insert((code.clone(), document.clone()), form);
            }
        }
        Ok(())
    }

    /// Finds the letter form of a document; none where it is not learnt, `Some(None)` where it has problems.
    pub fn letter(&self, template: &str, document: &Digest) -> Option<Option<&LetterForm>> {
        let found = self.letters.iter().find(|((code, digest), _)| code == template && digest == document);
        found.map(|(_, form)| form.as_ref())
    }

    /// Finds a text; none for a plain text, or one that has problems.
    pub fn text(&self, source: &str) -> Option<&BoundText> {
        if has_tags(source) { self.texts.get(source)?.as_ref() } else { None }
    }

    /// Notes what is odd about the values of a letter and its enclosures, once for each field of a document.
    pub(in crate::run) fn note_odd_values(&mut self, letter: &PlannedLetter, place: impl Fn() -> String) {
        for letter in letter.documents() {
            let mut forms = self.letters.values().flatten();
            let Some(form) = forms.find(|form| form.document == letter.document) else { continue };
            let told = self.told.entry(form.document).or_default();
            for odd in form.template.odd_values(&letter.values, &letter.locale, told) {
                let problem = of_document(&form.name, odd);
                self.warnings.push(Problem { place: format!("{}, {}", place(), problem.place), ..problem });
            }
        }
    }

    /// Takes the problems that were found so far.
    pub fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }

    /// Takes what is odd about the documents but stops nothing.
    pub fn take_warnings(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.warnings)
    }

    /// Returns the columns of the contacts that no document and no text uses, as they are written. Columns with a
    /// meaning of their own, such as the address, are not among them.
    pub fn unused_columns(&self) -> Vec<String> {
        let further = self.desk.columns.iter().filter(|column| column.field.is_empty());
        let headers = further.map(|column| &column.header);
        headers.filter(|header| !self.used.contains(&format!("contact.{header}"))).cloned().collect()
    }

    /// Tells of columns that documents and texts use and the table that was just read does not have: contacts have what
    /// an earlier table gave them.
    pub(in crate::run) fn columns_of_earlier_tables(&self, table: &ContactTable) -> Vec<Problem> {
        let has = |header: &str| table.columns.iter().any(|column| column.header == header);
        let further = self.desk.columns.iter().filter(|column| column.field.is_empty());
        let headers = further.map(|column| column.header.as_str()).filter(|header| !has(header));
        let used = headers.filter(|header| self.used.contains(&format!("contact.{header}")));
        let problem = |header| Problem {
            id: "column-of-earlier-table",
            message: format!("the table has no column `{header}`: its values are those of an earlier table"),
            place: table.file.clone(),
            help: Some("add the column, blank where there is nothing, if the values are old".to_owned()),
        };
        used.map(problem).collect()
    }

    fn note_used(&mut self, names: &Names, needs: &[Need]) {
        for need in needs {
            let (Need::Value(entry) | Need::Rows(entry, _)) = need;
            self.used.extend(names.namespace.path(*entry).map(str::to_owned));
        }
    }

    fn learn_text(&mut self, what: &str, source: &str) {
        if !has_tags(source) || self.texts.contains_key(source) {
            return;
        }
        let desk = self.desk;
        let bound = bind_text(source, Escape::None, &desk.names, what, &mut self.problems);
        let needs = bound.as_ref().map(|bound| bound.needs().to_vec());
        self.note_used(&desk.names, &needs.unwrap_or_default());
        self.texts.insert(source.to_owned(), bound);
    }

    fn learn_sender(&mut self, kind: CorrespondenceType) {
        if kind == CorrespondenceType::HardCopy || self.is_sender_known {
            return;
        }
        self.is_sender_known = true;
        let smtp = self.desk.setup.smtp.clone().unwrap_or_default();
        if smtp.from.is_empty() {
            self.problems.push(Problem {
                id: "no-sender",
                message: format!("lines go out by `{kind}`, but no sender is set"),
                place: Setup::FILE_NAME.to_owned(),
                help: Some("set `from = \"Name <address>\"` under `[smtp]`".to_owned()),
            });
        } else if has_tags(&smtp.from) {
            self.learn_text("sender", &smtp.from);
        } else if let Err(error) = smtp.from.parse::<Mailbox>() {
            self.problems.push(Problem {
                id: error.id(),
                message: error.to_string(),
                place: format!("{}: smtp.from", Setup::FILE_NAME),
                help: None,
            });
        }
        if !smtp.url.is_empty() {
            self.problems.extend(server::problems(&smtp));
        }
        self.problems.extend(bounce_problem(&smtp));
        self.problems.extend(seed::problems(&smtp));
        self.learn_text("reply-to address", &smtp.reply_to);
        for address in &smtp.unsubscribe {
            self.learn_text("unsubscribe address", address);
        }
        self.learn_text("password of PDF files", &self.desk.setup.pdf.password);
        if let Some(fax) = &self.desk.setup.fax {
            self.learn_text("fax address", &fax.address);
        }
    }

    fn letter_form(
        &mut self,
        records: &mut dyn Records,
        template: &InteractionTemplate,
        digest: &Digest,
    ) -> Result<Option<LetterForm>, RecordsError> {
        let Some(attachment) = records.attachment(digest)? else { return Ok(None) };
        let within = |place: String| match place.as_str() {
            "" => attachment.name.clone(),
            place => format!("{}, {place}", attachment.name),
        };
        let compiled = match Template::compile_with(&attachment.bytes, comment_as(template.comment_as)) {
            Ok(compiled) => compiled,
            Err(error) => {
                self.problems.push(Problem {
                    id: error.id(),
                    message: error.to_string(),
                    place: within(error.place()),
                    help: error.help(),
                });
                return Ok(None);
            }
        };
        let names = self.names_of(template);
        let mut found: Vec<_> = compiled.problems().to_vec();
        let bound = match bind(&compiled, &names, &self.sources_of(template)) {
            Ok(bound) => Some(bound),
            Err(unknown) => {
                found.extend(unknown.into_iter().filter(|problem| !compiled.problems().contains(problem)));
                None
            }
        };
        if bound.as_ref().is_some_and(BoundTemplate::takes_several) {
            self.problems.push(Problem {
                id: "several-records",
                message: "the document takes several records with NEXT, but a line has one contact"
                    .to_owned(),
                place: attachment.name.clone(),
                help: Some(
                    "take NEXT out of the document, or use `mailrun merge` for sheets of labels".to_owned(),
                ),
            });
        }
        let odd = warnings(
            &attachment.name,
            &attachment.bytes,
            &compiled,
            (&names.namespace, &field_map(&template.map)),
        );
        self.warnings.extend(odd);
        let has_problems = !found.is_empty();
        self.problems.extend(found.into_iter().map(|problem| Problem {
            id: problem.id(),
            message: problem.to_string(),
            place: within(problem.place()),
            help: problem.help(),
        }));
        let body_needs = self.body_needs(records, template, &names)?;
        let text_needs = self.text_needs(records, template, &names)?;
        let Some(bound) = bound.filter(|_| !has_problems) else { return Ok(None) };
        let skipping = Some(bound.clone()).filter(BoundTemplate::may_skip);
        self.note_used(&names, bound.needs());
        let of_message = [body_needs.as_deref(), text_needs.as_deref()];
        for needs in of_message.into_iter().flatten() {
            self.note_used(&names, needs);
        }
        let document = self.documents.len();
        self.documents.push(RunDocument {
            document: digest.clone(),
            name: attachment.name.clone(),
            comment_as: template.comment_as,
            email: template.email.clone(),
            names: self.sources_of(template),
            is_erased: false,
        });
        let mut uses = names.uses(bound.needs());
        for needs in of_message.into_iter().flatten() {
            let of_text = names.uses(needs);
            uses.salutation |= of_text.salutation;
            uses.salesperson |= of_text.salesperson;
        }
        Ok(Some(LetterForm {
            document,
            name: attachment.name,
            names,
            template: bound,
            body_needs,
            text_needs,
            uses,
            takes_comment: compiled.comment_place().is_some(),
            skipping,
        }))
    }

    fn body_needs(
        &mut self,
        records: &mut dyn Records,
        template: &InteractionTemplate,
        names: &Names,
    ) -> Result<Option<Vec<Need>>, RecordsError> {
        let Some((digest, escape)) = body_text(&template.email.body) else { return Ok(None) };
        let Some(attachment) = records.attachment(digest)? else { return Ok(None) };
        let source = match body_source(&template.email.body, &attachment.bytes) {
            Ok(source) => source,
            Err(error) => {
                self.problems.push(Problem {
                    id: error.id(),
                    message: error.to_string(),
                    place: format!("{}{}", attachment.name, error.place()),
                    help: error.help(),
                });
                return Ok(None);
            }
        };
        let bound = bind_text(&source, escape, names, &attachment.name, &mut self.problems);
        Ok(bound.map(|bound| bound.needs().to_vec()))
    }

    fn text_needs(
        &mut self,
        records: &mut dyn Records,
        template: &InteractionTemplate,
        names: &Names,
    ) -> Result<Option<Vec<Need>>, RecordsError> {
        let Some(digest) = &template.email.text else { return Ok(None) };
        let Some(attachment) = records.attachment(digest)? else { return Ok(None) };
        let source = String::from_utf8_lossy(&attachment.bytes);
        let bound = bind_text(&source, Escape::None, names, &attachment.name, &mut self.problems);
        Ok(bound.map(|bound| bound.needs().to_vec()))
    }

    /// Returns the names that the documents of an interaction template may use: all, and the template's own fields.
    fn names_of(&mut self, template: &InteractionTemplate) -> Arc<Names> {
        if let Some(names) = self.template_names.get(&template.code) {
            return Arc::clone(names);
        }
        let names = Arc::new(names(&self.sources_of(template), &mut self.problems));
        for source in template.fields.values() {
            // What is wrong with it was told with the names.
            let desk = self.desk;
            let bound = bind_text(source, Escape::None, &desk.names, "", &mut Vec::new());
            let needs = bound.map(|bound| bound.needs().to_vec()).unwrap_or_default();
            self.note_used(&desk.names, &needs);
        }
        self.template_names.insert(template.code.clone(), Arc::clone(&names));
        names
    }

    fn sources_of(&self, template: &InteractionTemplate) -> NameSources {
        // A document asks for its answers below this name.
        let answers = template.answers.iter().map(|(asked, text)| (format!("answers.{asked}"), text.clone()));
        NameSources {
            columns: self.desk.columns.clone(),
            row_tables: self.desk.row_tables.clone(),
            map: template.map.clone(),
            fields: template.fields.clone().into_iter().chain(answers).collect(),
        }
    }
}

/// Collects the names that a document may use, its template's own fields among them.
pub(in crate::run) fn names(sources: &NameSources, problems: &mut Vec<Problem>) -> Names {
    let of_texts = Names::new(&sources.columns, &sources.row_tables);
    let mut names = Names::new(&sources.columns, &sources.row_tables);
    for (field, source) in &sources.fields {
        let what = format!("template field {field}");
        if let Some(text) = bind_text(source, Escape::None, &of_texts, &what, problems) {
            names.add_text(field, text);
        }
    }
    names
}

/// Binds a document to the names that it may use.
pub(in crate::run) fn bind(
    template: &Template,
    names: &Names,
    sources: &NameSources,
) -> Result<BoundTemplate, Vec<crate::merge::Problem>> {
    template.bind(&names.namespace, &field_map(&sources.map))
}

fn field_map(map: &BTreeMap<String, String>) -> FieldMap {
    let mut field_map = FieldMap::new();
    for (field, target) in map {
        field_map.insert(field, target);
    }
    field_map
}

/// Compiles the document of a run once more, as its plan had it.
pub(in crate::run) fn comment_as(form: CommentForm) -> CommentAs {
    match form {
        CommentForm::Text => CommentAs::Text,
        CommentForm::Annotation => CommentAs::Annotation,
    }
}

/// Returns the text of a body and how values are written into it; none where the letter is the body.
pub(in crate::run) fn body_text(body: &EmailBody) -> Option<(&Digest, Escape)> {
    match body {
        EmailBody::Document => None,
        EmailBody::Html(digest) | EmailBody::Mjml(digest) => Some((digest, Escape::Html)),
        EmailBody::Text(digest) => Some((digest, Escape::None)),
    }
}

/// Returns the text of a body as its tags are rendered: of MJML, the HTML that it stands for.
pub(in crate::run) fn body_source(body: &EmailBody, bytes: &[u8]) -> Result<String, MjmlError> {
    let source = String::from_utf8_lossy(bytes);
    match body {
        EmailBody::Mjml(_) => mjml::html_of(&source),
        EmailBody::Html(_) | EmailBody::Text(_) | EmailBody::Document => Ok(source.into_owned()),
    }
}

pub(in crate::run) fn bind_text(
    source: &str,
    escape: Escape,
    names: &Names,
    what: &str,
    problems: &mut Vec<Problem>,
) -> Option<BoundText> {
    let text = match Text::compile(source, escape) {
        Ok(text) => text,
        Err(error) => {
            let place = format!("{what}, {}", error.place());
            problems.push(Problem { id: error.id(), message: error.to_string(), place, help: error.help() });
            return None;
        }
    };
    match text.bind(&names.namespace) {
        Ok(bound) => Some(bound),
        Err(unknown) => {
            problems.extend(unknown.into_iter().map(|problem| Problem {
                id: problem.id(),
                message: problem.to_string(),
                place: format!("{what}, {}", problem.place()),
                help: problem.help(),
            }));
            None
        }
    }
}
