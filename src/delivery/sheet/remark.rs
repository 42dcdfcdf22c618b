//! Owns the standard remarks of cover sheets: what each is called, and its words by language.

/// How many there are.
const N: usize = 6;

/// The names that the command takes.
pub const NAMES: [&str; N] = ["information", "attention", "comments", "approval", "call", "return"];

/// By language, in the order of the names; English where a language has none.
const WORDS: [(&str, [&str; N]); 7] = [
    (
        "en",
        [
            "For your information",
            "For your attention",
            "For your comments",
            "For your approval",
            "Please call us",
            "To be returned after use",
        ],
    ),
    (
        "de",
        [
            "Zu Ihrer Information",
            "Zur Kenntnisnahme",
            "Zur Stellungnahme",
            "Zur Genehmigung",
            "Bitte rufen Sie uns an",
            "Bitte nach Gebrauch zurückgeben",
        ],
    ),
    (
        "es",
        [
            "Para su información",
            "Para su atención",
            "Para sus comentarios",
            "Para su aprobación",
            "Llámenos, por favor",
            "Para devolver después de su uso",
        ],
    ),
    (
        "fr",
        [
            "Pour information",
            "À votre attention",
            "Pour vos commentaires",
            "Pour approbation",
            "Merci de nous appeler",
            "À retourner après usage",
        ],
    ),
    (
        "it",
        [
            "Per informazione",
            "Alla Sua attenzione",
            "Per le Sue osservazioni",
            "Per approvazione",
            "La preghiamo di chiamarci",
            "Da restituire dopo l’uso",
        ],
    ),
    (
        "nl",
        [
            "Ter informatie",
            "Ter attentie",
            "Voor uw opmerkingen",
            "Ter goedkeuring",
            "Wilt u ons bellen",
            "Na gebruik retourneren",
        ],
    ),
    (
        "pt",
        [
            "Para sua informação",
            "Para sua atenção",
            "Para os seus comentários",
            "Para aprovação",
            "Por favor, telefone-nos",
            "A devolver após utilização",
        ],
    ),
];

/// Returns the names of the remarks with their words in a language, given by its tag: `de-CH` has those of `de`.
pub(super) fn remarks(language: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let base = language.split('-').next().unwrap_or_default();
    let (_, words) = WORDS.iter().find(|(known, _)| *known == base).unwrap_or(&WORDS[0]);
    NAMES.into_iter().zip(*words)
}

#[cfg(test)]
mod tests {
    use super::{WORDS, remarks};

    #[test]
    fn each_language_says_each_remark_in_words_of_its_own() {
        let mut all: Vec<&str> = WORDS.iter().flat_map(|(_, words)| *words).collect();
        let n = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), n);
        let first = |language: &str| remarks(language).next();
        assert_eq!(first("de-CH"), Some(("information", "Zu Ihrer Information")));
        assert_eq!(first("xx"), first("en"));
        assert_eq!(first(""), first("en"));
    }
}
