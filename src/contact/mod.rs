//! Who: contacts, alternative addresses, salutations, consent, import.
