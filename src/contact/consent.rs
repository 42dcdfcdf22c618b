//! Owns consent: whether a contact may be written to, and if not, why.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Contact, CorrespondenceType};

/// Why a contact is not written to. The first that holds, in this order, is the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentRefusal {
    /// The contact is kept out of every segment.
    ExcludedFromSegments,
    /// The contact's data may not be used.
    PrivacyBlocked,
    /// The contact is a minor, and no parent has agreed.
    MinorWithoutParentalConsent,
    /// The contact wants no letters.
    NoMail,
    /// The contact wants no e-mail.
    NoEmail,
}

impl ConsentRefusal {
    /// Returns the stable name of this reason.
    pub fn id(self) -> &'static str {
        match self {
            ConsentRefusal::ExcludedFromSegments => "excluded-from-segments",
            ConsentRefusal::PrivacyBlocked => "privacy-blocked",
            ConsentRefusal::MinorWithoutParentalConsent => "minor-without-parental-consent",
            ConsentRefusal::NoMail => "no-mail",
            ConsentRefusal::NoEmail => "no-email",
        }
    }
}

impl fmt::Display for ConsentRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConsentRefusal::ExcludedFromSegments => "the contact is excluded from segments",
            ConsentRefusal::PrivacyBlocked => "the contact is blocked for privacy",
            ConsentRefusal::MinorWithoutParentalConsent => "the contact is a minor without parental consent",
            ConsentRefusal::NoMail => "the contact wants no letters",
            ConsentRefusal::NoEmail => "the contact wants no e-mail",
        })
    }
}

/// Returns why `contact` may not be written to by this correspondence type; nothing if it may.
///
/// A line without a correspondence type is only logged: the first three reasons hold for it all the same.
pub fn refusal(contact: &Contact, correspondence_type: Option<CorrespondenceType>) -> Option<ConsentRefusal> {
    if contact.exclude_from_segment {
        return Some(ConsentRefusal::ExcludedFromSegments);
    }
    refusal_despite_exclusion(contact, correspondence_type)
}

/// Does the same where somebody has decided that the exclusion from segments does not count; every other reason does.
pub fn refusal_despite_exclusion(
    contact: &Contact,
    correspondence_type: Option<CorrespondenceType>,
) -> Option<ConsentRefusal> {
    if contact.privacy_blocked {
        return Some(ConsentRefusal::PrivacyBlocked);
    }
    if contact.minor && !contact.parental_consent {
        return Some(ConsentRefusal::MinorWithoutParentalConsent);
    }
    match correspondence_type {
        Some(CorrespondenceType::HardCopy) if contact.no_mail => Some(ConsentRefusal::NoMail),
        Some(CorrespondenceType::Email) if contact.no_email => Some(ConsentRefusal::NoEmail),
        Some(CorrespondenceType::HardCopy | CorrespondenceType::Email | CorrespondenceType::Fax) | None => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConsentRefusal, refusal, refusal_despite_exclusion};
    use crate::contact::{Contact, CorrespondenceType};

    fn contact(flags: &[&str]) -> Contact {
        let mut contact = Contact::default();
        for flag in flags {
            contact.set_field(flag, "yes".to_owned()).unwrap();
        }
        contact
    }

    #[test]
    fn the_first_reason_in_the_fixed_order_is_given() {
        use ConsentRefusal as R;
        use CorrespondenceType::{Email, Fax, HardCopy};

        for (flags, by, expected) in [
            (&[][..], Some(HardCopy), None),
            (&["no_mail"], Some(HardCopy), Some(R::NoMail)),
            (&["no_mail"], Some(Email), None),
            (&["no_email"], Some(Email), Some(R::NoEmail)),
            (&["no_email", "no_mail"], Some(Fax), None),
            (&["no_email", "no_mail"], None, None),
            (&["minor"], None, Some(R::MinorWithoutParentalConsent)),
            (&["minor", "no_mail"], Some(HardCopy), Some(R::MinorWithoutParentalConsent)),
            (&["minor", "parental_consent"], Some(Email), None),
            (&["minor", "privacy_blocked"], Some(Fax), Some(R::PrivacyBlocked)),
            (&["privacy_blocked", "no_mail"], Some(HardCopy), Some(R::PrivacyBlocked)),
        ] {
            let included = contact(flags);
            let excluded = contact(&[flags, &["exclude_from_segment"]].concat());
            assert_eq!(refusal(&included, by), expected, "{flags:?} {by:?}");
            assert_eq!(refusal(&excluded, by), Some(R::ExcludedFromSegments), "{flags:?} {by:?}");
            for contact in [&included, &excluded] {
                assert_eq!(refusal_despite_exclusion(contact, by), expected, "{flags:?} {by:?}");
            }
        }
    }

    #[test]
    fn the_stable_name_is_the_serialized_one() {
        let name = serde_json::to_string(&ConsentRefusal::MinorWithoutParentalConsent).unwrap();
        assert_eq!(name, format!("\"{}\"", ConsentRefusal::MinorWithoutParentalConsent.id()));
    }
}
