//! Owns the signs and languages of a document: what its settings say, and the contexts in which its fields are shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::format::{FormatContext, LocaleData, Locales, NumberSymbols, Styles};

/// What a document says about signs and languages.
#[derive(Debug, Default)]
pub(crate) struct Customs {
    /// `w:decimalSymbol` of the settings.
    pub(crate) decimal_symbol: Option<String>,
    /// `w:listSeparator` of the settings.
    pub(crate) list_separator: Option<char>,
    /// The languages of the runs with fields; the first, empty, is that of the moment.
    pub(crate) languages: Vec<String>,
    known: Mutex<BTreeMap<String, Arc<[FormatContext]>>>,
    locales: Locales,
}

impl Customs {
    /// Returns the signs that mean decimal and group in the document's pictures, if its settings say so.
    pub(crate) fn picture(&self) -> NumberSymbols {
        let decimal = self.decimal_symbol.as_deref().unwrap_or(".");
        let group = if decimal == "," { "." } else { "," };
        NumberSymbols { decimal: decimal.to_owned(), group: group.to_owned() }
    }

    /// Returns what separates the arguments of functions in the document's formulas.
    pub(crate) fn separator(&self) -> char {
        self.list_separator.unwrap_or(if self.decimal_symbol.as_deref() == Some(",") { ';' } else { ',' })
    }

    /// Returns the contexts of a letter, by the number of the language.
    pub(crate) fn contexts(&self, locale: &str) -> Arc<[FormatContext]> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(contexts) = known.get(locale) {
            return Arc::clone(contexts);
        }
        let own: Arc<LocaleData> = self.locales.get(locale);
        let languages = if self.languages.is_empty() { &[String::new()][..] } else { &self.languages };
        let styles = Arc::new(Styles::of(&own.tag));
        let contexts: Arc<[FormatContext]> = languages
            .iter()
            .map(|language| FormatContext {
                language: if language.is_empty() { Arc::clone(&own) } else { self.locales.get(language) },
                output: Arc::clone(&own),
                data: Arc::clone(&own),
                picture: self.picture(),
                list_separator: self.separator(),
                styles: Arc::clone(&styles),
            })
            .collect();
        known.insert(locale.to_owned(), Arc::clone(&contexts));
        contexts
    }
}
