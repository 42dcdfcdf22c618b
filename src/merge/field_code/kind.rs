//! Owns the kinds of fields by their keyword, and which switches of a kind are known and take an argument.

/// What kind of field a keyword names.
///
/// Source: ECMA-376 Part 1 §17.16.5 Field definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// `ADDRESSBLOCK`.
    AddressBlock,
    /// `ASK`.
    Ask,
    /// `COMPARE`.
    Compare,
    /// `CREATEDATE`.
    CreateDate,
    /// `DATABASE`.
    Database,
    /// `DATE`.
    Date,
    /// `DDE`.
    Dde,
    /// `DDEAUTO`.
    DdeAuto,
    /// `DISPLAYBARCODE`.
    DisplayBarcode,
    /// `DOCPROPERTY`.
    DocProperty,
    /// `DOCVARIABLE`.
    DocVariable,
    /// `{ }`: no instruction at all.
    Empty,
    /// `FILLIN`.
    FillIn,
    /// `=`: the one argument is the whole expression, quotes included, for the formula's own grammar.
    Formula,
    /// `GREETINGLINE`.
    GreetingLine,
    /// `HYPERLINK`.
    Hyperlink,
    /// `IF`.
    If,
    /// `INCLUDEPICTURE`.
    IncludePicture,
    /// `INCLUDETEXT`.
    IncludeText,
    /// `LINK`.
    Link,
    /// `MACROBUTTON`.
    MacroButton,
    /// `MERGEBARCODE`.
    MergeBarcode,
    /// `MERGEFIELD`.
    MergeField,
    /// `MERGEREC`.
    MergeRec,
    /// `MERGESEQ`.
    MergeSeq,
    /// `NEXT`.
    Next,
    /// `NEXTIF`.
    NextIf,
    /// `NOTEREF`.
    NoteRef,
    /// `NUMPAGES`.
    NumPages,
    /// `PAGE`.
    Page,
    /// `PAGEREF`.
    PageRef,
    /// `PRINTDATE`.
    PrintDate,
    /// `QUOTE`.
    Quote,
    /// `REF`.
    Ref,
    /// `SAVEDATE`.
    SaveDate,
    /// `SECTION`.
    Section,
    /// `SECTIONPAGES`.
    SectionPages,
    /// `SEQ`.
    Seq,
    /// `SET`.
    Set,
    /// `SKIPIF`.
    SkipIf,
    /// `STYLEREF`.
    StyleRef,
    /// `SYMBOL`.
    Symbol,
    /// `TIME`.
    Time,
    /// `TOC`.
    Toc,
    /// Any other word, as it was written. Word takes it for the name of a bookmark (`{ B }` is `{ REF B }`).
    Unknown(String),
}

/// Whether a kind of field knows a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SwitchForm {
    /// Stands alone.
    Flag,
    /// Takes the operand that follows.
    Argument,
    /// Has no meaning for this kind of field.
    Unknown,
}

impl FieldKind {
    /// Returns the kind that a keyword names, whatever its case.
    pub fn from_keyword(keyword: &str) -> FieldKind {
        match keyword.to_ascii_uppercase().as_str() {
            "" => FieldKind::Empty,
            "=" => FieldKind::Formula,
            "ADDRESSBLOCK" => FieldKind::AddressBlock,
            "ASK" => FieldKind::Ask,
            "COMPARE" => FieldKind::Compare,
            "CREATEDATE" => FieldKind::CreateDate,
            "DATABASE" => FieldKind::Database,
            "DATE" => FieldKind::Date,
            "DDE" => FieldKind::Dde,
            "DDEAUTO" => FieldKind::DdeAuto,
            "DISPLAYBARCODE" => FieldKind::DisplayBarcode,
            "DOCPROPERTY" => FieldKind::DocProperty,
            "DOCVARIABLE" => FieldKind::DocVariable,
            "FILLIN" => FieldKind::FillIn,
            "GREETINGLINE" => FieldKind::GreetingLine,
            "HYPERLINK" => FieldKind::Hyperlink,
            "IF" => FieldKind::If,
            "INCLUDEPICTURE" => FieldKind::IncludePicture,
            "INCLUDETEXT" => FieldKind::IncludeText,
            "LINK" => FieldKind::Link,
            "MACROBUTTON" => FieldKind::MacroButton,
            "MERGEBARCODE" => FieldKind::MergeBarcode,
            "MERGEFIELD" => FieldKind::MergeField,
            "MERGEREC" => FieldKind::MergeRec,
            "MERGESEQ" => FieldKind::MergeSeq,
            "NEXT" => FieldKind::Next,
            "NEXTIF" => FieldKind::NextIf,
            "NOTEREF" => FieldKind::NoteRef,
            "NUMPAGES" => FieldKind::NumPages,
            "PAGE" => FieldKind::Page,
            "PAGEREF" => FieldKind::PageRef,
            "PRINTDATE" => FieldKind::PrintDate,
            "QUOTE" => FieldKind::Quote,
            "REF" => FieldKind::Ref,
            "SAVEDATE" => FieldKind::SaveDate,
            "SECTION" => FieldKind::Section,
            "SECTIONPAGES" => FieldKind::SectionPages,
            "SEQ" => FieldKind::Seq,
            "SET" => FieldKind::Set,
            "SKIPIF" => FieldKind::SkipIf,
            "STYLEREF" => FieldKind::StyleRef,
            "SYMBOL" => FieldKind::Symbol,
            "TIME" => FieldKind::Time,
            "TOC" => FieldKind::Toc,
            _ => FieldKind::Unknown(keyword.to_owned()),
        }
    }

    /// Tells whether the field begins with a comparison: left operand, operator, right operand.
    pub fn compares(&self) -> bool {
        matches!(self, FieldKind::Compare | FieldKind::If | FieldKind::NextIf | FieldKind::SkipIf)
    }

    /// Tells whether an argument of the field may be a path, in which a single backslash is no switch.
    pub(super) fn takes_paths(&self) -> bool {
        matches!(
            self,
            FieldKind::Database
                | FieldKind::Dde
                | FieldKind::DdeAuto
                | FieldKind::Hyperlink
                | FieldKind::IncludePicture
                | FieldKind::IncludeText
                | FieldKind::Link
        )
    }

    /// Returns the most arguments that have a meaning; what follows them, Word ignores.
    pub(super) fn most_arguments(&self) -> usize {
        match self {
            FieldKind::AddressBlock
            | FieldKind::CreateDate
            | FieldKind::Date
            | FieldKind::Empty
            | FieldKind::GreetingLine
            | FieldKind::MergeRec
            | FieldKind::MergeSeq
            | FieldKind::Next
            | FieldKind::PrintDate
            | FieldKind::SaveDate
            | FieldKind::Time => 0,
            FieldKind::DocProperty
            | FieldKind::DocVariable
            | FieldKind::FillIn
            | FieldKind::Formula
            | FieldKind::IncludePicture
            | FieldKind::MergeField
            | FieldKind::Ref => 1,
            FieldKind::Ask | FieldKind::IncludeText | FieldKind::Set => 2,
            FieldKind::Compare | FieldKind::NextIf | FieldKind::SkipIf => 3,
            FieldKind::If => 5,
            FieldKind::Database
            | FieldKind::Dde
            | FieldKind::DdeAuto
            | FieldKind::DisplayBarcode
            | FieldKind::Hyperlink
            | FieldKind::Link
            | FieldKind::MacroButton
            | FieldKind::MergeBarcode
            | FieldKind::NoteRef
            | FieldKind::NumPages
            | FieldKind::Page
            | FieldKind::PageRef
            | FieldKind::Quote
            | FieldKind::Section
            | FieldKind::SectionPages
            | FieldKind::Seq
            | FieldKind::StyleRef
            | FieldKind::Symbol
            | FieldKind::Toc
            | FieldKind::Unknown(_) => usize::MAX,
        }
    }

    /// Returns how this kind of field uses the switch `name` (in lower case).
    pub(super) fn switch_form(&self, name: char) -> SwitchForm {
        let (flags, arguments) = match self {
            FieldKind::AddressBlock => ("d", "cefl"),
            FieldKind::Ask | FieldKind::FillIn => ("o", "d"),
            FieldKind::CreateDate | FieldKind::PrintDate | FieldKind::SaveDate => ("hs", ""),
            FieldKind::Database => ("ho", "bcdflst"),
            FieldKind::Date => ("hlsu", ""),
            FieldKind::DisplayBarcode | FieldKind::MergeBarcode => ("atdx", "bcfhpqrs"),
            FieldKind::GreetingLine => ("", "cefl"),
            FieldKind::Hyperlink => ("mn", "lost"),
            FieldKind::IncludePicture => ("dxy", "c"),
            FieldKind::IncludeText => ("!", "cntx"),
            FieldKind::Link => ("abdhpru", "f"),
            FieldKind::MergeField => ("mv", "bf"),
            FieldKind::NoteRef => ("fhp", ""),
            FieldKind::PageRef => ("hp", ""),
            FieldKind::Ref => ("fhnprtw", "d"),
            FieldKind::Seq => ("chn", "rs"),
            FieldKind::StyleRef => ("lnprtw", ""),
            FieldKind::Symbol => ("ahju", "fs"),
            FieldKind::Toc => ("huwxz", "abcdflnopst"),
            FieldKind::Compare
            | FieldKind::Dde
            | FieldKind::DdeAuto
            | FieldKind::DocProperty
            | FieldKind::DocVariable
            | FieldKind::Empty
            | FieldKind::Formula
            | FieldKind::If
            | FieldKind::MacroButton
            | FieldKind::MergeRec
            | FieldKind::MergeSeq
            | FieldKind::Next
            | FieldKind::NextIf
            | FieldKind::NumPages
            | FieldKind::Page
            | FieldKind::Quote
            | FieldKind::Section
            | FieldKind::SectionPages
            | FieldKind::Set
            | FieldKind::SkipIf
            | FieldKind::Time
            | FieldKind::Unknown(_) => ("", ""),
        };
        if matches!(name, '*' | '@' | '#') || arguments.contains(name) {
            SwitchForm::Argument
        } else if flags.contains(name) {
            SwitchForm::Flag
        } else {
            SwitchForm::Unknown
        }
    }
}
